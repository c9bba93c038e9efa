import Digits
import Files
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// M2, on M1's features and on pixels, with a class that is known of a few images only.
package enum GenerativeArms {
  /// What becomes of the classes of images without labels, and of M1's features.
  package enum Treatment {
    /// All classes are summed over, and features drawn anew for each batch, as the paper has them.
    case summed
    /// One class is drawn for each image.
    case sampled
    /// All classes are summed over, and each image's feature is its mean, batch after batch.
    case fixed
  }

  /// What fits some tens of epochs where the paper had thousands.
  package struct Setting: CustomStringConvertible, Sendable {
    /// α/N of equation 9, as the paper has it.
    package let alpha = 0.1
    /// The rate of Adam.
    package let rate: Double
    /// Passes over the images without labels.
    package let epochs: Int
    /// How many images of either kind a batch has; a tenth of that in a quick run.
    package let (labelled, unlabelled): (Int, Int)

    /// A setting.
    package init(rate: Double, epochs: Int, labelled: Int, unlabelled: Int) {
      (self.rate, self.epochs) = (rate, epochs)
      (self.labelled, self.unlabelled) = (labelled, unlabelled)
    }

    /// What tells it apart.
    package var description: String {
      "α/N \(alpha), rate \(rate), \(epochs) epochs in batches of \(labelled) and \(unlabelled)"
    }

    /// The batch sizes of a task.
    func sizes(_ task: Study.Task) -> (labelled: Int, unlabelled: Int) {
      task.isQuick ? (max(2, labelled / 10), max(2, unlabelled / 10)) : (labelled, unlabelled)
    }
  }

  private static func schedule(_ rate: Double, _ steps: Int) -> Schedule {
    .linearDecay(rate, from: 2 * steps / 3, to: steps, .steps)
  }

  private static func plan(
    _ setting: Setting, _ task: Study.Task
  ) -> SemiSupervisedAutoencoder.Plan {
    var plan = SemiSupervisedAutoencoder.Plan(
      labelled: task.labelled.count, unlabelled: task.unlabelled.count)
    plan.classifierWeight = Float(setting.alpha)
    plan.initialiser = .xavierNormal
    return plan
  }

  // snippet.both
  /// M1+M2 on one code or several: an epoch is a pass over the images without labels.
  package static func both(
    _ key: String, _ codes: [LatentCode], _ settings: [Setting], _ treatment: Treatment = .summed
  ) -> Study.Arm {
    Study.Arm(
      key, codes.flatMap { code in settings.map { OnCode(setting: $0, code: code) } },
      isGrid: settings.count > 1
    ) { one, task, show in
      let setting = one.setting
      let features = try one.code.features(task)
      var stream = RandomStream(seed: task.seed, task.streams, "weights")
      let model = SemiSupervisedAutoencoder(plan(setting, task), on: features, using: &stream)
      let batches = DrawnFeatures(
        features, task, setting.sizes(task), isDrawn: treatment != .fixed)
      let epochs = task.epochs(setting.epochs)
      var training = Training(
        OnFeatures(model: model, samples: treatment == .sampled), batches, Adam(),
        rate: schedule(setting.rate, epochs * batches.stepsPerEpoch), seed: task.seed,
        name: task.streams)
      try orReadNothing(task, show) {
        try training.follow("M1+M2", epochs: epochs, in: task) {
          try show($0, Study.reader(of: model, task.flag))
        }
      }
    }
  }
  // snippet.end

  /// A candidate whose training breaks reads no digit, and is no choice.
  private static func orReadNothing(
    _ task: Study.Task, _ show: (Int, Study.Reader) throws -> Void, _ train: () throws -> Void
  ) throws {
    do {
      try train()
    } catch let error as LabError where error.kind == .failed && task.share < 1 {
      try show(0) { _, indices in indices.map { _ in -1 } }
    }
  }

  /// M2 on pixels.
  package static func alone(_ looks: StyleLooks, _ settings: [Setting]) -> Study.Arm {
    Study.Arm("alone", settings, isGrid: true) { setting, task, show in
      let model = try alone(setting, task, show)
      // The pictures are of this very model, and are asked for when the draws are done.
      if task.share == 1 {
        _ = try looks.kept(setting, task) { StyleLook(of: model, task) }
      }
    }
  }

  static func alone(
    _ setting: Setting, _ task: Study.Task, _ show: (Int, Study.Reader) throws -> Void
  ) throws -> SemiSupervisedAutoencoder {
    var stream = RandomStream(seed: task.seed, task.streams, "weights")
    let model = SemiSupervisedAutoencoder(plan(setting, task), using: &stream)
    let (sizes, seed, name) = (setting.sizes(task), task.seed, task.streams)
    let pairs = PairedBatches(
      LabelledBatches(of: task.set, task.labelled, size: sizes.labelled, seed: seed, name: name),
      UnlabelledBatches(of: task.unlabelled, size: sizes.unlabelled, seed: seed, name: name))
    let batches = LongEpochs(
      source: pairs, stepsPerEpoch: max(1, task.unlabelled.count / sizes.unlabelled))
    let epochs = task.epochs(setting.epochs)
    var training = Training(
      model, batches, Adam(), rate: schedule(setting.rate, epochs * batches.stepsPerEpoch),
      seed: seed, name: name)
    try orReadNothing(task, show) {
      try training.follow("M2", epochs: epochs, in: task) {
        try show($0, Study.reader(of: model, task.flag))
      }
    }
    return model
  }

  /// What the traps cost: one draw, one setting.
  package static func traps(_ code: LatentCode, _ setting: Setting) -> [Study.Arm] {
    [both("sampled", [code], [setting], .sampled), both("fixed", [code], [setting], .fixed)]
  }
}

/// A setting with the code that it reads, which the names of jobs must tell.
private struct OnCode: CustomStringConvertible, Sendable {
  let setting: GenerativeArms.Setting
  let code: LatentCode

  var description: String { "\(code.kind.rawValue) code, \(setting)" }
}

/// M2 on features that were drawn already.
private struct OnFeatures: Objective {
  let model: SemiSupervisedAutoencoder
  /// Whether one class is drawn for each image, in the place of the sum.
  let samples: Bool

  func loss(
    _ batch: DrawnFeatures.Batch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let (x, others) = (tape.constant(batch.labelled), tape.constant(batch.unlabelled))
    guard samples else { return model.loss(x, labels: batch.labels, others, using: &noise) }
    return model.loss(
      x, labels: batch.labels, others,
      unlabelled: { SampledClasses.negativeBound(of: model, $0, using: &$1) }, using: &noise)
  }
}

/// A source whose epochs have a length of their own.
private struct LongEpochs<Source: BatchSource>: BatchSource {
  var source: Source
  let stepsPerEpoch: Int
  var state: Source.State { source.state }
  mutating func next(using noise: inout RandomStream) -> Source.Batch { source.next(using: &noise) }
  mutating func restore(_ state: Source.State) -> Bool { source.restore(state) }
}
