import Digits
import Foundation
import Gradients
import Networks
import Tensors

/// M2: a generative model of vectors x by a class y and latent variables z; y may be unknown.
///
/// p(y) is uniform, p(z) = N(0, I), p(x|y, z) = Bernoulli on pixels or Gaussian on M1's features
/// (M1+M2), q(z|x, y) = N(μ(x, y), diag σ²(x, y)); the classifier q(y|x) is what evaluation reads.
/// The objective is that of Kingma, Mohamed, Rezende & Welling 2014, eqs. 6–9, divided by the number
/// of all images, in nats. In M1+M2 features are drawn anew from M1's q(z|x) for each batch; evaluation
/// reads their means.
public struct SemiSupervisedAutoencoder: Classifier, Objective {
  /// How it is built; the values at first are the paper's for MNIST.
  public struct Plan: Sendable {
    /// Images of the training set with labels and without: their shares weight the two bounds.
    public var labelled, unlabelled: Int
    /// Numbers of an input vector, without features of M1.
    public var inputs = ImageSet.pixelsPerImage
    /// Softplus units of each hidden layer of q(y|x) and q(z|x, y); p(x|y, z) has them in reverse.
    public var hidden = [500]
    /// Latent variables.
    public var latent = 50
    /// Classes.
    public var classes = ImageSet.classCount
    /// The weight of the classifier's term: α/N of equation 9, N the number of all images.
    public var classifierWeight: Float = 0.1
    /// 1/σ² of a normal prior over all weights: 1 in the paper, 0 for none.
    public var precision: Float = 1
    /// Where the weights start.
    public var initialiser = Initialiser.gaussian(deviation: 0.001)
    /// Whether a pixel is drawn anew for each batch, with and without labels alike.
    public var drawsPixels = true

    /// The paper's plan for some numbers of images.
    public init(labelled: Int, unlabelled: Int) {
      precondition(labelled > 0 && unlabelled > 0, "\(labelled) and \(unlabelled) images")
      (self.labelled, self.unlabelled) = (labelled, unlabelled)
    }
  }

  /// What it was made by.
  public let plan: Plan
  /// M1's encoder, which stays as it is; nil for a model of pixels.
  public let features: FrozenFeatures?
  private let classifier: SoftplusLayers
  private let classifierOutput: Dense
  private let encoder: ConditionalLayers
  private let latentMean, latentLogVariance: Dense
  private let decoder: ConditionalLayers
  private let output: Dense
  private let outputLogVariance: Dense?

  /// A model with drawn weights: of pixels, or of the features of M1.
  public init(
    _ plan: Plan, on features: FrozenFeatures? = nil, using stream: inout RandomStream
  ) {
    (self.plan, self.features) = (plan, features)
    let inputs = features?.count ?? plan.inputs
    let (start, top) = (plan.initialiser, plan.hidden[plan.hidden.count - 1])
    func layer(_ inputs: Int, _ outputs: Int) -> Dense {
      Dense(inputs: inputs, outputs: outputs, initialiser: start, using: &stream)
    }
    classifier = SoftplusLayers([inputs] + plan.hidden, initialiser: start, using: &stream)
    classifierOutput = layer(top, plan.classes)
    encoder = ConditionalLayers(
      [inputs] + plan.hidden, classes: plan.classes, initialiser: start, using: &stream)
    (latentMean, latentLogVariance) = (layer(top, plan.latent), layer(top, plan.latent))
    decoder = ConditionalLayers(
      [plan.latent] + plan.hidden.reversed(), classes: plan.classes, initialiser: start,
      using: &stream)
    output = layer(plan.hidden[0], inputs)
    outputLogVariance = features == nil ? nil : layer(plan.hidden[0], inputs)
  }

  /// Jᵅ/N of a batch, in nats: images `[1, n, h, w]` with labels and `[1, m, h, w]` without.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let labelled = vectors(tape.constant(batch.labelled.images), .training, using: &noise)
    let others = vectors(tape.constant(batch.unlabelled), .training, using: &noise)
    return loss(labelled, labels: batch.labelled.labels, others, using: &noise)
  }

  /// Jᵅ/N of vectors `[n, inputs]` with labels and `[m, inputs]` without, in nats.
  ///
  /// For features that were drawn already: M1's posterior of an image never changes, so that it need
  /// not be computed for each batch anew.
  /// - Parameter unlabelled: the mean of U over rows, in the place of the sum over the classes.
  package func loss(
    _ labelled: Variable, labels: [Int], _ others: Variable,
    unlabelled: ((Variable, inout RandomStream) -> Variable)? = nil,
    using noise: inout RandomStream
  ) -> Loss {
    let unlabelled = unlabelled ?? { mean(negativeBound($0, using: &$1)) }
    // snippet.objective
    let total = Float(plan.labelled + plan.unlabelled)
    let known = mean(negativeBound(labelled, .known(labels), using: &noise))  // L(x, y)
    let unknown = unlabelled(others, &noise)  // U(x)
    let error = softmaxCrossEntropy(logits: logits(ofVectors: labelled), labels: labels)
    return Loss(
      [  // eq. 8, each sum over a set as its size times a mean over the batch; eq. 9
        ("labelled bound", Float(plan.labelled) / total, known),
        ("unlabelled bound", Float(plan.unlabelled) / total, unknown),
        ("classifier", plan.classifierWeight, error),
        ("prior", plan.precision / total, penalty(on: labelled.tape)),
      ], over: labels.count + others.shape[0])
    // snippet.end
  }

  // snippet.unlabelled
  /// U(x) for rows x `[n, inputs]` → `[n]`, the sum over every y.
  package func negativeBound(_ x: Variable, using noise: inout RandomStream) -> Variable {
    let n = x.shape[0]
    let each = reshape(negativeBound(x, .each, using: &noise), [n, plan.classes])
    let logits = logits(ofVectors: x)
    // ln q counts as a constant: what its own change adds is Σ q·∂ln q = ∂Σ q = 0.
    let logarithms = x.tape.constant(logSoftmax(logits.value))
    return sumPerExample(softmax(logits) * (each + logarithms))  // eq. 7: U = Σ q·(L + ln q)
  }
  // snippet.end

  // snippet.labelled
  /// L(x, y) for rows x `[n, inputs]`: `[n]` for known classes, `[n·classes]` for each in turn.
  package func negativeBound(
    _ x: Variable, _ y: Classes, using noise: inout RandomStream
  ) -> Variable {
    let h = encoder(x, y, of: x.shape[0])
    let (mean, logVariance) = (latentMean(h), latentLogVariance(h))
    let z = gaussianSample(mean: mean, logVariance: logVariance, using: &noise)
    let target = y.isEach ? x.value.repeatedRows(plan.classes) : x.value
    return surprise(target, decoder(z, y, of: x.shape[0]))  // eq. 6: −E log p(x|y, z)
      + gaussianDivergence(mean: mean, logVariance: logVariance, reducing: .none)
      + log(Float(plan.classes))  // −log p(y)
  }
  // snippet.end

  /// −log p(x|y, z) of each row by the decoder's top hidden layer.
  private func surprise(_ x: Tensor, _ hidden: Variable) -> Variable {
    guard let outputLogVariance else {
      return bernoulliCrossEntropy(logits: output(hidden), targets: x, reducing: .none)
    }
    let logVariance = outputLogVariance(hidden)
    let error = hidden.tape.constant(x) - output(hidden)
    // −ln N(x; μ, σ²) = ½ Σ (x − μ)²/σ² + ln σ² + ln 2π
    return 0.5 * sumPerExample(error * error * exp(-logVariance) + logVariance + log(2 * .pi))
  }

  /// ½‖w‖² of all that the bounds were computed with: the negative logarithm of a normal prior over it.
  private func penalty(on tape: Tape) -> Variable {
    let squares = tape.usedParameters.filter(\.isTrainable).map { parameter in
      // ½w² is the divergence of N(w, 1) from N(0, 1), in half the passes over memory of w·w.
      let w = tape(parameter)
      let zeros = tape.constant(Tensor(repeating: 0, w.shape))
      return gaussianDivergence(mean: w, logVariance: zeros, reducing: .sum)
    }
    return squares.dropFirst().reduce(squares[0]) { $0 + $1 }
  }

  /// The vectors that the model is of: images `[1, n, h, w]` → `[n, inputs]`.
  private func vectors(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    let pixels = flatten(images)
    guard let features else {
      return phase.isTraining && plan.drawsPixels
        ? images.tape.constant(noise.binarised(pixels.value)) : pixels
    }
    let (mean, logVariance) = features(pixels)
    return phase.isTraining
      ? gaussianSample(mean: mean, logVariance: logVariance, using: &noise) : mean
  }

  /// The logits of q(y|x): images `[1, n, h, w]` → `[n, classes]`.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    logits(ofVectors: vectors(images, phase, using: &noise))
  }

  /// The logits of q(y|x) for rows x `[n, inputs]` → `[n, classes]`.
  package func logits(ofVectors x: Variable) -> Variable { classifierOutput(classifier(x)) }

  /// The mean of q(z|x, y), the style of an image: rows `[n, inputs]` and n classes → `[n, latent]`.
  public func style(_ x: Tensor, labels: [Int]) -> Tensor {
    let x = Tape(recording: false).constant(x)
    return latentMean(encoder(x, .known(labels), of: labels.count)).value
  }

  /// The mean of p(x|y, z): z `[n, latent]` and n classes → pixels or features `[n, inputs]`.
  public func decoded(_ z: Tensor, labels: [Int]) -> Tensor {
    let hidden = decoder(Tape(recording: false).constant(z), .known(labels), of: labels.count)
    return (features == nil ? sigmoid(output(hidden)) : output(hidden)).value
  }
}

/// ln softmax of each row of logits `[n, k]`, finite where the softmax itself is 0.
private func logSoftmax(_ logits: Tensor) -> Tensor {
  let (n, k) = (logits.shape[0], logits.shape[1])
  return Tensor(uninitialized: [n, k]) { result in
    for row in 0..<n {
      let places = row * k..<(row + 1) * k
      let largest = places.reduce(-Float.infinity) { max($0, logits.pointer[$1]) }
      let total = places.reduce(Float(0)) { $0 + exp(logits.pointer[$1] - largest) }
      for i in places { result[i] = logits.pointer[i] - largest - log(total) }
    }
  }
}

extension Tensor {
  /// Each row `times` over, one after another: `[n, c]` → `[n·times, c]`.
  func repeatedRows(_ times: Int) -> Tensor {
    Tensor.concatenation([Tensor](repeating: self, count: times), axis: 1)
      .reshaped([shape[0] * times, shape[1]])
  }
}
