import Foundation
import Synchronization
import Testing

@testable import Experiments
@testable import Notebook

/// Jobs that several runs share.
@Suite struct RoundTests {
  @Test func eachPartKeepsTheResultsOfItsOwnJobsUnderTheirNames() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("round-\(UUID())")
    defer { try? FileManager.default.removeItem(at: root) }
    for path in ["Chapters/0.1-a.md", "Chapters/0.1-a.swift", "Sources/Experiments/0.1/A.swift"] {
      let url = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("\n".utf8).write(to: url)
    }
    /// The squares of five places, and the jobs that this run did.
    func run(_ part: Part?) throws -> (results: [Int], done: [Int]) {
      let files = try ChapterFiles(root: root, id: "0.1")
      let kept = KeptResults(files.store(in: PackageCode(root: root), Run.Options()))
      let page = Page(id: "0.1", kept: kept, part: part, root: root)
      let done = Mutex<[Int]>([])
      let results = try Round(page, "jobs").run((0..<5).map { "job \($0)" }) { index, _ -> Int in
        done.withLock { $0.append(index) }
        return index * index
      }
      return (results, done.withLock { $0.sorted() })
    }
    let (first, second) = (Part("1/2")!, Part("2/2")!)
    for done in [2, 0] {
      #expect(throws: PartDone(second, round: "jobs", done: done, left: 3)) { try run(second) }
    }
    let rest = try run(first)
    #expect(rest.results == [0, 1, 4, 9, 16] && rest.done == [0, 2, 4])
    let collected = try run(nil)
    #expect(collected.results == [0, 1, 4, 9, 16] && collected.done == [])
  }
}
