import Files
import Foundation

/// What a chapter writes on while it runs.
///
/// Nothing here throws: a mistake of the chapter (a name used twice, a value that is not finite) is
/// kept as a fault and fails the run at its end, together with everything else that went wrong.
public final class Page {
  /// Where a page sends what a reader may see while the chapter still runs.
  public struct Output {
    /// Receives a line for stdout.
    public var line: @Sendable (String) -> Void
    /// Receives each check as soon as it is made.
    public var check: @Sendable (Check) -> Void
    /// Receives the label and the fraction done, 0…1, of the work under way.
    public var progress: @Sendable (String, Double) -> Void
    /// Receives a warning for stderr.
    public var warning: @Sendable (String) -> Void

    /// An output; without arguments one that is silent.
    public init(
      line: @escaping @Sendable (String) -> Void = { _ in },
      check: @escaping @Sendable (Check) -> Void = { _ in },
      progress: @escaping @Sendable (String, Double) -> Void = { _, _ in },
      warning: @escaping @Sendable (String) -> Void = { _ in }
    ) {
      self.line = line
      self.check = check
      self.progress = progress
      self.warning = warning
    }
  }

  /// The chapter's number.
  public let id: String
  /// The seed for all random streams of the chapter.
  public let seed: UInt64
  /// Whether a shorter run is asked for, whose numbers nobody compares with the prose.
  public let isQuick: Bool
  /// The folder of MNIST that the user named; nil for the usual places.
  public let dataDirectory: String?
  /// Results of long work that outlast the run: `page.kept("seed 3") { try train(3) }`.
  public let kept: KeptResults
  /// The part of the chapter's jobs that the run does; nil for all of them.
  public let part: Part?

  private(set) var checks: [Check] = []
  private(set) var values: [Record.Value] = []
  private(set) var quotes: [Record.Quote] = []
  private(set) var figures: [Figure] = []
  private(set) var faults: [String] = []
  private var claimed: [(sentence: String, predicate: String)] = []
  private var names: [String: Set<String>] = [:]
  private(set) var shelf: Shelf
  /// Where lines and progress go, for work that runs elsewhere.
  public let output: Output

  /// A page for one run of a chapter.
  ///
  /// - Parameter root: the package whose other chapters the page may read; nil for none.
  public init(
    id: String, seed: UInt64 = defaultSeed, isQuick: Bool = false, dataDirectory: String? = nil,
    kept: KeptResults? = nil, part: Part? = nil, root: URL? = nil, output: Output = Output()
  ) {
    shelf = Shelf(root: root)
    self.part = part
    self.kept = kept ?? KeptResults()
    self.id = id
    self.seed = seed
    self.isQuick = isQuick
    self.dataDirectory = dataDirectory
    self.output = output
  }

  // MARK: Checks

  /// Checks that |measured| ≤ tolerance; a NaN fails.
  public func check(_ name: String, _ measured: Double, atMost tolerance: Double) {
    add(Check(name, measured, atMost: tolerance), limits: [tolerance])
  }

  /// Checks that measured ≥ bound, as for "a wrong derivative is rejected"; a NaN fails.
  public func check(_ name: String, _ measured: Double, atLeast bound: Double) {
    add(Check(name, measured, atLeast: bound), limits: [bound])
  }

  /// Checks that |measured − expected| ≤ tolerance; a NaN fails.
  public func check(
    _ name: String, _ measured: Double, near expected: Double, tolerance: Double
  ) {
    add(
      Check(name, measured, near: expected, tolerance: tolerance), limits: [expected, tolerance])
  }

  private func add(_ check: Check, limits: [Double]) {
    guard isNew(check.name, of: "check") else { return }
    if !limits.allSatisfy(\.isFinite) {
      faults.append("The bound of the check “\(check.name)” is not finite; give it a number.")
    }
    checks.append(check)
    output.check(check)
  }

  // MARK: Values and claims

  /// Gives a number that the prose may show, and a claim may compare.
  /// - Parameters:
  ///   - name: lower camel case words joined by dots, such as `nesterov.loss.mean`.
  ///   - value: a finite number.
  ///   - deviation: the standard deviation over seeds or splits, of a value that is a mean.
  ///   - tolerance: how far a re-run may differ, in the units of the value.
  ///   - unit: such as `%` or `steps`; empty for a bare number.
  public func value(
    _ name: String, _ value: Double, deviation: Double? = nil, tolerance: Double = 0,
    unit: String = ""
  ) {
    guard isNewName(name) else { return }
    if let deviation, !(deviation.isFinite && deviation >= 0) {
      faults.append("The deviation of the value \(name) is \(deviation); it must be 0 or more.")
      return
    }
    guard value.isFinite, tolerance.isFinite, tolerance >= 0 else {
      faults.append(
        value.isFinite
          ? "The tolerance of the value \(name) is \(tolerance); it must be 0 or more."
          : "The value \(name) is \(value); the prose can only show a finite number.")
      return
    }
    values.append(
      Record.Value(
        name: name, value: value, deviation: deviation, tolerance: tolerance, unit: unit))
  }

  /// Gives a number of somebody else's, such as a paper's, with where it stands.
  /// - Parameters:
  ///   - name: as for a value, with which it shares one name space.
  ///   - value: the number as the source gives it.
  ///   - source: such as `Rasmus et al. 2015, table 1`.
  public func quote(_ name: String, _ value: Double, source: String) {
    guard isNewName(name) else { return }
    guard value.isFinite, !source.isEmpty else {
      faults.append(
        source.isEmpty
          ? "The quote \(name) names no source; say where the number stands."
          : "The quote \(name) is \(value); the prose can only show a finite number.")
      return
    }
    quotes.append(Record.Quote(name: name, value: value, source: source))
  }

  /// Gives a value of this page that another chapter's record has, with its deviation, tolerance
  /// and unit; the record is from then on a source of this chapter's.
  ///
  /// - Parameters:
  ///   - name: what it is called here.
  ///   - chapter: the other chapter's number.
  ///   - number: a value or a quote there, or `run.seconds`, `run.minutes` or `run.megabytes`.
  /// - Returns: the number.
  /// - Throws: `LabError` of kind `.failed` when there is no such record, or no such number in it.
  @discardableResult
  public func value(
    _ name: String, ofChapter chapter: String, _ number: String
  ) throws(LabError) -> Double {
    let found = try shelf.value(of: chapter, named: number)
    value(
      name, found.value, deviation: found.deviation, tolerance: found.tolerance, unit: found.unit)
    return found.value
  }

  /// Gives the deviation of a value that another chapter has recorded as a value of its own.
  ///
  /// - Throws: `LabError` of kind `.failed` when there is no such value, or no deviation of it.
  public func deviation(
    _ name: String, ofChapter chapter: String, _ number: String, unit: String
  ) throws(LabError) {
    let found = try shelf.value(of: chapter, named: number)
    guard let deviation = found.deviation else {
      throw LabError(.failed, "The value \(number) of chapter \(chapter) has no deviation.")
    }
    value(name, deviation, tolerance: found.tolerance, unit: unit)
  }

  /// How many lines of a Swift file, by its path below Sources/, are code.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be read.
  public func lineCount(of file: String) throws(LabError) -> Int { try shelf.lines(of: file) }

  /// Claims a sentence of the prose, which holds when the predicate does.
  /// - Parameters:
  ///   - sentence: what the prose says, verbatim.
  ///   - predicate: a comparison over values and quotes, such as `a.loss < 2 * b.loss and a > 0`;
  ///     evaluated at the end of the run, so that values may follow it.
  public func claim(_ sentence: String, _ predicate: String) {
    guard isNew(sentence.words, of: "claim") else { return }
    claimed.append((sentence, predicate))
  }

  // MARK: Figures and output

  /// Gives a figure, which is drawn when the run is over.
  public func figure(_ figure: Figure) {
    guard isNew(figure.name, of: "figure") else { return }
    let found = figure.faults
    faults += found
    if found.isEmpty { figures.append(figure) }
  }

  /// Writes a line for the reader, which nothing is bound to.
  public func note(_ line: String) {
    output.line(line)
  }

  /// Writes a table for the reader: columns of numbers to the right, others to the left.
  public func table(_ header: [String], _ rows: [[String]]) {
    for line in TextTable(header: header, rows: rows).lines { output.line(line) }
  }

  /// Says how far the work under way is, for stderr.
  /// - Parameters:
  ///   - label: what is being done, such as `training`.
  ///   - fraction: 0…1.
  public func progress(_ label: String, _ fraction: Double) {
    output.progress(label, fraction.isFinite ? min(max(fraction, 0), 1) : 0)
  }

  // MARK: The end of a run

  /// The claims, each with whether it holds, and a fault for each that cannot be evaluated.
  func judgedClaims() -> (claims: [Record.Claim], faults: [String]) {
    var numbers: [String: Double] = [:]
    for value in values { numbers[value.name] = value.value }
    for quote in quotes { numbers[quote.name] = quote.value }
    var faults: [String] = []
    let claims = claimed.map { sentence, text in
      var holds = false
      do {
        holds = try Predicate(text).holds(in: numbers)
      } catch {
        faults.append("The claim “\(sentence)” cannot be judged: \(error)")
      }
      return Record.Claim(sentence: sentence, predicate: text, holds: holds)
    }
    return (claims, faults)
  }

  private func isNewName(_ name: String) -> Bool {
    guard !name.hasPrefix("run.") else {
      faults.append("“\(name)” says how long a run takes; give the value another first word.")
      return false
    }
    guard Predicate.isName(name) else {
      faults.append(
        "“\(name)” is no name for a value; write letters and digits joined by dots, as in "
          + "nesterov.loss.mean.")
      return false
    }
    return isNew(name, of: "value")
  }

  private func isNew(_ name: String, of kind: String) -> Bool {
    guard !name.isEmpty else {
      faults.append("A \(kind) of the chapter has no name; give it one.")
      return false
    }
    guard names[kind, default: []].insert(name).inserted else {
      faults.append("The \(kind) “\(name)” is given twice; names are unique in a chapter.")
      return false
    }
    return true
  }
}
