import Digits
import Gradients
import Networks
import Tensors

/// The Γ-model of a ladder network on a convolutional classifier: the top layer's cost alone.
///
/// Source: Rasmus, Valpola, Honkala, Berglund & Raiko 2015 (arXiv 1507.02672), section 3.4, and its
/// network Conv-Small (section 4.1.2, table 4). As there poolings and the mean over the pixels are
/// layers too, which are normalised and get noise, and have neither shift nor rectifier.
public struct ConvolutionalGamma: Classifier, Objective {
  /// A layer below the mean over the pixels.
  public enum Step: Sendable, Equatable {
    /// Filters of so many pixels a side; a full convolution also has the places that only a part of
    /// the filter covers.
    case convolution(_ filters: Int, kernel: Int, isFull: Bool = false)
    /// The largest of each 2 × 2 pixels.
    case pooling
  }

  /// How the network is built and weighed.
  public struct Plan: Sendable {
    /// The layers; after the last come the mean over its pixels and a layer of one unit a class.
    public var steps: [Step] = [
      .convolution(32, kernel: 5, isFull: true), .pooling, .convolution(64, kernel: 3),
      .convolution(64, kernel: 3, isFull: true), .pooling, .convolution(128, kernel: 3),
      .convolution(10, kernel: 1),
    ]
    /// Classes.
    public var classes = ImageSet.classCount
    /// The deviation of the noise on the pixels.
    public var pixelNoise: Float = 0.3
    /// The deviation of the noise on each normalised layer.
    public var noise: Float = 0.3
    /// λ: the weight of the top layer's denoising cost; with 0 the network is a plain one.
    public var weight: Float = 1
    /// The weight of the newest batch in the running statistics.
    public var momentum: Float = 0.1
    /// Added to a variance before its root is taken.
    public var epsilon: Float = 1e-5

    /// Conv-Small, as for 100 labels.
    public init() {}
  }

  /// One layer of the encoder, which both passes use.
  private struct Layer: Module {
    /// Filters `[out, in, k, k]`, at the top W `[in, out]`; none of a pooling or a mean.
    let weight: Parameter?
    /// β, `[out]`, where there is a weight.
    let shift: Parameter?
    /// What evaluation normalises by.
    let statistics: LadderStatistics
  }

  /// What a pass leaves behind of its top layer.
  package struct Pass {
    /// z, normalised and, in a noisy pass, noisy: `[n, classes]`.
    package let z: Variable
    /// The moments of each layer, `[features]`, first to last.
    package let moments: [(mean: Variable, variance: Variable)]
    /// Samples that the moments of each layer are taken over.
    let samples: [Int]
    /// What the top layer says, `[n, classes]`.
    package let logits: Variable
  }

  /// What it was made by.
  public let plan: Plan
  /// The steps, the mean, the layer of the classes.
  private let layers: [Layer]
  /// γ of the top, `[classes]`.
  private let scale: Parameter
  /// g of the top.
  private let combinator: GaussianCombinator?

  /// A network with drawn weights, of variance 1/fan-in, for images of one channel.
  public init(_ plan: Plan = Plan(), using stream: inout RandomStream) {
    self.plan = plan
    var channels = 1
    func layer(_ features: Int, _ shape: Shape?, fanIn: Int) -> Layer {
      let deviation = 1 / Float(fanIn).squareRoot()
      return Layer(
        weight: shape.map { Parameter("weight", stream.normal($0, deviation: deviation)) },
        shift: shape.map { _ in Parameter("shift", Tensor(repeating: 0, [features])) },
        statistics: LadderStatistics(features: features))
    }
    var layers = plan.steps.map { step in
      guard case .convolution(let filters, let kernel, _) = step else {
        return layer(channels, nil, fanIn: 1)
      }
      defer { channels = filters }
      return layer(
        filters, [filters, channels, kernel, kernel], fanIn: channels * kernel * kernel)
    }
    layers.append(layer(channels, nil, fanIn: 1))
    layers.append(layer(plan.classes, [channels, plan.classes], fanIn: channels))
    self.layers = layers
    scale = Parameter("scale", Tensor(repeating: 1, [plan.classes]))
    combinator = plan.weight > 0 ? GaussianCombinator(units: plan.classes) : nil
  }

  // snippet.pass
  /// A pass over images `[1, n, h, w]`, noisy or clean, normalised by moments of its own.
  ///
  /// - Parameter running: whether the running moments stand in for those of the batch.
  package func pass(
    _ images: Variable, isNoisy: Bool, running: Bool = false, using noise: inout RandomStream
  ) -> Pass {
    func noisy(_ z: Variable, _ deviation: Float) -> Variable {
      isNoisy && deviation > 0 ? gaussianNoise(z, deviation: deviation, using: &noise) : z
    }
    let tape = images.tape
    var h = noisy(images, plan.pixelNoise)  // section 3.2: x̃ = x + n
    var (z, moments, samples) = (h, [(mean: Variable, variance: Variable)](), [Int]())
    for (index, layer) in layers.enumerated() {
      let y = index < plan.steps.count ? apply(plan.steps[index], layer, h) : top(layer, h)
      let features = layer.statistics.mean.value.shape
      var (μ, v) = (tape(layer.statistics.mean), tape(layer.statistics.variance))
      if running {
        z = standardised(y, mean: μ, variance: v, epsilon: plan.epsilon)
      } else {
        (z, μ, v) = normalised(y, epsilon: plan.epsilon)  // section 3.2: N_B
      }
      z = noisy(z, plan.noise)  // section 3.2: z̃ = N_B(z̃_pre) + n
      moments.append((μ, v))
      samples.append(y.value.count / features.count)
      guard let shift = layer.shift else {
        h = z
        continue
      }
      let one = tape.constant(Tensor(repeating: 1, features))
      h =
        index == layers.count - 1
        ? (z + tape(shift)) * tape(scale)
        : featureAffine(z, scale: one, shift: tape(shift), activation: .relu)
    }
    return Pass(z: z, moments: moments, samples: samples, logits: h)
  }
  // snippet.end

  /// A convolution without its normalisation, or a pooling.
  private func apply(_ step: Step, _ layer: Layer, _ x: Variable) -> Variable {
    guard case .convolution(let filters, let kernel, let isFull) = step, let weight = layer.weight
    else { return maximumPool(x).what }
    let none = x.tape.constant(Tensor(repeating: 0, [filters]))
    return convolution(x, x.tape(weight), none, padding: isFull ? kernel - 1 : 0)
  }

  /// The mean over the pixels, `[c, n, h, w]` → `[n, c]`, or the layer of the classes.
  private func top(_ layer: Layer, _ x: Variable) -> Variable {
    if let weight = layer.weight { return matrixProduct(x, x.tape(weight)) }
    let (c, n, area) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
    return flatten(reshape(meanPerExample(reshape(x, [c * n, area])), [c, n, 1, 1]))
  }

  // snippet.cost
  /// ‖z − ẑ_BN‖²/m of the top layer, a mean over the images.
  package func denoisingCost(_ noisy: Pass, clean: Pass) -> Variable {
    guard let combinator, let moments = clean.moments.last else {
      preconditionFailure("a network without a weight has no denoising cost")
    }
    let u = normalised(softmax(noisy.logits), epsilon: plan.epsilon).y  // algorithm 1
    let ẑ = standardised(
      combinator(noisy.z, u), mean: moments.mean, variance: moments.variance,  // g of eq. 2
      epsilon: plan.epsilon)
    return squaredError(clean.z, ẑ) * (1 / Float(plan.classes))  // eq. 3, l = L
  }
  // snippet.end

  /// C = −(1/N) Σ ln P(ỹ = label | x) + λ·C_top: the other λ are 0 (section 3.4).
  ///
  /// Without a weight it is the loss of `Supervised`, and the unlabelled images are not looked at.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let (labelled, labels) = (tape.constant(batch.labelled.images), batch.labelled.labels)
    guard combinator != nil else {
      let y = logits(labelled, .training, using: &noise)
      return Loss(
        [("labels", 1, softmaxCrossEntropy(logits: y, labels: labels))], over: labels.count)
    }
    let others = tape.constant(batch.unlabelled)
    let y = pass(labelled, isNoisy: true, using: &noise).logits
    let noisy = pass(others, isNoisy: true, using: &noise)
    let clean = pass(others, isNoisy: false, using: &noise)
    move(to: clean, share: plan.momentum)
    return Loss(
      [
        ("labels", 1, softmaxCrossEntropy(logits: y, labels: labels)),  // C_c
        ("denoising", plan.weight, denoisingCost(noisy, clean: clean)),  // C_d
      ], over: labels.count)
  }

  /// The logits of images `[1, n, 28, 28]` with pixels in [0, 1]: noisy in training, else clean.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    guard phase != .evaluation else {
      return pass(images, isNoisy: false, running: true, using: &noise).logits
    }
    let own = pass(images, isNoisy: phase.isTraining, using: &noise)
    switch phase {
    case .training:
      move(to: pass(images.detached, isNoisy: false, using: &noise), share: plan.momentum)
    case .estimation(let share): move(to: own, share: share)
    case .trainingAside, .evaluation: break
    }
    return own.logits
  }

  /// Moves the running statistics towards a clean pass's.
  private func move(to clean: Pass, share: Float) {
    for (layer, (moments, samples)) in zip(layers, zip(clean.moments, clean.samples)) {
      layer.statistics.move(to: moments, samples: samples, share: share)
    }
  }
}
