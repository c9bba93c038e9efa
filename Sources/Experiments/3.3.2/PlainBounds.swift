import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors

/// The two bounds on models that are small enough to be known otherwise, in Double.
package enum PlainBounds {
  /// ln p(x), the bound that the method gives, and the divergence of q(z|x) from the true posterior:
  /// nine pixels from the middle of a digit, and one latent variable to integrate over.
  package static func integrate(
    _ set: ImageSet, seed: UInt64
  ) -> (evidence: Double, bound: Double, gap: Double) {
    var plan = VariationalAutoencoder.Plan()
    (plan.inputs, plan.hidden, plan.latent) = (9, [6], 1)
    (plan.drawsPixels, plan.initialiser) = (false, .gaussian(deviation: 0.4))
    var stream = RandomStream(seed: seed, "3.3.2", "check of the bound")
    let model = VariationalAutoencoder(plan, using: &stream)
    let digit = set.images([0])
    let pixels = (12...14).flatMap { row in
      (12...14).map { digit[row * ImageSet.side + $0] > 0.5 ? Float(1) : 0 }
    }
    func copies(_ n: Int) -> Tensor { Tensor([1, n, 3, 3], (0..<n).flatMap { _ in pixels }) }
    let (mean, deviation) = model.posterior(copies(1))
    let (points, step) = (4000, 0.005)
    let z = (0..<points).map { (Double($0) - Double(points) / 2) * step }
    let black = model.decoded(Tensor([points, 1], z.map { Float($0) }))
    // snippet.integral
    /// ln N(z; μ, σ²).
    func logNormal(_ z: Double, _ μ: Double, _ σ: Double) -> Double {
      -(z - μ) * (z - μ) / (2 * σ * σ) - log(σ) - log(2 * .pi) / 2
    }
    /// ln p(x|z) + ln p(z) at each point of a grid.
    let joint = z.indices.map { k in
      pixels.indices.reduce(logNormal(z[k], 0, 1)) { sum, i in
        let p = Double(black[k * pixels.count + i])
        return sum + log(pixels[i] == 1 ? p : 1 - p)
      }
    }
    let evidence = log(joint.reduce(0) { $0 + exp($1) * step })
    /// KL(q(z|x) ‖ p(z|x)), where the posterior is p(x, z)/p(x).
    let gap = z.indices.reduce(0.0) { sum, k in
      let logQ = logNormal(z[k], Double(mean[0]), Double(deviation[0]))
      return sum + exp(logQ) * (logQ - (joint[k] - evidence)) * step
    }
    // snippet.end
    let loss = model.loss(
      copies(40_000), at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &stream)
    return (evidence, -Double(loss.total.value.scalar), gap)
  }

  // snippet.enumeration
  /// U(x) of one vector, number by number and class after class, in Double.
  ///
  /// - Parameters:
  ///   - w: the parameters by their paths.
  ///   - ε: the standard normal numbers of each class.
  static func negativeBound(_ w: [String: [Double]], _ x: [Double], _ ε: [[Double]]) -> Double {
    func softplus(_ t: Double) -> Double { max(t, 0) + log(1 + exp(-abs(t))) }
    func dense(_ name: String, _ x: [Double]) -> [Double] {
      let (weight, bias) = (w["\(name).weight"]!, w["\(name).bias"]!)
      return bias.indices.map { j in
        x.indices.reduce(bias[j]) { $0 + weight[j * x.count + $1] * x[$1] }
      }
    }
    func hidden(_ name: String, _ x: [Double], _ y: Int) -> [Double] {
      let (sums, code) = (dense("\(name).input", x), w["\(name).code"]!)
      return sums.indices.map { softplus(sums[$0] + code[y * sums.count + $0]) }
    }
    let bounds = ε.indices.map { y in
      let h = hidden("encoder", x, y)
      let (μ, s) = (dense("latentMean", h), dense("latentLogVariance", h))
      let z = μ.indices.map { μ[$0] + exp(s[$0] / 2) * ε[y][$0] }
      let g = hidden("decoder", z, y)
      let (m, t) = (dense("output", g), dense("outputLogVariance", g))
      var bound = log(Double(ε.count))
      for i in x.indices {
        let distance: Double = x[i] - m[i]
        bound += 0.5 * (distance * distance * exp(-t[i]) + t[i] + log(2 * Double.pi))
      }
      for i in μ.indices { bound += 0.5 * (μ[i] * μ[i] + exp(s[i]) - 1 - s[i]) }
      return bound
    }
    let logits = dense("classifierOutput", dense("classifier.layers.0", x).map(softplus))
    let whole = logits.reduce(0) { $0 + exp($1) }
    return logits.indices.reduce(0.0) { sum, y in
      let q = exp(logits[y]) / whole
      return sum + q * (bounds[y] + log(q))
    }
  }
  // snippet.end

  /// M2 of three classes on two features.
  private static func tiny(
    _ deviation: Float, using stream: inout RandomStream
  ) -> SemiSupervisedAutoencoder {
    var first = VariationalAutoencoder.Plan()
    (first.inputs, first.hidden, first.latent) = (6, [3], 2)
    let features = FrozenFeatures(of: VariationalAutoencoder(first, using: &stream))
    var plan = SemiSupervisedAutoencoder.Plan(labelled: 1, unlabelled: 1)
    (plan.hidden, plan.latent, plan.classes) = ([5], 2, 3)
    plan.initialiser = .gaussian(deviation: deviation)
    return SemiSupervisedAutoencoder(plan, on: features, using: &stream)
  }

  /// How far the sum over the classes is from the enumeration, and its gradients from the slopes.
  package static func enumerate(
    seed: UInt64
  ) -> (bound: Double, slopes: [(path: String, error: Double)]) {
    var stream = RandomStream(seed: seed, "3.3.2", "check of the sum")
    let model = tiny(0.7, using: &stream)
    let (n, classes) = (4, model.plan.classes)
    let x = stream.normal([n, 2])
    // A copy of the stream draws what the method will.
    var noise = stream
    let ε = stream.normal([n * classes, 2]).values.map(Double.init)
    let parameters = Dictionary(
      uniqueKeysWithValues: model.namedParameters.map {
        ($0.path, $0.parameter.value.values.map(Double.init))
      })
    func plainly(_ w: [String: [Double]]) -> Double {
      (0..<n).reduce(0.0) { sum, row in
        let own = (0..<classes).map { y in (0..<2).map { ε[(row * classes + y) * 2 + $0] } }
        return sum + negativeBound(w, (0..<2).map { Double(x[row * 2 + $0]) }, own)
      }
    }
    let tape = Tape()
    let total = sum(model.negativeBound(tape.constant(x), using: &noise))
    let wanted = plainly(parameters)
    let gradients = tape.backward(from: total)
    let slopes = ["classifierOutput.weight", "encoder.code"].map { path in
      let parameter = parameter(path, of: model)
      let direction = stream.normal(parameter.value.shape)
      let slope = Routes.centralDifference(at: 0, step: 1e-4) { t in
        var moved = parameters
        for i in 0..<direction.count { moved[path]![i] += t * Double(direction[i]) }
        return plainly(moved)
      }
      return (path, (gradients[parameter].dot(direction) - slope) / slope)
    }
    return ((Double(total.value.scalar) - wanted) / wanted, slopes)
  }

  /// How far the gradient by drawn classes is from that of the sum, in the mean over many batches of
  /// five copies of a row: small ones, in which a baseline that knew the row's own class would show.
  package static func sample(seed: UInt64) -> Double {
    var stream = RandomStream(seed: seed, "3.3.2", "check of the draws")
    // With larger weights some variances are next to nothing, and the mean is that of a few draws.
    let model = tiny(0.4, using: &stream)
    // Posteriors too narrow to draw from, so that nothing is drawn but the classes.
    for (path, value) in [("latentLogVariance.weight", Float(0)), ("latentLogVariance.bias", -20)] {
      let parameter = parameter(path, of: model)
      parameter.value = Tensor(repeating: value, parameter.value.shape)
    }
    let row = stream.normal([1, 2])
    let copies = Tensor.concatenation([Tensor](repeating: row, count: 5), axis: 0)
    let weight = parameter("classifierOutput.weight", of: model)
    func gradient(
      batches: Int, _ bound: (Variable, inout RandomStream) -> Variable
    ) -> Tensor {
      let parts = (0..<batches).map { _ in
        let tape = Tape()
        return tape.backward(from: bound(tape.constant(copies), &stream))[weight]
      }
      return parts.dropFirst().reduce(parts[0], +) * (1 / Float(batches))
    }
    let summed = gradient(batches: 1) { mean(model.negativeBound($0, using: &$1)) }
    let drawn = gradient(batches: 4000) { SampledClasses.negativeBound(of: model, $0, using: &$1) }
    let squares = (drawn - summed).sumOfSquares() / summed.sumOfSquares()
    return Double(squares).squareRoot()
  }

  private static func parameter(_ path: String, of model: some Module) -> Parameter {
    model.namedParameters.first { $0.path == path }!.parameter
  }
}
