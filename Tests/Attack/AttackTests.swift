import Files
import Foundation
@testable import Notebook
import Testing

/// The table of mutations run over a copy of the package's texts and records: a sample of each kind,
/// and all of them with `LAB_LONG_TESTS=1`.
@Suite struct AttackTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let isLong = ProcessInfo.processInfo.environment["LAB_LONG_TESTS"] != nil
  /// How many mutations of a kind are tried on a text in the usual run.
  private static let sampleSize = 12

  static let ids: [String] = {
    let folder = root.appendingPathComponent("Chapters")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.map { String($0.prefix { $0 != "-" }) }.sorted()
  }()

  /// The records as a run writes them, with the digests of the pictures that stand there.
  private static func record(_ id: String, in root: URL) throws -> Record {
    let figures = root.appendingPathComponent("figures")
    let url = figures.appendingPathComponent("\(id).json")
    var record = try Record.decoded(from: Data(contentsOf: url), path: url.path)
    for index in record.figures.indices {
      let name = "\(id)-\(record.figures[index].name).svg"
      record.figures[index].picture = digest(
        of: try Data(contentsOf: figures.appendingPathComponent(name)))
    }
    return record
  }

  /// Minutes of pure computing, one text after the other: in the pool that all tests share, where a
  /// machine of two cores has two threads, those that wait for a process would not be waited for.
  private static let apart = DispatchQueue(label: "attack")

  @Test(arguments: ids + ["README"]) func eachMutationIsFound(_ id: String) async throws {
    let (unharmed, tried, missed) = try await withCheckedThrowingContinuation { continuation in
      Self.apart.async { continuation.resume(with: Result { try Self.attack(id) }) }
    }
    #expect(unharmed.isEmpty, "the text as it stands")
    print("Attack on \(id): \(tried) mutations tried, \(tried - missed.count) as they must be.")
    #expect(
      missed.isEmpty, "\(missed.count) of \(tried):\n\(missed.prefix(40).joined(separator: "\n"))")
  }

  /// What is found in the text as it stands, how many mutations of it were tried, and those that did
  /// what they must not.
  private static func attack(_ id: String) throws -> ([Finding], tried: Int, missed: [String]) {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("attack-\(UUID())")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    for name in ["Chapters", "CONTRIBUTING.md", "figures", "LICENSE", "README.md", "Sources"] {
      try FileManager.default.copyItem(
        at: Self.root.appendingPathComponent(name), to: root.appendingPathComponent(name))
    }
    let battle = try Battle(root: root, id: id, records: Self.ids) { try Self.record($0, in: root) }
    let unharmed = try battle.findings(Mutation("none", "", nil, .passed))

    var tried = 0
    var missed: [String] = []
    for (place, attack) in attacks.enumerated() {
      var mutations = attack(battle.victim, battle.record)
      if !Self.isLong {
        var stream = SplitMix(state: UInt64(2016 + place))
        mutations.shuffle(using: &stream)
        mutations = Array(mutations.prefix(Self.sampleSize))
      }
      for mutation in mutations {
        tried += 1
        if let miss = try battle.miss(mutation) { missed.append(miss) }
      }
    }
    return (unharmed, tried, missed)
  }
}

/// A text under attack in its copy of the package.
private struct Battle {
  let victim: Victim
  let record: Record?
  private let root: URL
  private let url: URL
  /// The file as a finding names it.
  private let name: String
  private let original: Data
  private let judge: (Record?) throws -> [Finding]

  init(root: URL, id: String, records ids: [String], _ read: (String) throws -> Record) throws {
    self.root = root
    if id == "README" {
      record = nil
      url = root.appendingPathComponent("README.md")
      let records = Dictionary(uniqueKeysWithValues: try ids.map { ($0, try read($0)) })
      judge = { _ in try FrontPage(root: root, records: records).findings() }
    } else {
      record = try read(id)
      let files = try ChapterFiles(root: root, id: id)
      url = files.prose
      judge = { try Binding(files, $0!).findings() }
    }
    name = id == "README" ? "README.md" : "Chapters/\(url.lastPathComponent)"
    original = try Data(contentsOf: url)
    victim = Victim(String(decoding: original, as: UTF8.self), isFrontPage: id == "README")
  }

  /// What is found after a mutation, which is then undone.
  func findings(_ mutation: Mutation) throws -> [Finding] {
    var record = record
    for (old, new) in mutation.claims {
      for index in record!.claims.indices
      where record!.claims[index].sentence.words == old.words {
        record!.claims[index].sentence = new.sentence
        record!.claims[index].predicate = new.predicate
      }
    }
    if let text = mutation.text() { try text.write(to: url) }
    defer { try? original.write(to: url) }
    try exchange(mutation)
    defer { try? exchange(mutation) }
    let picture = mutation.folder.map {
      root.appendingPathComponent("figures/\(record!.chapter)-\($0).svg")
    }
    let aside = root.appendingPathComponent("aside")
    if let picture {
      try FileManager.default.moveItem(at: picture, to: aside)
      try FileManager.default.createDirectory(at: picture, withIntermediateDirectories: false)
    }
    defer {
      if let picture {
        try? FileManager.default.removeItem(at: picture)
        try? FileManager.default.moveItem(at: aside, to: picture)
      }
    }
    return try judge(record)
  }

  private func exchange(_ mutation: Mutation) throws {
    guard let (first, second, types) = mutation.exchanged else { return }
    for type in types {
      let places = [first, second].map {
        root.appendingPathComponent("figures/\(record!.chapter)-\($0).\(type)")
      }
      let data = try places.map { try Data(contentsOf: $0) }
      try data[1].write(to: places[0])
      try data[0].write(to: places[1])
    }
  }

  /// What a mutation did that it must not; nil when all is as it must be.
  func miss(_ mutation: Mutation) throws -> String? {
    var found: [Finding] = []
    var error: LabError?
    do {
      found = try findings(mutation)
    } catch let thrown as LabError {
      error = thrown
    }
    let isRight: Bool
    switch mutation.outcome {
    case .passed: isRight = found.isEmpty && error == nil
    case .found(let line):
      isRight = error == nil && found.contains { line == nil || $0.line == line }
    case .refused(let line):
      isRight = error?.kind == .input && error!.description.hasPrefix("\(name):\(line):")
    }
    guard !isRight else { return nil }
    let outcome = error?.description ?? found.map(\.description).prefix(3).joined(separator: " ")
    return "\(mutation.kind): \(mutation.detail) – \(mutation.outcome), but: \(outcome)"
  }
}

/// A small generator, so that the sample is the same on each machine (Steele and others 2014).
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
