import ComplexModule
import Tensors

/// The points at which the formulas of a task are evaluated: the same in each run.
struct PointSource {
  /// A definition of a task, read.
  private enum Definition {
    case scalar(String, Expression)
    case vector(String, index: String, Expression)
  }

  private let derivation: Derivation
  private let definitions: [Definition]

  init(_ derivation: Derivation) {
    self.derivation = derivation
    var vocabulary = derivation.vocabulary
    let indices = vocabulary.indices
    definitions = derivation.symbols.compactMap { symbol in
      switch symbol.kind {
      case .definition(let text):
        return .scalar(symbol.name, Self.read(text, vocabulary))
      case .vectorDefinition(let text, let index):
        vocabulary.indices = indices.union([index])
        defer { vocabulary.indices = indices }
        return .vector(symbol.name, index: "$" + index, Self.read(text, vocabulary))
      default: return nil
      }
    }
  }

  /// A definition, with indices renamed that no reader can type: none can be taken for another.
  private static func read(_ text: String, _ vocabulary: Vocabulary) -> Expression {
    do {
      let expression = try Parser.read(text, vocabulary)
      return expression.renaming(["k": "$k", "l": "$l"])
    } catch {
      preconditionFailure("\(text): \(error.complaint)")
    }
  }

  /// What rewriting may use.
  var knowledge: NormalForm.Knowledge {
    var knowledge = NormalForm.Knowledge()
    for definition in definitions {
      switch definition {
      case .scalar(let name, let value): knowledge.scalars[name] = value
      case .vector(let name, let index, let value): knowledge.vectors[name] = (index, value)
      }
    }
    knowledge.positive = Set(derivation.symbols.filter(\.isPositive).map(\.name))
    let indices = derivation.indices
    if indices.count == 2, derivation.indexRelation != .any {
      knowledge.relation = (indices[0], indices[1], derivation.indexRelation == .same)
    }
    return knowledge
  }

  // MARK: Points

  /// Points with values for what is not defined by the rest.
  func draw(_ count: Int) -> [Point<Double>] {
    var stream = RandomStream(seed: 2016, "derivations", derivation.chapter, derivation.name)
    return (0..<count).map { draw($0, using: &stream) }
  }

  private func draw(_ number: Int, using stream: inout RandomStream) -> Point<Double> {
    func unit() -> Double { Double(stream.next() >> 11) * 0x1p-53 }
    func drawn(_ range: ClosedRange<Double>) -> Double {
      while true {
        let value = range.lowerBound + (range.upperBound - range.lowerBound) * unit()
        if abs(value) >= 0.1 { return value }
      }
    }
    var point = Point<Double>()
    point.count = 3 + number % 3
    for symbol in derivation.symbols {
      switch symbol.kind {
      case .number(let range): point.scalars[symbol.name] = drawn(range)
      case .whole(let range):
        point.scalars[symbol.name] = Double(Int.random(in: range, using: &stream))
      case .vector(let range):
        point.vectors[symbol.name] = (0..<point.count).map { _ in drawn(range) }
      case .index:
        point.indices[symbol.name] = index(symbol.name, number, of: point)
      case .gradient: point.gradient = Landscape.slope
      case .definition, .vectorDefinition: break
      }
    }
    return point
  }

  /// The value of an index: the first goes round, the second is the same or one of the next.
  private func index(_ name: String, _ number: Int, of point: Point<Double>) -> Int {
    let indices = derivation.indices
    guard name != indices[0] else { return number % point.count }
    let isSame =
      switch derivation.indexRelation {
      case .same: true
      case .different: false
      case .any: number % 2 == 0
      }
    let distance = isSame ? 0 : 1 + number / 2 % (point.count - 1)
    return (point.indices[indices[0]]! + distance) % point.count
  }

  /// A point with what its definitions give.
  func completed<Number: Quantity>(_ point: Point<Number>) -> Point<Number> {
    var point = point
    for definition in definitions {
      switch definition {
      case .scalar(let name, let value): point.scalars[name] = value.value(at: point)
      case .vector(let name, let index, let value):
        point.vectors[name] = (0..<point.count).map { k in
          var inner = point
          inner.indices[index] = k
          return value.value(at: inner)
        }
      }
    }
    return point
  }

  /// A point moved by an imaginary step in a direction of its own, so that the imaginary part of a
  /// formula is the slope in that direction.
  func moved(_ point: Point<Double>, _ number: Int) -> Point<Complex<Double>> {
    var stream = RandomStream(
      seed: 2016, "directions", derivation.chapter, derivation.name, "\(number)")
    func step() -> Double { (Double(stream.next() >> 11) * 0x1p-52 - 1) * Route.step }
    var moved = Point<Complex<Double>>()
    (moved.count, moved.indices) = (point.count, point.indices)
    for symbol in derivation.symbols {
      switch symbol.kind {
      case .number: moved.scalars[symbol.name] = Complex(point.scalars[symbol.name]!, step())
      // Between whole numbers a formula may be anything.
      case .whole: moved.scalars[symbol.name] = Complex(point.scalars[symbol.name]!)
      case .vector:
        moved.vectors[symbol.name] = point.vectors[symbol.name]!.map { Complex($0, step()) }
      case .gradient: moved.gradient = Landscape.slope
      case .index, .definition, .vectorDefinition: break
      }
    }
    return completed(moved)
  }
}
