import Notebook

/// Jobs that do not wait for one another, and that the next round waits for.
///
/// In a run of one part of several, `lab chapter 3.3.1 --part 2/8`, a round does its share of the jobs
/// that nobody has done yet. Unless the rest is there as well, the run ends with it.
struct Round {
  private let page: Page
  private let name: String

  /// A round, such as `candidates`.
  init(_ page: Page, _ name: String) { (self.page, self.name) = (page, name) }

  /// The results of the jobs, in the order of their names.
  ///
  /// - Parameter names: each unique in the chapter: it says all that its job depends on beside the
  ///   code.
  /// - Throws: `PartDone` where other parts still have jobs of it to do.
  func run<Result: Codable & Sendable>(
    _ names: [String], tolerance: Double = 2, file: String = #filePath,
    _ work: @escaping @Sendable (Int, SideBySide.Flag) throws -> Result
  ) throws -> [Result] {
    if let part = page.part {
      let own = names.indices.filter { part.has($0) }
      let new = own.filter { !page.kept.has(names[$0], file: file) }
      _ = try jobs(names, new, tolerance, file, work)
      let left = names.count { !page.kept.has($0, file: file) }
      if left > 0 { throw PartDone(part, round: name, done: new.count, left: left) }
    }
    return try jobs(names, Array(names.indices), tolerance, file, work)
  }

  private func jobs<Result: Codable & Sendable>(
    _ names: [String], _ chosen: [Int], _ tolerance: Double, _ file: String,
    _ work: @escaping @Sendable (Int, SideBySide.Flag) throws -> Result
  ) throws -> [Result] {
    try SideBySide.run(
      page, name, chosen.map { names[$0] }, tolerance: tolerance, committed: .always, file: file
    ) { try work(chosen[$0], $1) }
  }
}
