import Digits
import Gradients
import Networks
import Tensors

/// A ladder network: a classifier whose every layer also removes the noise that was put into it.
///
/// Two passes with the same weights, one clean and one with noise, and a decoder that goes down from
/// the noisy top and guesses the clean layers. Source: Rasmus, Valpola, Honkala, Berglund & Raiko 2015
/// (arXiv 1507.02672), algorithm 1. Three things that the algorithm leaves open are taken from the
/// paper's own implementation: all images share each product, but the labelled and the unlabelled are
/// normalised by moments of their own, so that a few labelled images do not shift what the decoder must
/// guess; pixels and layers have noise of two deviations; and the denoising costs are means over the
/// unlabelled images, where the paper has all. Gradients flow through the clean pass too: that its
/// layers are normalised is what keeps them from becoming constant.
public struct LadderNetwork: Classifier, Objective {
  /// By whose moments the guesses are normalised before they are compared with the clean layers.
  public enum GuessMoments: String, Sendable {
    /// The clean pass's, as the targets are.
    case clean
    /// The noisy pass's: a mistake.
    case noisy
  }

  /// How a ladder network is built and weighed.
  public struct Plan: Sendable {
    /// Pixels, the units of each layer, classes.
    public var sizes = [784, 1000, 500, 250, 250, 250, 10]
    /// The deviation of the noise on the pixels.
    public var pixelNoise: Float = 0.3
    /// The deviation of the noise on each normalised layer.
    public var noise: Float = 0.3
    /// λ: the weight of each layer's denoising cost, the pixels' first; as for 100 labels.
    public var denoisingWeights: [Float] = [1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1]
    /// By whose moments the guesses are normalised.
    public var guessMoments = GuessMoments.clean
    /// The weight of the newest batch in the running statistics.
    public var momentum: Float = 0.1
    /// Added to a variance before its root is taken.
    public var epsilon: Float = 1e-5

    /// The plan for 100 labels.
    public init() {}

    /// The Γ-model (section 3.4): a cost at the top alone; in its code .5, 10, 2 at 100, 1,000, all labels.
    public static func gamma(_ weight: Float) -> Plan {
      var plan = Plan()
      plan.denoisingWeights = [Float](repeating: 0, count: plan.sizes.count - 1) + [weight]
      return plan
    }
  }

  /// One layer of the encoder, which both passes use.
  package struct Layer: Module {
    /// W, `[in, out]`; no bias, which normalisation would take out again.
    package let weight: Parameter
    /// β, `[out]`.
    package let shift: Parameter
    /// γ, `[out]`, at the top alone: before a rectifier a scale would say nothing new.
    package let scale: Parameter?
    /// What evaluation normalises by.
    let statistics: LadderStatistics
  }

  /// What a pass over some images leaves behind; index 0 are the pixels.
  package struct Pass {
    /// z, normalised and, in a noisy pass, noisy: `[n, m]` a layer.
    package var z: [Variable]
    /// The layers' moments, each `[m]`; none for the pixels, which stay as they are.
    package var moments: [(mean: Variable, variance: Variable)?] = [nil]
    /// What the top layer says, `[n, classes]`.
    package var logits: Variable
  }

  /// What the decoder says of a layer.
  package struct Guess {
    /// Which one, 0 for the pixels.
    package let layer: Int
    /// What came from above, normalised, and ẑ as it stands beside the clean z: `[n, m]`.
    package let above, z: Variable
  }

  /// What it was made by.
  public let plan: Plan
  /// The encoder, first layer to last.
  package let layers: [Layer]
  /// g of each layer from `lowest` on.
  package let combinators: [GaussianCombinator]
  /// V of each layer from `lowest` on but the top: `[units above, units]`.
  package let decoder: [Parameter]
  /// The lowest layer that has a cost; where there is none the network is a plain one.
  package let lowest: Int

  /// A network with drawn weights, of variance 1/fan-in.
  public init(_ plan: Plan = Plan(), using stream: inout RandomStream) {
    let (sizes, top) = (plan.sizes, plan.sizes.count - 1)
    precondition(
      plan.denoisingWeights.count == sizes.count,
      "\(plan.denoisingWeights.count) weights for \(sizes.count) layers")
    self.plan = plan
    func drawn(_ inputs: Int, _ outputs: Int) -> Parameter {
      let deviation = 1 / Float(inputs).squareRoot()
      return Parameter("weight", stream.normal([inputs, outputs], deviation: deviation))
    }
    layers = (1...top).map { l in
      func filled(_ name: String, _ value: Float) -> Parameter {
        Parameter(name, Tensor(repeating: value, [sizes[l]]))
      }
      return Layer(
        weight: drawn(sizes[l - 1], sizes[l]), shift: filled("shift", 0),
        scale: l == top ? filled("scale", 1) : nil, statistics: LadderStatistics(features: sizes[l])
      )
    }
    let lowest = plan.denoisingWeights.firstIndex { $0 > 0 } ?? top + 1
    self.lowest = lowest
    combinators = sizes[min(lowest, sizes.count)...].map { GaussianCombinator(units: $0) }
    decoder = lowest < top ? (lowest..<top).map { drawn(sizes[$0 + 1], sizes[$0]) } : []
  }

  // snippet.encoder
  /// The encoder's passes over some parts of a batch, `[n, pixels]` each, noisy or clean.
  ///
  /// The parts share each product, and each is normalised by moments of its own (section 3.2).
  /// - Parameter running: whether the running moments stand in for those of the batch.
  package func encode(
    _ parts: [(x: Variable, isNoisy: Bool)], running: Bool = false, using noise: inout RandomStream
  ) -> [Pass] {
    func noisy(_ z: Variable, _ part: Int, _ deviation: Float) -> Variable {
      parts[part].isNoisy && deviation > 0
        ? gaussianNoise(z, deviation: deviation, using: &noise) : z
    }
    var h = parts.indices.map { noisy(parts[$0].x, $0, plan.pixelNoise) }  // x̃ = x + n
    var passes = h.map { Pass(z: [$0], logits: $0) }
    for layer in layers {
      let tape = h[0].tape
      let (β, one) = (
        tape(layer.shift), tape.constant(Tensor(repeating: 1, layer.shift.value.shape))
      )
      let products = apart(matrixProduct(together(h), tape(layer.weight)), h.map { $0.shape[0] })
      for (part, product) in products.enumerated() {
        var (μ, v) = (tape(layer.statistics.mean), tape(layer.statistics.variance))
        let z: Variable
        if running {
          z = standardised(product, mean: μ, variance: v, epsilon: plan.epsilon)
        } else {
          (z, μ, v) = normalised(product, epsilon: plan.epsilon)  // z = N_B(W·h)
        }
        let z̃ = noisy(z, part, plan.noise)  // z̃ = N_B(W·h̃) + n
        passes[part].z.append(z̃)
        passes[part].moments.append((μ, v))
        h[part] =
          layer.scale.map { (z̃ + β) * tape($0) }  // γ at the top alone
          ?? featureAffine(z̃, scale: one, shift: β, activation: .relu)
      }
    }
    for part in passes.indices { passes[part].logits = h[part] }
    return passes
  }
  // snippet.end

  private func together(_ parts: [Variable]) -> Variable {
    parts.count == 1 ? parts[0] : concatenation(parts, along: .rows)
  }

  private func apart(_ x: Variable, _ counts: [Int]) -> [Variable] {
    guard counts.count > 1 else { return [x] }
    var start = 0
    return counts.map { count in
      defer { start += count }
      return rows(x, start..<start + count)
    }
  }

  // snippet.decoder
  /// What the decoder guesses of each layer, from the top down to the lowest that has a cost.
  package func guesses(_ noisy: Pass, clean: Pass) -> [Guess] {
    let top = layers.count
    var ẑ = softmax(noisy.logits)  // algorithm 1: h̃ of the top
    return stride(from: top, through: lowest, by: -1).map { l in
      let above = l == top ? ẑ : matrixProduct(ẑ, ẑ.tape(decoder[l - lowest]))
      let u = normalised(above, epsilon: plan.epsilon).y  // algorithm 1: batchnorm(V·ẑ or h̃)
      ẑ = combinators[l - lowest](noisy.z[l], u)  // eq. 2
      // ẑ_BN of eq. 3: by what the target was normalised by, and no other; pixels have no moments.
      let beside = (plan.guessMoments == .clean ? clean : noisy).moments[l].map {
        standardised(ẑ, mean: $0.mean, variance: $0.variance, epsilon: plan.epsilon)
      }
      return Guess(layer: l, above: u, z: beside ?? ẑ)
    }
  }

  /// C_l = ‖z − ẑ_BN‖²/m (equation 3) of each layer that has a weight, a mean over the images.
  package func denoisingCosts(_ noisy: Pass, clean: Pass) -> [(layer: Int, cost: Variable)] {
    guesses(noisy, clean: clean).filter { plan.denoisingWeights[$0.layer] > 0 }.map {
      ($0.layer, squaredError(clean.z[$0.layer], $0.z) * (1 / Float(plan.sizes[$0.layer])))
    }
  }
  // snippet.end

  // snippet.loss
  /// C = C_c + C_d = −(1/N) Σ ln P(ỹ = label | x) + Σ_l λ_l C_l (algorithm 1), of `[0, 1]` pixels.
  ///
  /// Without weights of denoising it is the loss of `Supervised`, and the unlabelled images are not
  /// looked at.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let (labelled, labels) = (tape.constant(batch.labelled.images), batch.labelled.labels)
    guard lowest < plan.sizes.count else {
      let y = logits(labelled, .training, using: &noise)
      return Loss(
        [("labels", 1, softmaxCrossEntropy(logits: y, labels: labels))], over: labels.count)
    }
    let (x, others) = (flatten(labelled), flatten(tape.constant(batch.unlabelled)))
    let passes = encode([(x, true), (others, true), (others, false)], using: &noise)
    move(to: passes[2], share: plan.momentum)
    let costs = denoisingCosts(passes[1], clean: passes[2])
    return Loss(
      [("labels", 1, softmaxCrossEntropy(logits: passes[0].logits, labels: labels))]  // C_c
        + costs.map { ("denoising \($0.layer)", plan.denoisingWeights[$0.layer], $0.cost) },  // C_d
      over: labels.count)
  }
  // snippet.end

  /// The logits of images `[1, n, 28, 28]` with pixels in [0, 1]: noisy in training, else clean.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    let x = flatten(images)
    guard phase != .evaluation else {
      return encode([(x, false)], running: true, using: &noise)[0].logits
    }
    let pass = encode([(x, phase.isTraining)], using: &noise)[0]
    switch phase {
    case .training: move(to: encode([(x.detached, false)], using: &noise)[0], share: plan.momentum)
    case .estimation(let share): move(to: pass, share: share)
    case .trainingAside, .evaluation: break
    }
    return pass.logits
  }

  /// Moves the running statistics towards a clean pass's.
  private func move(to clean: Pass, share: Float) {
    for case (let layer, let moments?) in zip(layers, clean.moments.dropFirst()) {
      layer.statistics.move(to: moments, samples: clean.logits.shape[0], share: share)
    }
  }
}
