import Tensors

/// A linear classifier by support vectors: one against the rest, with the squared hinge loss.
///
/// For each class, with y = +1 for its images and −1 for all others, w is where
/// ½‖w‖² + C·Σ max(0, 1 − y·w·x)² is least. A feature that is always 1 serves as the bias, and its
/// weight counts in ‖w‖ as in LIBLINEAR.
///
/// The function is convex and piecewise quadratic, so that Newton's method with an exact search
/// along the step ends after finitely many steps (Keerthi & DeCoste 2005, "A modified finite Newton
/// method for fast solution of large scale linear SVMs"); the step is found by conjugate gradients,
/// which need the Hessian only as a product (Lin, Weng & Keerthi 2008). All classes go side by side,
/// so that each product is one of matrices.
public struct LinearSVM: Sendable {
  /// The weights, `[classes, features]`.
  public private(set) var weights: Tensor
  /// The products of the features with vectors that were needed, forth and back counted as one.
  public private(set) var products = 0
  /// The largest ratio, over the classes, of the gradient's length at the end to that at w = 0.
  public private(set) var remainder = Double.infinity

  /// Trains on rows of features.
  ///
  /// - Parameters:
  ///   - rows: the features, `[n, d]`, a column of ones among them.
  ///   - labels: the class of each row, from 0.
  ///   - cost: C.
  ///   - start: weights to start from, such as those for a smaller C; 0 without.
  ///   - tolerance: training ends when the gradient is this part of what it is at w = 0; single
  ///     precision does not reach much below 1e-5.
  /// - Throws: `CancellationError` between two steps.
  public init(
    _ rows: Tensor, labels: [Int], classes: Int = 10, cost: Double, from start: Tensor? = nil,
    tolerance: Double = 1e-3
  ) throws {
    let (n, d) = (rows.shape[0], rows.shape[1])
    precondition(labels.count == n && labels.allSatisfy { $0 >= 0 && $0 < classes })
    weights = start ?? Tensor(repeating: 0, [classes, d])
    precondition(weights.shape == [classes, d], "\(weights.shape) is not [\(classes), \(d)]")
    let c = Float(cost)
    let signs = Tensor(uninitialized: [n, classes]) { y in
      for row in 0..<n {
        for k in 0..<classes { y[row * classes + k] = labels[row] == k ? 1 : -1 }
      }
    }
    let atZero = norms(signs.product(rows, transposing: .first).map { $0 * (2 * c) })
    for _ in 0..<30 {
      try Task.checkCancellation()
      let outputs = rows.product(weights, transposing: .second)
      // The margin that lacks, max(0, 1 − y·f), and which rows lack any.
      let lacking = signs.zip(outputs) { y, f in VectorMath.maximum(1 - y * f, 0) }
      let active = lacking.map { Vector(repeating: 0).replacing(with: 1, where: $0 .> 0) }
      let push = signs.zip(lacking) { y, l in y * l * (2 * c) }
      let gradient = weights - push.product(rows, transposing: .first)
      products += 1
      let ratios = Swift.zip(norms(gradient), atZero).map { $0 / max($1, .leastNormalMagnitude) }
      remainder = ratios.max() ?? 0
      if remainder <= tolerance { break }
      let isOpen = ratios.map { $0 > tolerance }
      let step = direction(rows, gradient, active, c, isOpen)
      search(along: step, rows, outputs, signs, c)
    }
  }

  /// Solves H·s = −g for each open class by conjugate gradients, to a tenth of the gradient.
  ///
  /// H·v = v + 2C·Xᵀ(active ⊙ X·v).
  private mutating func direction(
    _ rows: Tensor, _ gradient: Tensor, _ active: Tensor, _ c: Float, _ isOpen: [Bool]
  ) -> Tensor {
    var solution = Tensor(repeating: 0, gradient.shape)
    var residual = gradient.map { -$0 }
    var search = residual
    var squares = norms(residual).map { $0 * $0 }
    let goals = squares.map { $0 * 0.01 }
    for _ in 0..<200 {
      let going = squares.indices.map { isOpen[$0] && squares[$0] > goals[$0] }
      guard going.contains(true) else { break }
      let inner = rows.product(search, transposing: .second) * active
      let product = search + inner.product(rows, transposing: .first).map { $0 * (2 * c) }
      products += 1
      let curvatures = dots(search, product)
      let steps = going.indices.map { going[$0] ? squares[$0] / curvatures[$0] : 0 }
      solution += scaled(search, steps)
      residual += scaled(product, steps.map { -$0 })
      let newer = norms(residual).map { $0 * $0 }
      let ratios = going.indices.map { going[$0] ? newer[$0] / squares[$0] : 0 }
      search = residual + scaled(search, ratios)
      squares = going.indices.map { going[$0] ? newer[$0] : squares[$0] }
    }
    return solution
  }

  /// Goes along the step of each class to where the loss is least.
  ///
  /// Its derivative φ(t) = w·s + t‖s‖² − 2C·Σ y·X·s·max(0, 1 − y(f + t·X·s)) is increasing and
  /// piecewise linear; Newton's method from t = 1, kept within a bracket, finds the zero.
  private mutating func search(
    along step: Tensor, _ rows: Tensor, _ outputs: Tensor, _ signs: Tensor, _ c: Float
  ) {
    let classes = weights.shape[0]
    let changes = rows.product(step, transposing: .second)
    products += 1
    let (slope, square) = (dots(weights, step), dots(step, step))
    var lengths = [Double](repeating: 0, count: classes)
    for k in 0..<classes where square[k] > 0 {
      var (t, low, high) = (1.0, 0.0, Double.infinity)
      for _ in 0..<50 {
        var (value, curvature) = (slope[k] + t * square[k], square[k])
        for place in stride(from: k, to: signs.count, by: classes) {
          let (y, change) = (Double(signs[place]), Double(changes[place]))
          let lacks = 1 - y * (Double(outputs[place]) + t * change)
          guard lacks > 0 else { continue }
          value -= 2 * Double(c) * y * change * lacks
          curvature += 2 * Double(c) * change * change
        }
        if value > 0 { high = min(high, t) } else { low = max(low, t) }
        let next = t - value / curvature
        let inside = next > low && next < high ? next : high.isFinite ? (low + high) / 2 : 2 * t
        if abs(next - t) <= 1e-6 * t { break }
        t = inside
      }
      lengths[k] = t
    }
    weights += scaled(step, lengths)
  }
}

/// The length of each row.
private func norms(_ rows: Tensor) -> [Double] { dots(rows, rows).map { $0.squareRoot() } }

/// The product of each row with the same row of another matrix.
private func dots(_ a: Tensor, _ b: Tensor) -> [Double] {
  let (n, d) = (a.shape[0], a.shape[1])
  var result = [Double](repeating: 0, count: n)
  for row in 0..<n {
    var sum = Double.zero
    let (x, y) = (a.pointer + row &* d, b.pointer + row &* d)
    for i in 0..<d { sum += Double(x[i]) * Double(y[i]) }
    result[row] = sum
  }
  return withExtendedLifetime((a, b)) { result }
}

/// Each row multiplied by a number of its own.
private func scaled(_ rows: Tensor, _ factors: [Double]) -> Tensor {
  rows.scaledRows(Tensor([factors.count], factors.map(Float.init)), length: rows.shape[1])
}

/// Features with mean 0 and variance 1, as the support vector machine likes them.
///
/// Each feature x becomes (x − mean)/√(variance + constant) with the moments of the training rows,
/// and a last feature that is always 1 is added.
public struct FeatureScaling: Sendable {
  /// The means of the training rows, `[d]`.
  public let mean: Tensor
  /// The factors 1/√(variance + constant), `[d]`.
  public let factor: Tensor

  /// The scaling that rows `[n, d]` want; the constant keeps a feature that hardly varies small.
  public init(_ rows: Tensor, constant: Float = 0.01) {
    let (n, d) = (rows.shape[0], rows.shape[1])
    mean = rows.sumOfRows().map { $0 * (1 / Float(n)) }
    var centred = rows
    centred.addToRows(mean.map { -$0 }, activation: .identity)
    let variance = centred.map { $0 * $0 }.sumOfRows()
    factor = variance.map { 1 / ($0 * (1 / Float(n)) + constant).squareRoot() }
    precondition(mean.shape == [d])
  }

  /// Rows `[n, d]` scaled, with a last column of ones: `[n, d + 1]`.
  public func callAsFunction(_ rows: Tensor) -> Tensor {
    let (n, d) = (rows.shape[0], rows.shape[1])
    return Tensor(uninitialized: [n, d + 1]) { y in
      for row in 0..<n {
        let (x, target) = (rows.pointer + row &* d, y.baseAddress! + row &* (d &+ 1))
        for i in 0..<d { target[i] = (x[i] - mean.pointer[i]) * factor.pointer[i] }
        target[d] = 1
      }
    }
  }

  /// Weights for scaled rows, `[k, d + 1]`, as weights `[k, d]` and biases `[k]` for plain rows.
  public func unscaled(_ weights: Tensor) -> (weights: Tensor, biases: Tensor) {
    let (k, d) = (weights.shape[0], mean.count)
    precondition(weights.shape == [k, d + 1], "\(weights.shape) for \(d) features")
    var biases = [Float](repeating: 0, count: k)
    let plain = Tensor(uninitialized: [k, d]) { y in
      for row in 0..<k {
        var bias = Double(weights[row * (d + 1) + d])
        for i in 0..<d {
          let value = weights[row * (d + 1) + i] * factor[i]
          y[row * d + i] = value
          bias -= Double(value) * Double(mean[i])
        }
        biases[row] = Float(bias)
      }
    }
    return (plain, Tensor([k], biases))
  }
}
