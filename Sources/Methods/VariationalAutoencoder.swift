import Digits
import Gradients
import Networks
import Tensors

/// M1: a variational auto-encoder, whose latent variables serve as features.
///
/// p(z) = N(0, I), p(x|z) = Bernoulli, q(z|x) = N(μ(x), diag σ²(x)), all by networks of softplus units.
/// Its objective is J of Kingma, Mohamed, Rezende & Welling 2014, eqs. 3 and 5, the mean over the images
/// of a batch, in nats. Images may come without labels.
public struct VariationalAutoencoder: Objective {
  /// How it is built; the sizes at first are those of the authors' program for MNIST.
  public struct Plan: Sendable {
    /// Numbers of an input vector.
    public var inputs = ImageSet.pixelsPerImage
    /// Softplus units of each hidden layer of the encoder; the decoder has them in reverse.
    public var hidden = [500, 500]
    /// Latent variables.
    public var latent = 50
    /// Where the weights start; the deviation of 0.001 is the paper's.
    public var initialiser = Initialiser.gaussian(deviation: 0.001)
    /// Whether a pixel is drawn anew for each batch, black with its intensity for a probability.
    public var drawsPixels = true
    /// The factor of the divergence: the paper's 1, or what else a trial gives it.
    public var divergenceWeight = Schedule.constant(1)

    /// The sizes of the authors' program.
    public init() {}
  }

  /// What it was made by.
  public let plan: Plan
  /// q(z|x).
  public let encoder: GaussianNetwork
  /// The hidden layers of p(x|z), and the layer that gives the logits of the pixels.
  public let decoder: SoftplusLayers
  /// The logits of the pixels.
  public let output: Dense

  /// A model with drawn weights.
  public init(_ plan: Plan = Plan(), using stream: inout RandomStream) {
    self.plan = plan
    encoder = GaussianNetwork(
      [plan.inputs] + plan.hidden + [plan.latent], initialiser: plan.initialiser, using: &stream)
    decoder = SoftplusLayers(
      [plan.latent] + plan.hidden.reversed(), initialiser: plan.initialiser, using: &stream)
    output = Dense(
      inputs: plan.hidden.first ?? plan.latent, outputs: plan.inputs,
      initialiser: plan.initialiser, using: &stream)
  }

  /// J, the negative evidence lower bound of images `[1, n, h, w]`, where the divergence's factor is 1.
  public func loss(
    _ images: Tensor, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let pixels = images.flattenedImages()
    let x = tape.constant(plan.drawsPixels ? noise.binarised(pixels) : pixels)
    // snippet.bound
    let q = encoder(x)
    let z = gaussianSample(mean: q.mean, logVariance: q.logVariance, using: &noise)  // eq. 3
    let logits = output(decoder(z))
    return Loss(
      [  // eq. 5: J(x) = −E log p(x|z) + KL(q(z|x) ‖ p(z)), with one draw of z
        ("reconstruction", 1, bernoulliCrossEntropy(logits: logits, targets: x.value)),
        (
          "divergence", plan.divergenceWeight(moment),
          gaussianDivergence(mean: q.mean, logVariance: q.logVariance)
        ),
      ], over: x.shape[0])
    // snippet.end
  }

  /// The posterior of images `[1, n, h, w]`: its mean and its deviation, both `[n, latent]`.
  ///
  /// The features of M1 for a classifier that is trained on them (section 2.1).
  public func posterior(_ images: Tensor) -> (mean: Tensor, deviation: Tensor) {
    let q = encoder(Tape(recording: false).constant(images.flattenedImages()))
    return (q.mean.value, q.logVariance.value.map { VectorMath.exp($0 * 0.5) })
  }

  /// Latent variables of images, drawn from q(z|x): `[1, n, h, w]` → `[n, latent]`.
  ///
  /// To be called for each batch anew, as the authors' program has the features of M1 for M2.
  public func features(_ images: Tensor, using noise: inout RandomStream) -> Tensor {
    let q = encoder(Tape(recording: false).constant(images.flattenedImages()))
    return gaussianSample(mean: q.mean, logVariance: q.logVariance, using: &noise).value
  }

  /// The probabilities of the pixels that latent variables stand for: `[n, latent]` → `[n, inputs]`.
  public func decoded(_ z: Tensor) -> Tensor {
    sigmoid(output(decoder(Tape(recording: false).constant(z)))).value
  }

  /// The latent variables whose posterior mean deviates over some images by more than a number.
  ///
  /// The others have collapsed: their posterior is the prior, and what is drawn from it is noise.
  public func liveUnits(_ images: Tensor, above deviation: Float = 0.1) -> [Int] {
    let variance = posterior(images).mean.moments().variance
    return (0..<plan.latent).filter { variance[$0] > deviation * deviation }
  }
}

/// Fully connected layers with softplus units, from `sizes[0]` numbers to `sizes.last` units.
public struct SoftplusLayers: Module {
  /// The layers, first to last.
  public let layers: [Dense]

  /// Layers with drawn weights.
  public init(_ sizes: [Int], initialiser: Initialiser, using stream: inout RandomStream) {
    layers = zip(sizes, sizes.dropFirst()).map {
      Dense(inputs: $0, outputs: $1, initialiser: initialiser, using: &stream)
    }
  }

  /// The units for rows `[n, in]` → `[n, out]`.
  public func callAsFunction(_ x: Variable) -> Variable { layers.reduce(x) { softplus($1($0)) } }
}

/// A network that gives the mean and the logarithm of the variance of a diagonal Gaussian.
public struct GaussianNetwork: Module {
  /// The hidden layers.
  public let hidden: SoftplusLayers
  /// μ, and ln σ².
  public let mean, logVariance: Dense

  /// A network by its sizes, what comes in first and the Gaussian's dimensions last.
  public init(_ sizes: [Int], initialiser: Initialiser, using stream: inout RandomStream) {
    hidden = SoftplusLayers(Array(sizes.dropLast()), initialiser: initialiser, using: &stream)
    func top() -> Dense {
      Dense(
        inputs: sizes[sizes.count - 2], outputs: sizes[sizes.count - 1],
        initialiser: initialiser, using: &stream)
    }
    (mean, logVariance) = (top(), top())
  }

  /// The Gaussian of each row: `[n, in]` → twice `[n, out]`.
  public func callAsFunction(_ x: Variable) -> (mean: Variable, logVariance: Variable) {
    let h = hidden(x)
    return (mean(h), logVariance(h))
  }
}

/// M1's encoder as M2 reads it: a copy that is kept with the model, and that nothing trains.
public struct FrozenFeatures: Module {
  private let layers: [(weight: Parameter, bias: Parameter)]
  /// The number of features.
  public var count: Int { layers[layers.count - 1].bias.value.count }

  /// The encoder as it stands; of the latent variables those at some places, all if none are named.
  public init(of model: VariationalAutoencoder, units: [Int]? = nil) {
    func kept(_ value: Tensor) -> Tensor {
      guard let units else { return value }
      return Tensor.concatenation(units.map { value.slice($0..<$0 + 1, axis: 0) }, axis: 0)
    }
    func frozen(_ layer: Dense, _ choose: (Tensor) -> Tensor) -> (Parameter, Parameter) {
      (
        Parameter("weight", choose(layer.weight.value), isTrainable: false),
        Parameter("bias", choose(layer.bias.value), isTrainable: false)
      )
    }
    let encoder = model.encoder
    layers =
      encoder.hidden.layers.map { frozen($0) { $0 } }
      + [encoder.mean, encoder.logVariance].map { frozen($0, kept) }
  }

  /// The features' posterior: rows of pixels `[n, inputs]` → twice `[n, count]`.
  package func callAsFunction(_ x: Variable) -> (mean: Variable, logVariance: Variable) {
    func affine(_ x: Variable, _ layer: (weight: Parameter, bias: Parameter)) -> Variable {
      Gradients.affine(x, x.tape(layer.weight), x.tape(layer.bias))
    }
    let h = layers.dropLast(2).reduce(x) { softplus(affine($0, $1)) }
    return (affine(h, layers[layers.count - 2]), affine(h, layers[layers.count - 1]))
  }
}

extension RandomStream {
  /// Black and white drawn from intensities: 1 with the probability that an element is, else 0.
  package mutating func binarised(_ intensities: Tensor) -> Tensor {
    uniform(intensities.shape).zip(intensities) { u, p in
      Vector(repeating: 0).replacing(with: 1, where: u .< p)
    }
  }
}
