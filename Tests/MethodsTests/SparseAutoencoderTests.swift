import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors
import Testing

@Suite struct SparseAutoencoderTests {
  /// Four inputs and three hidden units with weights by a formula that any language has.
  static func small(sparsityWeight: Float = 3) -> SparseAutoencoder {
    var plan = SparseAutoencoder.Plan()
    (plan.inputs, plan.hidden, plan.sparsityWeight) = (4, 3, sparsityWeight)
    var stream = RandomStream(seed: 1, "sparse")
    let method = SparseAutoencoder(plan, using: &stream)
    for (k, parameter) in method.parameters.enumerated() {
      let shape = parameter.value.shape
      parameter.value = Tensor(
        shape, (0..<shape.count).map { Float(sin(Double($0 + 10 * k + 1))) * 0.5 })
    }
    return method
  }

  static let batch = Tensor([5, 4], (0..<20).map { Float(0.5 + 0.4 * cos(Double($0))) })

  static func loss(_ method: SparseAutoencoder) -> Loss {
    var noise = RandomStream(seed: 1, "none")
    return method.loss(batch, at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
  }

  /// The loss written out number by number, in Double.
  static func plainly(_ method: SparseAutoencoder) -> [Double] {
    func σ(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    func layer(_ dense: Dense, _ x: [Double]) -> [Double] {
      let (w, b) = (dense.weight.value, dense.bias.value)
      return (0..<b.count).map { j in
        σ(x.indices.reduce(Double(b[j])) { $0 + Double(w[j * x.count + $1]) * x[$1] })
      }
    }
    let rows = (0..<5).map { row in (0..<4).map { Double(batch[4 * row + $0]) } }
    let hidden = rows.map { layer(method.encoder, $0) }
    let squares = zip(rows, hidden.map { layer(method.decoder, $0) }).map { x, y in
      zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    let weights = [method.encoder, method.decoder].flatMap { $0.weight.value.values }
    let ρ = Double(method.plan.sparsity)
    let divergence = (0..<3).reduce(0.0) { sum, j in
      let r = hidden.reduce(0) { $0 + $1[j] } / 5
      return sum + ρ * log(ρ / r) + (1 - ρ) * log((1 - ρ) / (1 - r))
    }
    return [
      squares.reduce(0, +) / 5, weights.reduce(0) { $0 + Double($1) * Double($1) }, divergence,
    ]
  }

  @Test func eachPartIsWhatTheNotesSay() {
    let method = Self.small()
    let (loss, wanted) = (Self.loss(method), Self.plainly(method))
    #expect(loss.parts.map(\.name) == ["reconstruction", "decay", "sparsity"])
    for (part, wanted) in zip(loss.parts, wanted) {
      #expect(abs(Double(part.value) - wanted) < 2e-6 * wanted, "\(part.name)")
    }
    let total = 0.5 * wanted[0] + 0.5 * 3e-3 * wanted[1] + 3 * wanted[2]
    #expect(abs(Double(loss.total.value.scalar) - total) < 2e-6 * total)
  }

  /// Values by Benchmarks/golden_autoencoders.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    var plan = SparseAutoencoder.Plan()
    (plan.inputs, plan.hidden) = (4, 3)
    var stream = RandomStream(seed: 1, "sparse")
    let method = SparseAutoencoder(plan, using: &stream)
    TinyInstance.fill(method)
    let own = TinyInstance.lossAndGradientNorm(method, of: TinyInstance.batch.unlabelled)
    #expect(TinyInstance.agree(own.loss, 5.3506253901), "\(own.loss)")
    #expect(TinyInstance.agree(own.norm, 3.9620901139), "\(own.norm)")
  }

  /// KL(.1 ‖ .2) + KL(.1 ‖ .1) = .0366…, by hand: .1·ln ½ + .9·ln(.9/.8).
  @Test func theDivergenceByHand() {
    var plan = SparseAutoencoder.Plan()
    (plan.inputs, plan.hidden) = (1, 2)
    var stream = RandomStream(seed: 1, "sparse")
    let method = SparseAutoencoder(plan, using: &stream)
    method.encoder.weight.value = Tensor([2, 1], [0, 0])
    // Units that are .2 and .1 whatever comes in.
    method.encoder.bias.value = Tensor([2], [Float(log(0.25)), Float(log(1.0 / 9))])
    var noise = RandomStream(seed: 1, "none")
    let loss = method.loss(
      Tensor([3, 1], [0, 0.5, 1]), at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
    let wanted = 0.1 * log(0.5) + 0.9 * log(0.9 / 0.8)
    #expect(abs(Double(loss.parts[2].value) - wanted) < 1e-6)
  }

  @Test func theGradientIsThatOfTheWholeLoss() {
    let check = WholeLoss(method: Self.small(), batch: Self.batch)
    for (path, error) in check.relativeErrors() {
      #expect(error < WholeLoss<SparseAutoencoder>.tolerance, "\(path)")
    }
    for (path, error) in check.relativeErrors(factor: 1.03) {
      #expect(error > WholeLoss<SparseAutoencoder>.tolerance, "\(path)")
    }
  }

  /// L-BFGS minimises it, and units become sparse where they are asked to.
  @Test func unitsBecomeSparse() {
    func activity(_ weight: Float) -> Float {
      let method = Self.small(sparsityWeight: weight)
      let before = Self.loss(method).total.value.scalar
      let result = method.minimise(Self.batch, steps: 100)
      #expect(Double(Self.loss(method).total.value.scalar) <= result.values.last! * (1 + 1e-6))
      #expect(Float(result.values.last!) < before)
      return method.features(Self.batch).sum() / 15
    }
    let (asked, free) = (activity(3), activity(0))
    #expect(abs(asked - 0.1) < 0.02, "\(asked)")
    #expect(abs(free - 0.1) > 0.1, "\(free)")
  }

  /// The stroke of a unit is the image of its length that drives it most.
  @Test func strokesHaveLengthOne() {
    let method = Self.small()
    let strokes = method.strokes
    let weight = method.encoder.weight.value
    for j in 0..<3 {
      let row = (0..<4).map { strokes[4 * j + $0] }
      #expect(abs(row.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
      let drive = (0..<4).reduce(Float(0)) { $0 + weight[4 * j + $1] * row[$1] }
      let length = (0..<4).reduce(Float(0)) { $0 + weight[4 * j + $1] * weight[4 * j + $1] }
      #expect(abs(drive - length.squareRoot()) < 1e-5)
    }
  }
}
