import Digits
import Gradients
import Networks
import Tensors

/// A ladder network: a classifier whose every layer also removes the noise that was put into it.
///
/// Two passes with the same weights, one clean and one with noise, and a decoder that goes down from
/// the noisy top and guesses the clean layers. Source: Rasmus, Valpola, Honkala, Berglund & Raiko 2015
/// (arXiv 1507.02672), algorithm 1. Two things that the algorithm leaves open are taken from the
/// paper's own implementation: labelled and unlabelled images share each product, but each part is
/// normalised by its own moments, so that a few labelled images do not shift what the decoder must
/// guess; and the denoising costs are means over the unlabelled images. Gradients flow through the
/// clean pass too: that its layers are normalised is what keeps them from becoming constant.
public struct LadderNetwork: Classifier, Objective {
  /// How a ladder network is built and weighed.
  public struct Plan: Sendable {
    /// Pixels, the units of each layer, classes.
    public var sizes = [784, 1000, 500, 250, 250, 250, 10]
    /// The deviation of the noise on the pixels and on each normalised layer.
    public var noise: Float = 0.3
    /// λ: the weight of each layer's denoising cost, the pixels' first; as for 100 labels.
    public var denoisingWeights: [Float] = [1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1]
    /// The weight of the newest batch in the running statistics.
    public var momentum: Float = 0.1
    /// Added to a variance before its root is taken.
    public var epsilon: Float = 1e-5

    /// The plan for 100 labels.
    public init() {}

    /// The Γ-model: the cost of the top layer alone; .5, 10 and 2 at 100, 1,000 and all labels.
    public static func gamma(_ weight: Float) -> Plan {
      var plan = Plan()
      plan.denoisingWeights = [Float](repeating: 0, count: plan.sizes.count - 1) + [weight]
      return plan
    }
  }

  /// One layer of the encoder, which both passes use.
  struct Layer: Module {
    /// W, `[in, out]`; no bias, which normalisation would take out again.
    let weight: Parameter
    /// β, `[out]`.
    let shift: Parameter
    /// γ, `[out]`, at the top alone: before a rectifier a scale would say nothing new.
    let scale: Parameter?
    /// The clean pass's mean and unbiased variance, `[out]`, as evaluation takes them.
    let runningMean, runningVariance: Parameter
  }

  /// The ten numbers a₁…a₁₀ of each unit of a layer, `[units]` each.
  struct Combinator: Module {
    let a: [Parameter]

    init(units: Int) {
      // Both sigmoids begin with slope 1, everything else at 0: at first the guess is 0.
      a = (1...10).map {
        Parameter("a\($0)", Tensor(repeating: $0 == 2 || $0 == 7 ? 1 : 0, [units]))
      }
    }

    // snippet.combinator
    /// ẑ = (z̃ − μ(u)) ⊙ υ(u) + μ(u): what is left of the noisy z̃, given u from above: `[n, m]`.
    ///
    /// The best guess for Gaussian z and noise, whose mean and weight u may bend (section 3.3).
    func callAsFunction(_ z̃: Variable, _ u: Variable) -> Variable {
      let a = a.map { u.tape($0) }
      func bent(_ a: [Variable]) -> Variable {
        let s = featureAffine(u, scale: a[1], shift: a[2], activation: .sigmoid)
        return featureAffine(s, scale: a[0], shift: a[4]) + u * a[3]
      }
      let μ = bent(Array(a[0..<5]))  // a₁ σ(a₂u + a₃) + a₄u + a₅
      let υ = bent(Array(a[5..<10]))  // a₆ σ(a₇u + a₈) + a₉u + a₁₀
      return (z̃ - μ) * υ + μ
    }
    // snippet.end
  }

  /// What one pass leaves behind; index 0 are the pixels.
  struct Pass {
    /// z, normalised and, in the noisy pass, noisy: `[n, m]` a layer.
    var z: [Variable]
    /// The moments of the last part's layers, each `[m]`; none for the pixels, which stay as they are.
    var moments: [(mean: Variable, variance: Variable)?] = [nil]
    /// What the top layer says, `[n, classes]`.
    var logits: Variable
  }

  /// What it was made by.
  public let plan: Plan
  let layers: [Layer]
  /// g of each layer from `lowest` on.
  let combinators: [Combinator]
  /// V of each layer from `lowest` on but the top: `[units above, units]`.
  let decoder: [Parameter]
  /// The lowest layer that has a cost; where there is none the network is a plain one.
  let lowest: Int

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
      func filled(_ name: String, _ value: Float, isTrainable: Bool = true) -> Parameter {
        Parameter(name, Tensor(repeating: value, [sizes[l]]), isTrainable: isTrainable)
      }
      return Layer(
        weight: drawn(sizes[l - 1], sizes[l]), shift: filled("shift", 0),
        scale: l == top ? filled("scale", 1) : nil,
        runningMean: filled("runningMean", 0, isTrainable: false),
        runningVariance: filled("runningVariance", 1, isTrainable: false))
    }
    let lowest = plan.denoisingWeights.firstIndex { $0 > 0 } ?? top + 1
    self.lowest = lowest
    combinators = sizes[min(lowest, sizes.count)...].map { Combinator(units: $0) }
    decoder = lowest < top ? (lowest..<top).map { drawn(sizes[$0 + 1], sizes[$0]) } : []
  }

  // snippet.encoder
  /// The encoder, clean or noisy; each of `parts` is normalised by moments of its own.
  ///
  /// - Parameter running: whether the running moments stand in for those of the batch.
  func encode(
    _ x: Variable, parts: [Range<Int>], noise deviation: Float, running: Bool = false,
    using noise: inout RandomStream
  ) -> Pass {
    func noisy(_ z: Variable) -> Variable {
      deviation > 0 ? gaussianNoise(z, deviation: deviation, using: &noise) : z
    }
    var h = noisy(x)
    var pass = Pass(z: [h], logits: h)
    for layer in layers {
      let product = matrixProduct(h, x.tape(layer.weight))
      var z: [Variable] = []
      var moments = (mean: x.tape(layer.runningMean), variance: x.tape(layer.runningVariance))
      for part in running ? [0..<x.shape[0]] : parts {
        let own = parts.count == 1 ? product : rows(product, part)
        if running {
          let (μ, v) = moments
          z.append(standardised(own, mean: μ, variance: v, epsilon: plan.epsilon))
        } else {
          let (y, μ, v) = normalised(own, epsilon: plan.epsilon)
          z.append(y)
          moments = (μ, v)
        }
      }
      let z̃ = noisy(z.count == 1 ? z[0] : concatenation(z, along: .rows))
      pass.z.append(z̃)
      pass.moments.append(moments)
      let shifted = z̃ + x.tape(layer.shift)
      h = layer.scale.map { shifted * x.tape($0) } ?? relu(shifted)  // γ at the top alone
    }
    pass.logits = h
    return pass
  }
  // snippet.end

  // snippet.decoder
  /// The denoising cost of each layer that has one: ‖z − ẑ_BN‖²/m, a mean over the images.
  ///
  /// - Parameters:
  ///   - corrupted: the noisy pass, of which `part` are the unlabelled images.
  ///   - clean: the clean pass over the unlabelled images alone.
  func denoisingCosts(
    _ corrupted: Pass, _ part: Range<Int>, clean: Pass
  ) -> [(layer: Int, cost: Variable)] {
    let top = layers.count
    var costs: [(layer: Int, cost: Variable)] = []
    var ẑ = softmax(rows(corrupted.logits, part))  // h̃ of the top
    for l in stride(from: top, through: lowest, by: -1) {
      let above = l == top ? ẑ : matrixProduct(ẑ, ẑ.tape(decoder[l - lowest]))
      let u = normalised(above, epsilon: plan.epsilon).y
      ẑ = combinators[l - lowest](rows(corrupted.z[l], part), u)
      guard plan.denoisingWeights[l] > 0 else { continue }
      // By the clean pass's moments, which the targets were normalised by, and no others.
      let guess =
        clean.moments[l].map {
          standardised(ẑ, mean: $0.mean, variance: $0.variance, epsilon: plan.epsilon)
        } ?? ẑ
      costs.append((l, squaredError(clean.z[l], guess) * (1 / Float(plan.sizes[l]))))
    }
    return costs
  }
  // snippet.end

  /// C = −(1/N) Σ ln P(ỹ = label | x) + Σ_l λ_l C_l (algorithm 1), of `[0, 1]` pixels.
  ///
  /// Without weights of denoising it is the loss of `Supervised`, and the unlabelled images are not
  /// looked at.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let (labelled, labels) = (batch.labelled.images, batch.labelled.labels)
    guard lowest < plan.sizes.count else {
      let y = logits(tape.constant(labelled), .training, using: &noise)
      return Loss(
        [("labels", 1, softmaxCrossEntropy(logits: y, labels: labels))], over: labels.count)
    }
    let (n, unlabelled) = (labels.count, flatten(tape.constant(batch.unlabelled)))
    let all = n + unlabelled.shape[0]
    let x = concatenation([flatten(tape.constant(labelled)), unlabelled], along: .rows)
    let corrupted = encode(x, parts: [0..<n, n..<all], noise: plan.noise, using: &noise)
    let clean = encode(unlabelled, parts: [0..<all - n], noise: 0, using: &noise)
    move(to: clean, samples: all - n, share: plan.momentum)
    let label = softmaxCrossEntropy(logits: rows(corrupted.logits, 0..<n), labels: labels)
    return Loss(
      [("labels", 1, label)]
        + denoisingCosts(corrupted, n..<all, clean: clean).map {
          ("denoising \($0.layer)", plan.denoisingWeights[$0.layer], $0.cost)
        }, over: n)
  }

  /// The logits of images `[1, n, 28, 28]` with pixels in [0, 1]: noisy in training, else clean.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    let (x, parts) = (flatten(images), [0..<images.shape.exampleCount])
    guard phase != .evaluation else {
      return encode(x, parts: parts, noise: 0, running: true, using: &noise).logits
    }
    let deviation = phase.isTraining ? plan.noise : 0
    let pass = encode(x, parts: parts, noise: deviation, using: &noise)
    guard phase != .trainingAside else { return pass.logits }
    let clean = deviation == 0 ? pass : encode(x.detached, parts: parts, noise: 0, using: &noise)
    var share = plan.momentum
    if case .estimation(let own) = phase { share = own }
    move(to: clean, samples: x.shape[0], share: share)
    return pass.logits
  }

  /// Moves the running statistics towards a clean pass's; the variance becomes an unbiased one.
  private func move(to clean: Pass, samples: Int, share: Float) {
    precondition(!clean.logits.tape.readsCopy, "the running statistics of a copy do not move")
    let unbiased = share * Float(samples) / Float(max(1, samples - 1))
    for case (let layer, let moments?) in zip(layers, clean.moments.dropFirst()) {
      layer.runningMean.value = layer.runningMean.value * (1 - share) + moments.mean.value * share
      layer.runningVariance.value =
        layer.runningVariance.value * (1 - share) + moments.variance.value * unbiased
    }
  }
}
