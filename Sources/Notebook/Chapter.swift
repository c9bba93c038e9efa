/// A chapter of the lab: prose in `Chapters/<id>-<slug>.md`, code in the Swift file of the same name.
public protocol Chapter: Sendable {
  /// The number in the table of contents, such as `2.1`; unique in the lab.
  static var id: String { get }
  /// The title as the list shows it.
  static var title: String { get }
  /// Whether its work comes in rounds of jobs that several machines can share: `--part 2/8`.
  static var hasRounds: Bool { get }
  /// Runs the chapter and writes its checks, values, claims and figures on the page.
  /// - Throws: `CancellationError` when interrupted; `LabError` for what a user can mend.
  static func run(_ page: Page) async throws
}

extension Chapter {
  /// Most chapters are run whole.
  public static var hasRounds: Bool { false }
}

/// The seed of every run whose record and figures belong to the write-up.
public let defaultSeed: UInt64 = 2016
