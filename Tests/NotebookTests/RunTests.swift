import Files
import Foundation
import Testing

@testable import Notebook

/// A package of one chapter in a temporary folder.
struct TemporaryPackage: ~Copyable {
  let root: URL

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let chapters = root.appendingPathComponent("Chapters")
    try FileManager.default.createDirectory(at: chapters, withIntermediateDirectories: true)
    try write(
      "# Zero\n\nIt is 1.00<!--=a-->.\n\n![a line](../figures/0.1-line.svg)\n",
      to: "Chapters/0.1-zero.md")
    try write("// The chapter's code.\n", to: "Chapters/0.1-zero.swift")
    try write("// Work beside it.\n", to: "Sources/Experiments/0.1/Work.swift")
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  func write(_ text: String, to path: String) throws {
    let place = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: place)
  }

  var files: ChapterFiles { get throws { try ChapterFiles(root: root, id: "0.1") } }

  func record() throws -> Data {
    try Data(contentsOf: root.appendingPathComponent("figures/0.1.json"))
  }
}

/// A chapter whose one value a test may set.
private enum Zero: Chapter {
  static let id = "0.1"
  static let title = "Zero"
  @TaskLocal static var value = 1.0
  static let figure = Figure(
    "line", title: "A line", panels: [Panel(marks: [.line("a", [(0, 0), (1, 1)])])])

  static func run(_ page: Page) async throws {
    page.value("a", value, tolerance: 0.1)
    page.check("a is near 1", value, near: 1, tolerance: 1)
    page.figure(figure)
  }
}

@Suite struct RunTests {
  private func run(
    _ value: Double, _ files: ChapterFiles, to output: URL? = nil,
    _ change: @Sendable (inout Run.Options) -> Void = { _ in }
  ) async throws -> Run {
    var options = Run.Options()
    options.output = output
    change(&options)
    return try await Zero.$value.withValue(value) { [options] in
      try await Run.perform(Zero.self, files, options, output: Page.Output())
    }
  }

  @Test func aRunThatAgreesLeavesTheRecordAsItIs() async throws {
    let package = try TemporaryPackage()
    _ = try await run(1, package.files)
    let record = try package.record()
    let second = try await run(1.05, package.files)
    #expect(second.passed && second.confirmsRecord)
    #expect(try package.record() == record)
    #expect(try Binding(package.files, package.files.freshRecord()).findings().isEmpty)
    // What was asked for by name is done.
    _ = try await run(1.05, package.files, to: package.files.figures)
    #expect(try package.record() != record)
  }

  @Test func aRunThatDiffersOrIsOfOtherCodeReplacesTheRecord() async throws {
    let package = try TemporaryPackage()
    _ = try await run(1, package.files)
    let first = try package.record()
    let second = try await run(1.2, package.files)
    #expect(!second.confirmsRecord && !second.findings.isEmpty)
    #expect(try package.record() != first)
    try package.write("let other = 1\n", to: "Chapters/0.1-zero.swift")
    #expect(try await !run(1.15, package.files).confirmsRecord)
    // Another engine is another run, though all numbers agree.
    let before = try package.record()
    try package.write("let other = 1\n", to: "Sources/Tensors/Kernels.swift")
    #expect(try package.files.state() == .olderEngine)
    #expect(try await !run(1.15, package.files).confirmsRecord)
    #expect(try package.record() != before)
    #expect(try package.files.state() == .fresh)
  }

  @Test func aRunStampsItsRecordAndAConfirmingRunLeavesTheStamp() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(1, files) { $0.machine.tile = "a tile" }
    let stamp = try #require(files.storedStamp())
    #expect(stamp.machine.tile == "a tile" && stamp.seconds >= 0 && stamp.date.hasSuffix("Z"))
    #expect(stamp.peakMegabytes ?? 1 > 0)
    // One that agrees, and one that gives the same bytes.
    for value in [1.05, 1] {
      _ = try await run(value, files) { $0.machine.tile = "another" }
      #expect(files.storedStamp() == stamp)
    }
    _ = try await run(1.05, files, to: files.figures) { $0.machine.tile = "another" }
    #expect(files.storedStamp()?.machine.tile == "another")
  }

  @Test func onlyAFullRunWithTheDefaultSeedIsOfTheWriteUp() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(1, files)
    let record = try package.record()
    let manager = FileManager.default
    try manager.createSymbolicLink(
      at: package.root.appendingPathComponent("link"), withDestinationURL: files.figures)
    try package.write("", to: "other/note")
    try manager.createSymbolicLink(
      at: package.root.appendingPathComponent("other/0.1.json"), withDestinationURL: files.record)
    let ways = [
      "figures", "figures/", "./figures", "other/../figures", "none/../figures", "link", "link/.",
      "other",
    ]
    for way in ways {
      let folder = URL(fileURLWithPath: package.root.path + "/" + way)
      #expect(files.isWriteUp(folder), "\(way)")
      let changes: [@Sendable (inout Run.Options) -> Void] = [
        { $0.isQuick = true }, { $0.seed = 7 },
      ]
      for change in changes {
        await #expect(throws: LabError.self) { try await run(5, files, to: folder, change) }
      }
    }
    #expect(!files.isWriteUp(package.root.appendingPathComponent("elsewhere")))
    #expect(!files.isWriteUp(package.root.appendingPathComponent("figures/deeper")))
    // Nor where those runs go by themselves.
    try? manager.removeItem(at: package.root.appendingPathComponent(".lab/0.1-quick-2016"))
    try manager.createDirectory(
      at: package.root.appendingPathComponent(".lab"), withIntermediateDirectories: true)
    try manager.createSymbolicLink(
      at: package.root.appendingPathComponent(".lab/0.1-quick-2016"),
      withDestinationURL: files.figures)
    await #expect(throws: LabError.self) { try await run(5, files) { $0.isQuick = true } }
    #expect(try package.record() == record)
  }

  @Test func aRecordIsOfFiguresAsPictures() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(1, files)
    let entry = try #require(try files.storedRecord()?.figures.first)
    let picture = package.root.appendingPathComponent("figures/0.1-line.svg")
    #expect(digest(of: try Data(contentsOf: picture)) == entry.picture)
    let altered = String(decoding: try Data(contentsOf: picture), as: UTF8.self) + "\n"
    try package.write(altered, to: "figures/0.1-line.svg")
    let findings = try Binding(files, files.freshRecord()).findings()
    #expect(findings.contains { $0.sentence.contains("0.1-line.svg is not the picture") })
    // A run that agrees does not leave it so.
    #expect(try await !run(1.05, files).confirmsRecord)
    #expect(try Binding(files, files.freshRecord()).findings(isRerun: true) == [])
  }
}
