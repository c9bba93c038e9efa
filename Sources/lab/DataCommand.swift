import ArgumentParser
import Digits
import Foundation
import Notebook

/// `lab data`.
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Fetches and verifies MNIST, and says where it came from.")

  @Option(help: ArgumentHelp("The folder of MNIST.", valueName: "dir"))
  var data: String?

  @Option(
    name: .customLong("split-seed"),
    help: ArgumentHelp("Count a random balanced split instead of the kit's.", valueName: "n"))
  var splitSeed: UInt64?

  @OptionGroup var output: OutputOptions

  func validate() throws { try requireFolderName(data, "--data") }

  func run() async throws {
    let folder = DataFolder(data)
    let bar = WorkReport("MNIST")
    let origins = try await folder.fetch { progress in
      bar.show("\(progress.source) \(progress.file)", progress.fraction)
    }
    bar.end()
    let mnist = try MNIST.load(from: folder)
    let split =
      try splitSeed.map { try Split.balanced(mnist.train.labels, seed: $0) }
      ?? Split.kit(mnist.train.labels)
    let counts = mnist.counts(split)
    if output.json {
      struct Document: Encodable {
        let version = 1
        let folder: String
        let files: [String: String]
        let counts: [String: [Int]]
      }
      return try printJSON(
        Document(
          folder: folder.url.path,
          files: Dictionary(uniqueKeysWithValues: origins.map { ($0.file, $0.source) }),
          counts: Dictionary(uniqueKeysWithValues: counts.map { ($0.name, $0.perClass) })))
    }
    print("MNIST in \(folder.url.path), verified by SHA-256")
    for line in TextTable(
      header: ["file", "from"], rows: origins.map { [$0.file, $0.source] }
    ).lines { print(line) }
    print()
    let table = TextTable(
      header: ["part"] + (0...9).map(String.init) + ["all"],
      rows: counts.map { part in
        [part.name] + part.perClass.map(String.init) + [String(part.total)]
      })
    for line in table.lines { print(line) }
  }
}
