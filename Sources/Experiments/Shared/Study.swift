import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// The protocol of part 3.3, by which every method that learns without labels is measured.
///
/// 1. What a paper leaves open is chosen among a few settings, on one draw of labels, at a third of
///    the length, by the error on validation images.
/// 2. The chosen setting is trained at full length on every draw, and only there the test is read.
///
/// Each of the two is one round of jobs, for all numbers of labels together.
///
/// Whatever a method is compared with goes the same way, on the same draws, from the same streams.
package struct Study {
  /// What reads digits: predictions of the images at some indices of a set.
  package typealias Reader = (_ set: ImageSet, _ indices: [Int]) throws -> [Int]

  /// A method with the settings that are open, or what it is compared with.
  package struct Arm: Sendable {
    /// A word for it, the first of its values' names.
    package let key: String
    /// All that is to be known of each setting, for a table and for the names of jobs.
    package let settings: [String]
    /// Whether the settings are a grid in the order of one number, so that an end of it is no choice.
    package let isGrid: Bool
    let train: @Sendable (Int, Task, (Int, Reader) throws -> Void) throws -> Void

    /// An arm.
    ///
    /// - Parameters:
    ///   - settings: what is chosen from; their descriptions say all that differs between them.
    ///   - train: trains on the images of the task, and shows the epochs done and what reads digits
    ///     by now, at the task's points, the last of them at the end.
    package init<Setting: Sendable>(
      _ key: String, _ settings: [Setting], isGrid: Bool = false,
      train:
        @escaping @Sendable (
          _ setting: Setting, _ task: Task, _ show: (_ epoch: Int, Reader) throws -> Void
        ) throws -> Void
    ) {
      precondition((1...6).contains(settings.count), "\(settings.count) settings of \(key)")
      (self.key, self.isGrid) = (key, isGrid)
      self.settings = settings.map { "\($0)" }
      self.train = { try train(settings[$0], $1, $2) }
    }
  }

  /// What a training is given.
  package struct Task: Sendable {
    /// The training set, whose labels count at the labelled images only.
    package let set: ImageSet
    /// The images that carry a label.
    package let labelled: [Int]
    /// All the others.
    package let unlabelled: UnlabelledImages
    /// The seed of the run.
    package let seed: UInt64
    /// What the random streams are named by: the same for all arms.
    package let streams: String
    /// Says when to stop.
    package let flag: SideBySide.Flag
    /// The share of the full length: a third for a choice.
    let share: Double
    /// How many points the curves have: a twelfth of the length apart, with a third and two thirds
    /// among them; one, the end, for a choice.
    let points: Int
    /// Whether a few steps are enough.
    package let isQuick: Bool

    /// The epochs of a training that has so many at full length.
    package func epochs(_ full: Int) -> Int {
      isQuick ? min(2, full) : max(1, Int((Double(full) * share).rounded()))
    }

    /// Whether the curves have a point after an epoch.
    package func isPoint(_ epoch: Int, of epochs: Int) -> Bool {
      (1...points).contains { epoch == Int((Double($0 * epochs) / Double(points)).rounded()) }
    }
  }

  /// What the images say of a training; errors in percent.
  package struct Outcome: MeasuredResult, Sendable {
    /// Epochs done at each point.
    package var epochs: [Int] = []
    /// Of the labelled, the validation and the test images, at each point; none of the test where a
    /// choice is still to be made.
    package var (train, validation, test): ([Double], [Double], [Double]) = ([], [], [])
    /// How long it took.
    package var seconds = 0.0

    /// The errors: time is another one each time.
    package var measures: [[Double]] { [train, validation, test] }
  }

  private let page: Page
  private let data: MNIST

  /// A study on the digits, for a chapter's page.
  package init(_ page: Page, _ data: MNIST) { (self.page, self.data) = (page, data) }

  /// The settings that validation chooses on some draws, each by itself, at a third of the length.
  ///
  /// An arm of one setting has no choice, and is not trained. The errors go into a table.
  /// - Returns: the index of a setting, by draw, then arm.
  package func choose(_ arms: [Arm], on draws: [LabelDraw]) throws -> [[Int]] {
    let open = arms.indices.filter { arms[$0].settings.count > 1 }
    let jobs = draws.indices.flatMap { draw in
      open.flatMap { arm in
        arms[arm].settings.indices.prefix(page.isQuick ? 2 : 6).map {
          (draw: draw, arm: arm, setting: $0)
        }
      }
    }
    let outcomes = try run(
      "candidates", jobs.map { (arms[$0.arm], $0.setting, draws[$0.draw]) }, share: 1.0 / 3,
      readsTest: false)
    let errors = outcomes.map { $0.validation.last! }
    if !jobs.isEmpty {
      page.table(
        ["candidate", "labels", "error on validation"],
        zip(jobs, errors).map { job, error in
          [
            "\(arms[job.arm].key): \(arms[job.arm].settings[job.setting])", draws[job.draw].name,
            String(format: "%.2f %%", error),
          ]
        })
    }
    return draws.indices.map { draw in
      arms.indices.map { arm in
        let own = zip(jobs, errors).filter { $0.0.draw == draw && $0.0.arm == arm }.map(\.1)
        guard !own.isEmpty else { return 0 }
        return page.choice(
          of: "\(arms[arm].key), \(draws[draw].name)", by: own,
          isOpen: arms[arm].isGrid ? (true, true) : (false, false))
      }
    }
  }

  /// The outcomes of the arms at full length with the settings chosen for each group of draws.
  ///
  /// - Parameters:
  ///   - choices: the index of a setting, by group, then arm.
  ///   - groups: draws that share a choice, such as all of 1,000 labels.
  /// - Returns: outcomes by group, then arm, then draw.
  package func run(
    _ arms: [Arm], _ choices: [[Int]], on groups: [[LabelDraw]]
  ) throws -> [[[Outcome]]] {
    let jobs = groups.indices.flatMap { group in
      arms.indices.flatMap { arm in groups[group].map { (arms[arm], choices[group][arm], $0) } }
    }
    var rest = try run("draws", jobs, share: 1, readsTest: true)[...]
    return groups.map { draws in
      arms.map { _ in
        defer { rest = rest.dropFirst(draws.count) }
        return Array(rest.prefix(draws.count))
      }
    }
  }

  private func run(
    _ round: String, _ jobs: [(arm: Arm, setting: Int, draw: LabelDraw)], share: Double,
    readsTest: Bool
  ) throws -> [Outcome] {
    let (data, seed, id, isQuick) = (data, page.seed, page.id, page.isQuick)
    let splits = try jobs.map { try $0.draw.split(data.train, page) }
    let names = jobs.map {
      "\(round), \($0.arm.key), \($0.draw.name): \($0.arm.settings[$0.setting])"
    }
    return try Round(page, round).run(names) { index, flag in
      let (job, split) = (jobs[index], splits[index])
      let others = isQuick ? Array(split.withoutLabels.prefix(2000)) : split.withoutLabels
      let task = Task(
        set: data.train, labelled: split.labelled,
        unlabelled: data.train.withoutLabels(others), seed: seed,
        streams: "\(id)/\(job.draw.name)", flag: flag, share: share,
        points: readsTest && !isQuick ? 12 : 1, isQuick: isQuick)
      let test = Array(stride(from: 0, to: data.test.count, by: isQuick ? 10 : 1))
      let start = ContinuousClock.now
      var outcome = Outcome()
      try job.arm.train(job.setting, task) { epoch, read in
        func error(_ set: ImageSet, _ indices: [Int]) throws -> Double {
          let wrong = zip(try read(set, indices), set.labels(indices)).count { $0 != $1 }
          return 100 * Double(wrong) / Double(indices.count)
        }
        outcome.epochs.append(epoch)
        outcome.train.append(try error(data.train, split.labelled))
        outcome.validation.append(try error(data.train, split.validation))
        if readsTest { outcome.test.append(try error(data.test, test)) }
      }
      precondition(!outcome.epochs.isEmpty, "\(job.arm.key) has shown nothing")
      outcome.seconds = start.duration(to: .now) / .seconds(1)
      return outcome
    }
  }
}

extension Study {
  /// What a classifier reads by its weights of this moment, or by others, such as an average.
  package static func reader(
    of network: some Classifier, _ flag: SideBySide.Flag, values: (any ParameterValues)? = nil
  ) -> Reader {
    { set, indices in
      try network.evaluate(set, indices, values: values) { try flag.check() }.predictions
    }
  }
}

extension Training {
  /// Trains for some epochs of a task, and shows each point of its curves.
  ///
  /// - Parameter method: what is trained, for the sentence that a broken training ends with.
  /// - Throws: `LabError` of kind `.failed` when the loss is no finite number; `CancellationError`.
  package mutating func follow(
    _ method: String, epochs: Int, in task: Study.Task, show: (_ epoch: Int) throws -> Void
  ) throws {
    for epoch in 1...epochs {
      while moment.epoch < epoch {
        try task.flag.check()
        try takeCheckedStep(of: method)
        if task.isQuick, batch >= 20 { break }
      }
      if task.isQuick, moment.epoch < epoch { return try show(epoch) }
      if task.isPoint(epoch, of: epochs) { try show(epoch) }
    }
  }
}
