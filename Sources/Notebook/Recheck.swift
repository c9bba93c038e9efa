import Foundation

/// A kept result held against the same work done again.
public struct Recheck: Codable, Equatable, Sendable {
  /// The work, as the chapter names it.
  public var name: String
  /// The largest difference of two numbers, measured by what is allowed there; infinite where the
  /// results are of different shapes or differ in a word.
  public var difference: Double
  /// What is allowed there.
  public var allowed: Double
  /// The place of these numbers in the result, such as `losses[3]`; empty for the whole.
  public var place: String
  /// The seconds that the work took when it was kept.
  public var secondsThen: Double
  /// The seconds that it took now.
  public var secondsNow: Double
  /// Whether no number differs by more than is allowed, and the file was as a run left it.
  public var agrees: Bool

  /// How far the same numbers may differ on any machine, as a share of the larger.
  static let share = 1e-6

  /// The order in which kept results are drawn: a hash of the seed, the chapter and the name.
  static func rank(_ name: String, of chapter: String, seed: UInt64) -> String {
    digest(of: Data("recheck \(seed) \(chapter) \(name)".utf8))
  }
}

/// A result of which only a part can be compared between machines.
///
/// Which images a network misreads, say, is another list on another processor, while how many they
/// are is nearly the same number. On the same machine and engine all of a result is compared,
/// but for what it has under `seconds`, which is another number each time.
public protocol MeasuredResult: Codable {
  /// What is compared.
  associatedtype Measures: Encodable
  /// The numbers that are compared.
  var measures: Measures { get }
}

/// The difference of two results that matters most.
struct ResultDifference {
  private(set) var difference = 0.0
  private(set) var allowed = 0.0
  private(set) var place = ""
  private let tolerance: Double
  private var worst = -1.0

  /// Compares two results, each as JSON.
  ///
  /// - Parameter tolerance: how far numbers may differ, in their own units, beside a millionth of
  ///   themselves.
  init(_ a: String, _ b: String, tolerance: Double) {
    self.tolerance = tolerance
    compare(Self.tree(a), Self.tree(b), at: "")
  }

  private static func tree(_ text: String) -> JSONTree? {
    try? JSONDecoder().decode(JSONTree.self, from: Data(text.utf8))
  }

  /// Whether no number differs by more than is allowed.
  var isAllowed: Bool { difference <= allowed }

  private mutating func compare(_ a: JSONTree?, _ b: JSONTree?, at place: String) {
    switch (a, b) {
    case (.number(let x)?, .number(let y)?):
      note(abs(x - y), tolerance + Recheck.share * max(abs(x), abs(y)), at: place)
    case (.list(let x)?, .list(let y)?) where x.count == y.count:
      for index in x.indices { compare(x[index], y[index], at: "\(place)[\(index)]") }
    case (.object(let x)?, .object(let y)?) where x.keys == y.keys:
      for key in x.keys.sorted() where key != "seconds" {
        compare(x[key], y[key], at: place.isEmpty ? key : "\(place).\(key)")
      }
    case (let a?, let b?): note(a == b ? 0 : .infinity, 0, at: place)
    default: note(.infinity, 0, at: place)
    }
  }

  private mutating func note(_ difference: Double, _ allowed: Double, at place: String) {
    let measure = difference == 0 ? 0 : allowed == 0 ? .infinity : difference / allowed
    guard measure > worst else { return }
    (worst, self.difference, self.allowed, self.place) = (measure, difference, allowed, place)
  }
}

/// Any JSON.
private enum JSONTree: Decodable, Equatable {
  case null
  case truth(Bool)
  case number(Double)
  case text(String)
  case list([JSONTree])
  case object([String: JSONTree])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let truth = try? value.decode(Bool.self) {
      self = .truth(truth)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([JSONTree].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: JSONTree].self))
    }
  }
}
