import Digits
import Files
import Foundation
import Methods
import Networks
import Notebook
import Tensors

/// How fast this machine trains, for times that can be believed.
///
/// A measurement takes some fifty milliseconds. The last few are kept in a small file, and their
/// median is what counts: a machine that was busy for a moment is not taken for a slow one, and where
/// none is kept there are three. They belong to a processor, its kernels and a number of threads, and
/// not to a build of this program: the last few are soon those of the newest. A file that is damaged,
/// or that many machines share, costs measurements and no more.
public struct SpeedProbe: Sendable {
  /// Some measurements of one machine.
  struct Entry: Codable, Equatable {
    /// What they belong to.
    let key: String
    /// In the order in which they were made.
    var speeds: [Double]
  }

  private struct Document: Codable {
    var version = 1
    var entries: [Entry]
  }

  /// The most machines that are remembered, measurements of each, and bytes that are read.
  static let (mostEntries, mostSpeeds, mostBytes) = (8, 9, 1 << 16)

  /// Where they are kept.
  let file: URL
  /// What measurements made here belong to.
  let key: String
  /// Measures.
  let clock: @Sendable () -> Double

  /// The probe of this machine for runs of a package.
  ///
  /// - Parameter root: the package's folder; the file stands in what git ignores of it.
  public init(root: URL) {
    let parts = [Machine().processor, Kernels.description, Parallel.threadCount.of("thread")]
    self.init(
      file: root.appendingPathComponent(".lab/speed.json"), key: parts.joined(separator: ", "),
      clock: Self.stepsPerSecond)
  }

  init(file: URL, key: String, clock: @escaping @Sendable () -> Double) {
    (self.file, self.key, self.clock) = (file, key, clock)
  }

  /// The machine's speed, from what is kept where something is.
  public func speed() -> Double {
    if let kept = entries().first(where: { $0.key == key }) { return Self.median(kept.speeds) }
    return Self.median((0..<3).map { _ in measure() })
  }

  /// Measures now, and keeps it with the others; returns what was measured.
  @discardableResult public func measure() -> Double {
    let speed = clock()
    var entries = entries()
    let own = entries.firstIndex { $0.key == key }.map { entries.remove(at: $0) }
    let speeds = ((own?.speeds ?? []) + [speed]).suffix(Self.mostSpeeds)
    // The last one used stands first.
    entries.insert(Entry(key: key, speeds: Array(speeds)), at: 0)
    let document = Document(entries: Array(entries.prefix(Self.mostEntries)))
    // Where it cannot be kept, it is measured again.
    if let data = try? JSONEncoder().encode(document) { try? AtomicFile.write(data, to: file) }
    return speed
  }

  /// What is kept, as far as it can be believed.
  func entries() -> [Entry] {
    guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
    defer { try? handle.close() }
    guard let data = try? handle.read(upToCount: Self.mostBytes),
      let document = try? JSONDecoder().decode(Document.self, from: data), document.version == 1
    else { return [] }
    return document.entries.filter { entry in
      !entry.speeds.isEmpty && entry.speeds.allSatisfy { $0.isFinite && $0 > 0 }
    }
  }

  /// The middle one; of an even number the lower.
  static func median(_ speeds: [Double]) -> Double { speeds.sorted()[(speeds.count - 1) / 2] }

  /// Training steps of the sample network a second, at its batch of 64: products, convolutions and
  /// passes over memory, in the mixture that chapters have.
  private static func stepsPerSecond() -> Double {
    let count = 256
    let images = ImageSet(
      pixels: (0..<count * ImageSet.pixelsPerImage).map { UInt8(truncatingIfNeeded: $0 * 7) },
      labels: (0..<count).map { UInt8($0 % 10) })
    var start = RandomStream(seed: 1, "speed")
    var training = Training(
      of: SampleNetwork(using: &start), on: images, Array(0..<count), Momentum(momentum: 0.5),
      rate: .constant(0.01), batchSize: 64, seed: 1, name: "speed")
    // The first steps ask for memory and wake the threads.
    for _ in 0..<3 { training.takeStep() }
    let begin = ContinuousClock.now
    var speeds: [Double] = []
    repeat {
      let start = ContinuousClock.now
      training.takeStep()
      speeds.append(1 / max(start.duration(to: .now) / .seconds(1), 1e-9))
    } while begin.duration(to: .now) < .milliseconds(40) || speeds.count < 5
    return (median(speeds) * 10).rounded() / 10
  }
}
