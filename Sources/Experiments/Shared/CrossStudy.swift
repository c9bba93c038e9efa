import Digits
import Methods
import Notebook

/// The trainings of chapter 3.4, each a job that is kept.
///
/// Settings come from the chapter; whoever chooses among them asks for jobs that do not read the test.
package struct CrossStudy {
  /// Settings under a name.
  package struct Arm: Sendable {
    package let key: String
    package let settings: CrossSettings
    /// Whether every image but those for validation has its label: a diagnosis, and no candidate.
    package let knowsAllLabels: Bool

    package init(_ key: String, _ settings: CrossSettings, knowsAllLabels: Bool = false) {
      (self.key, self.settings, self.knowsAllLabels) = (key, settings, knowsAllLabels)
    }
  }

  /// A training that is asked for.
  package struct Job: Sendable {
    let arm: Arm
    let labels, draw, seed: Int
    let reading: CrossOutcome.Reading

    /// - Parameters:
    ///   - draw: the number of the draw of labels, 0 for the kit's.
    ///   - seed: what is added to the run's seed; of a draw at random its number, so that no two share
    ///     their first weights.
    package init(
      _ arm: Arm, labels: Int = 3000, draw: Int = 0, seed: Int? = nil,
      _ reading: CrossOutcome.Reading
    ) {
      (self.arm, self.labels, self.draw, self.reading) = (arm, labels, draw, reading)
      self.seed = seed ?? draw
    }

    /// Says everything that the result depends on.
    var name: String {
      "\(arm.key), \(LabelDraw(labels: labels, number: draw).name), seed \(seed), "
        + "\(arm.knowsAllLabels ? "all labels, " : "")\(reading): \(arm.settings)"
    }
  }

  /// Narrow networks and a few steps, for checks and quick runs.
  package static func tiny(_ settings: CrossSettings) -> CrossSettings {
    var tiny = settings
    for index in tiny.networks.indices {
      tiny.networks[index].blocks = tiny.networks[index].blocks.map {
        (max(2, $0.filters / 16), $0.kernel, $0.padding, $0.pools)
      }
      tiny.networks[index].hidden = 16
    }
    (tiny.steps, tiny.round, tiny.ramp, tiny.decay) = (6, 2, 2, 0.5)
    (tiny.labelled, tiny.unlabelled) = (min(10, tiny.labelled), min(20, tiny.unlabelled))
    return tiny
  }

  /// The settings of a third of the length, or of a quick run.
  package static func short(_ settings: CrossSettings, _ page: Page) -> CrossSettings {
    page.isQuick ? tiny(settings) : settings.shortened(to: 1.0 / 3)
  }

  private let page: Page
  private let data: MNIST

  /// A study for a chapter's page.
  package init(_ page: Page, _ data: MNIST) { (self.page, self.data) = (page, data) }

  /// The outcomes of a round of jobs, in their order.
  package func run(_ round: String, _ jobs: [Job]) throws -> [CrossOutcome] {
    let (data, seed, isQuick) = (data, page.seed, page.isQuick)
    let splits = try jobs.map {
      try LabelDraw(labels: $0.labels, number: $0.draw).split(data.train, page)
    }
    return try Round(page, round).run(jobs.map(\.name), tolerance: 1) { index, flag in
      try Self.train(
        jobs[index], on: data, splits[index], seed: seed + UInt64(jobs[index].seed),
        isQuick: isQuick, flag)
    }
  }

  /// The names of the trainings that `lab model` repeats, one for each seed.
  package static func modelNames(_ settings: CrossSettings) -> [String] {
    modelJobs(settings).map(\.name)
  }

  /// The trainings of what is shipped: five seeds on the kit's labels, and five draws of labels.
  package static func modelJobs(_ settings: CrossSettings, isQuick: Bool = false) -> [Job] {
    let (arm, five) = (Arm("model", settings), isQuick ? 1 : 5)
    return (0..<five).map { Job(arm, seed: $0, .everything) }
      + (1...five).map { Job(arm, draw: $0, .everything) }
  }

  // snippet.training
  /// Trains as `lab model` does, round by round, and looks at some of them.
  private static func train(
    _ job: Job, on data: MNIST, _ split: Split, seed: UInt64, isQuick: Bool, _ flag: SideBySide.Flag
  ) throws -> CrossOutcome {
    let (set, settings, start) = (data.train, job.arm.settings, ContinuousClock.now)
    let others = Array(settings.others(of: split).prefix(isQuick ? 500 : .max))
    let labelled =
      job.arm.knowsAllLabels ? split.labelled + split.unlabelled : split.labelled
    let training = CrossTraining(
      settings, on: set, labelled, set.withoutLabels(others), seed: seed)
    var outcome = CrossOutcome()
    var look = CrossLook(data, split, settings, job.reading, isQuick: isQuick, flag)
    while training.step < settings.steps {
      let losses = try training.runRound { try flag.check() }.map(\.loss)
      try requireFinite(losses, training.step)
      if look.isPoint(training.step) { try look.add(training, to: &outcome) }
    }
    let noisy = try look.validationError(training)
    let networks = try training.finish(set, split.labelled) { try flag.check() }
    try look.add(networks, to: &outcome)
    outcome.noisy = noisy
    outcome.seconds = start.duration(to: .now) / .seconds(1)
    return outcome
  }
  // snippet.end
}
