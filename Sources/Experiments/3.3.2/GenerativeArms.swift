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
  enum Treatment {
    /// All classes are summed over, and features drawn anew for each batch, as the paper has them.
    case summed
    /// One class is drawn for each image.
    case sampled
    /// All classes are summed over, and each image's feature is its mean, batch after batch.
    case fixed
  }

  /// What fits some tens of epochs where the paper had thousands: the rate of Adam.
  package struct Setting: CustomStringConvertible, Sendable {
    /// α/N of equation 9, as the paper has it.
    package let alpha = 0.1
    /// The rate of Adam.
    package let rate: Double
    /// What tells it apart.
    package var description: String { "α/N \(alpha), rate \(rate)" }
  }

  /// What is chosen from for M1+M2.
  package static let settings = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2].map { Setting(rate: $0) }
  /// What is chosen from for M2 alone.
  package static let aloneSettings = [1e-4, 3e-4, 1e-3, 3e-3].map { Setting(rate: $0) }
  /// Passes over the images without labels: of M1+M2, and of M2 alone.
  package static let (epochs, aloneEpochs) = (36, 24)
  /// The images of a batch of M2 alone, of either kind.
  package static let aloneSize = 50

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
  /// M1+M2: each batch has 100 images with labels and 50 without; an epoch is a pass over the latter.
  static func both(
    _ key: String, _ learning: LatentLearning, _ treatment: Treatment, _ settings: [Setting]
  ) -> Study.Arm {
    Study.Arm(
      key, settings.map { Described($0, epochs) }, isGrid: settings.count > 1
    ) { described, task, show in
      let setting = described.setting
      let features = try learning.features(task.seed, task.flag)
      var stream = RandomStream(seed: task.seed, task.streams, "weights")
      let model = SemiSupervisedAutoencoder(plan(setting, task), on: features, using: &stream)
      let batches = DrawnFeatures(features, task, isDrawn: treatment != .fixed)
      let epochs = task.epochs(epochs)
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
  package static func alone(_ looks: StyleLooks) -> Study.Arm {
    Study.Arm(
      "alone", aloneSettings.map { Described($0, aloneEpochs) }, isGrid: true
    ) { described, task, show in
      let model = try alone(described.setting, task, show)
      // The pictures are of this very model, and are asked for when the draws are done.
      if task.share == 1 {
        _ = try looks.kept(described.setting, task) { StyleLook(of: model, task) }
      }
    }
  }

  static func alone(
    _ setting: Setting, _ task: Study.Task, _ show: (Int, Study.Reader) throws -> Void
  ) throws -> SemiSupervisedAutoencoder {
    var stream = RandomStream(seed: task.seed, task.streams, "weights")
    let model = SemiSupervisedAutoencoder(plan(setting, task), using: &stream)
    let size = task.isQuick ? 10 : aloneSize
    let pairs = PairedBatches(
      LabelledBatches(
        of: task.set, task.labelled, size: size, seed: task.seed, name: task.streams),
      UnlabelledBatches(of: task.unlabelled, size: size, seed: task.seed, name: task.streams))
    let batches = LongEpochs(
      source: pairs, stepsPerEpoch: max(1, task.unlabelled.count / size))
    let epochs = task.epochs(aloneEpochs)
    var training = Training(
      model, batches, Adam(), rate: schedule(setting.rate, epochs * batches.stepsPerEpoch),
      seed: task.seed, name: task.streams)
    try orReadNothing(task, show) {
      try training.follow("M2", epochs: epochs, in: task) {
        try show($0, Study.reader(of: model, task.flag))
      }
    }
    return model
  }

  /// What the traps cost: one draw, one setting.
  package static func traps(_ learning: LatentLearning, _ setting: Setting) -> [Study.Arm] {
    [
      both("sampled", learning, .sampled, [setting]), both("fixed", learning, .fixed, [setting]),
    ]
  }
}

/// A setting with the length that it is trained for, which the names of jobs must tell.
private struct Described: CustomStringConvertible, Sendable {
  let setting: GenerativeArms.Setting
  let description: String

  init(_ setting: GenerativeArms.Setting, _ epochs: Int) {
    self.setting = setting
    description = "\(setting), \(epochs) epochs"
  }
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
    let plan = model.plan
    let total = Float(plan.labelled + plan.unlabelled)
    let known = model.negativeBound(x, .known(batch.labels), using: &noise)
    let error = softmaxCrossEntropy(logits: model.logits(ofVectors: x), labels: batch.labels)
    let bound = SampledClasses.negativeBound(of: model, others, using: &noise)
    return Loss(
      [
        ("labelled bound", Float(plan.labelled) / total, mean(known)),
        ("unlabelled bound", Float(plan.unlabelled) / total, bound),
        ("classifier", plan.classifierWeight, error),
      ], over: batch.labels.count + others.shape[0])
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
