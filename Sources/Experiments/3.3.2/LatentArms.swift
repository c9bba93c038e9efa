import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What reads digits after M1 has learnt without labels, and what is compared with it.
package enum LatentArms {
  /// What the reader is.
  package enum Kind: String, CaseIterable, Sendable {
    /// A linear machine on the means of M1's posterior.
    case linear
    /// A machine with a Gaussian kernel on them.
    case kernel
    /// The network of q(y|x) on pixels, by labels alone.
    case pixels
    /// The network of q(y|z₁) on M1's features, by labels alone.
    case network
    /// The same for as many steps as M2 has, at one rate: whether it is the length that helps.
    case patient
    /// M2 on M1's features: M1+M2.
    case both
  }

  /// The costs C of the linear machine, a decade apart.
  package static let costs = [1e-3, 0.01, 0.1, 1, 10, 100]
  /// The kernel machine's widths γ, half a decade apart.
  package static let gammas = [0.003, 0.01, 0.03, 0.1, 0.3]
  /// The kernel machine's C.
  package static let kernelCost = 10.0
  /// The rates of Adam for labels alone on a code, half a decade apart.
  package static let rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
  /// As many steps for 1,000 labels as for 3,000; a unit is so many of them.
  package static let (units, stepsPerUnit) = (48, 60)
  /// The rate of `patient`.
  package static let patientRate = 1e-3

  /// An arm for each kind, in the order of the kinds.
  ///
  /// - Parameters:
  ///   - settings: what M1+M2 is chosen from, all of one length.
  ///   - steps: how many M1+M2 has, for the network that is to have as many.
  package static func arms(
    _ code: LatentCode, _ settings: [GenerativeArms.Setting], steps: Int
  ) -> [Study.Arm] {
    Kind.allCases.map { kind in
      switch kind {
      case .linear: linear(code)
      case .kernel: kernel(code)
      case .pixels: PixelReading.arm()
      case .network: network(kind, of: code)
      case .patient: network(kind, of: code, rates: [patientRate], stepsPerUnit: steps / units)
      case .both: GenerativeArms.both(kind.rawValue, [code], settings)
      }
    }
  }

  private struct Setting: CustomStringConvertible, Sendable {
    /// A cost, a width or a rate.
    let value: Double
    let description: String

    init(_ code: LatentCode, _ name: String, _ value: Double, _ more: String = "") {
      self.value = value
      description = "\(code.kind.rawValue) code, \(name) \(value)\(more)"
    }
  }

  private static func linear(_ code: LatentCode) -> Study.Arm {
    let settings = costs.map { Setting(code, "C", $0) }
    return Study.Arm(Kind.linear.rawValue, settings, isGrid: true) { setting, task, show in
      let features = try code.features(task)
      var unused = RandomStream(seed: task.seed, task.streams, "weights")
      let reader = DigitReader(features, hidden: [], using: &unused)
      let pixels = Tape(recording: false).constant(
        task.set.images(task.labelled).flattenedImages())
      let rows = features(pixels).mean.value
      let scaling = FeatureScaling(rows)
      let machine = try LinearSVM(
        scaling(rows), labels: task.set.labels(task.labelled), cost: setting.value)
      let plain = scaling.unscaled(machine.weights)
      (reader.output.weight.value, reader.output.bias.value) = (plain.weights, plain.biases)
      try show(1, Study.reader(of: reader, task.flag))
    }
  }

  private static func kernel(_ code: LatentCode) -> Study.Arm {
    let settings = gammas.map { Setting(code, "γ", $0, ", C \(kernelCost)") }
    return Study.Arm(Kind.kernel.rawValue, settings, isGrid: true) { setting, task, show in
      var stream = RandomStream(seed: task.seed, "3.3.2", "cosines")
      let reader = KernelReader(
        try code.features(task), gamma: setting.value, using: &stream)
      let rows = reader.cosines(ofImages: task.set.images(task.labelled))
      let ones = Tensor(repeating: 1, [rows.shape[0], 1])
      let machine = try LinearSVM(
        Tensor.concatenation([rows, ones], axis: 1), labels: task.set.labels(task.labelled),
        cost: kernelCost)
      let count = KernelReader.count
      reader.output.weight.value = machine.weights.slice(0..<count, axis: 1)
      reader.output.bias.value = machine.weights.slice(count..<count + 1, axis: 1).reshaped([
        ImageSet.classCount
      ])
      try show(1, Study.reader(of: reader, task.flag))
    }
  }

  private static func network(
    _ kind: Kind, of code: LatentCode, rates: [Double] = rates, stepsPerUnit: Int = stepsPerUnit
  ) -> Study.Arm {
    let settings = rates.map { Setting(code, "rate", $0, ", \(units) × \(stepsPerUnit) steps") }
    return Study.Arm(kind.rawValue, settings, isGrid: rates.count > 1) { setting, task, show in
      var stream = RandomStream(seed: task.seed, task.streams, "weights")
      let reader = DigitReader(try code.features(task), hidden: [500], using: &stream)
      try LabelTuning.run(
        reader, of: "The training of one softplus layer", rate: setting.value, units: units,
        stepsPerUnit: stepsPerUnit, in: task, show)
    }
  }

  /// What can be read from a code at all, by the error of q(y|z₁) on the test images in percent.
  ///
  /// It learns from the labels of all training images. A diagnosis, by which nothing is chosen.
  package static func ceiling(
    _ code: LatentCode, steps: Int, _ page: Page, _ data: MNIST
  ) throws -> Double {
    let (seed, isQuick) = (page.seed, page.isQuick)
    let name = "all labels, \(code.kind.rawValue) code, \(units) × \(steps / units) steps"
    return try Round(page, "all labels").run([name], tolerance: 0.4) { _, flag in
      let task = Study.Task(
        set: data.train, labelled: Array(0..<(isQuick ? 500 : data.train.count)),
        unlabelled: data.train.withoutLabels([0]), seed: seed, streams: "3.3.2/all labels",
        flag: flag, share: 1, points: 1, isQuick: isQuick)
      var stream = RandomStream(seed: seed, task.streams, "weights")
      let reader = DigitReader(try code.features(task), hidden: [500], using: &stream)
      var wrong = 0
      try LabelTuning.run(
        reader, of: "The training with all labels", rate: patientRate, units: units,
        stepsPerUnit: steps / units, in: task
      ) { _, read in
        let test = Array(0..<(isQuick ? 500 : data.test.count))
        wrong = zip(try read(data.test, test), data.test.labels(test)).count { $0 != $1 }
      }
      return 100 * Double(wrong) / Double(isQuick ? 500 : data.test.count)
    }[0]
  }
}
