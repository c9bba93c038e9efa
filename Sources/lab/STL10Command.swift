import ArgumentParser
import Bench
import Foundation
import Notebook
import Pictures
import Tensors

/// `lab stl10`.
struct STL10Command: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stl10",
    abstract: "2.3.2's patch features on STL-10, by the data set's protocol of ten folds.",
    discussion: """
      The data are not fetched: unpack stl10_binary.tar.gz of cs.stanford.edu/~acoates/stl10, and \
      name its folder. Images of 96 × 96 become 32 × 32; 1,600 patches of 6 × 6 are learnt from \
      400,000 of the images without labels; a linear machine is trained on the 1,000 images of each \
      fold, its penalty chosen inside the fold; all 8,000 test images are read. Nothing is written.

      The files are read in pieces, once; the run holds at most 1 GB of memory and takes about ten \
      minutes on two cores with AVX-512, most of it in K-means and in the codes of test images.
      """)

  @Option(help: ArgumentHelp("The folder of STL-10's binary files.", valueName: "dir"))
  var data: String

  @Flag(
    help: """
      A short look: any number of images will do, 64 patches are learnt, and at most the first 1,000 \
      test images are read.
      """)
  var quick = false

  @OptionGroup var work: WorkOptions

  @OptionGroup var output: OutputOptions

  func validate() throws { try requireFolderName(data, "--data") }

  func run() async throws {
    work.apply()
    let start = Date()
    let set = try STL10(URL(fileURLWithPath: data, isDirectory: true), anySize: quick)
    let settings = quick ? TenFolds.Settings.quick : TenFolds.Settings()
    let expected = expectedSeconds()
    let time = expected.map { "about \(roughTime($0))" } ?? "some seconds"
    Console.complain(
      "STL-10 by its ten folds, \(quick ? "QUICK" : "full") run, seed \(work.seed): "
        + "\(settings.centroids) centroids of \(settings.patches) patches, \(time).")
    let bar = WorkReport("STL-10", expected: expected)
    defer { bar.end() }
    let outcome = try TenFolds(set, settings, seed: work.seed).run { bar.show($0, $1) }
    bar.end()
    let report = Report(set, settings, outcome, seed: work.seed, isQuick: quick)
    if output.json {
      try printJSON(report)
    } else {
      report.print(to: Console(noColor: output.noColor))
    }
    let memory = ProcessMemory.peakMegabytes.map { ", at most \(Int($0.rounded())) MB" } ?? ""
    Console.complain(
      String(format: "Took %.1f s", Date().timeIntervalSince(start))
        + " on \(Parallel.threadCount.of("thread"))\(memory).")
  }

  /// The seconds of a full run on this machine, by one that was measured; nil for a quick one.
  private func expectedSeconds() -> Double? {
    guard !quick else { return nil }
    let (seconds, speed) = Self.measured
    guard let catalogue = try? Catalogue() else { return seconds }
    return seconds * speed / SpeedProbe(root: catalogue.root).speed()
  }

  /// The seconds of a full run on images of noise on two cores with AVX-512, and what the probe of
  /// speed gave there.
  private static let measured = (seconds: 600.0, speed: 100.0)
}

/// What `lab stl10` prints.
private struct Report: Encodable {
  struct Images: Encodable {
    let unlabelled, train, test: Int
  }

  struct Fold: Encodable {
    let fold: Int
    let cost, heldOut, test: Double
  }

  /// What others report, by the same protocol or with as many labels.
  struct Other: Encodable {
    let accuracy: Double
    let deviation: Double?
    let method, source: String
  }

  let version = 1
  let seed: UInt64
  let mode: String
  /// Those of the data set; of the test images those that were read.
  let images: Images
  let centroids, patches: Int
  let folds: [Fold]
  /// In percent, over the folds.
  let mean, deviation: Double
  /// The folds whose penalty is an end of those that were tried.
  let atEndOfGrid: [Int]
  let others: [Other]

  init(
    _ set: STL10, _ settings: TenFolds.Settings, _ outcome: TenFolds.Outcome, seed: UInt64,
    isQuick: Bool
  ) {
    self.seed = seed
    mode = isQuick ? "quick" : "full"
    images = Images(
      unlabelled: set.unlabelled.count, train: set.train.count, test: outcome.testCount)
    (centroids, patches) = (settings.centroids, settings.patches)
    folds = outcome.folds.enumerated().map {
      Fold(fold: $0 + 1, cost: $1.cost, heldOut: $1.heldOut, test: $1.test)
    }
    (mean, deviation) = (outcome.mean, outcome.deviation)
    let ends = [settings.costs.first, settings.costs.last]
    atEndOfGrid = folds.filter { ends.contains($0.cost) }.map(\.fold)
    others = Self.published
  }

  /// The first number and its deviation are from memory, as the paper of the data set's authors has
  /// them.
  ///
  /// The others stand in the table of accuracies that TorchSSL publishes for FlexMatch (Zhang and
  /// others 2021), in the column of 1,000 labels.
  private static let published = [
    Other(
      accuracy: 51.5, deviation: 1.7, method: "the same features, 1,600 centroids",
      source: "Coates, Ng & Lee 2011"),
    Other(
      accuracy: 93.5, deviation: 0.1, method: "FixMatch, a deep network, 1,000 labels",
      source: "Zhang et al. 2021"),
    Other(
      accuracy: 94.2, deviation: 0.2, method: "FlexMatch, the same with thresholds that move",
      source: "Zhang et al. 2021"),
  ]

  func print(to console: Console) {
    func line(_ text: String = "") { Swift.print(text) }
    line(console.bold("STL-10 by its ten folds") + (mode == "quick" ? "  QUICK" : ""))
    line()
    let rows = folds.map { fold in
      ["\(fold.fold)", RunReport.number(fold.cost)]
        + [fold.heldOut, fold.test].map { String(format: "%.2f", $0) }
    }
    TextTable(header: ["fold", "penalty", "held out, %", "test, %"], rows: rows).lines
      .forEach { line($0) }
    line()
    line(
      console.bold(String(format: "%.2f %% ± %.2f", mean, deviation))
        + " of \(images.test.of("test image")), mean and deviation over the ten folds.")
    if !atEndOfGrid.isEmpty {
      line(
        "In \(atEndOfGrid.count.of("fold")) the penalty is an end of those that were tried; a "
          + "better one may lie beyond.")
    }
    line()
    line("What others report, in %:")
    let table = others.map { other in
      [
        "  " + String(format: "%.1f", other.accuracy)
          + (other.deviation.map { String(format: " ± %.1f", $0) } ?? ""),
        other.method, console.faint(other.source),
      ]
    }
    TextTable(rows: table).lines.forEach { line($0) }
  }
}
