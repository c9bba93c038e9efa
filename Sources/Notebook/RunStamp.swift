import Files
import Foundation
import Synchronization

/// What work ran on.
public struct Machine: Codable, Equatable, Sendable {
  /// The processor as the system names it.
  public var processor: String
  /// The operating system with its version.
  public var system: String
  /// The kernels of products, as the engine describes them.
  public var tile: String

  /// This machine.
  ///
  /// - Parameter tile: the kernels of products; the notebook knows nothing of them.
  public init(tile: String = "") {
    let names = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = names.split(separator: "\n").first { $0.hasPrefix("model name") }
    processor =
      line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    system = ProcessInfo.processInfo.operatingSystemVersionString
    self.tile = tile
  }
}

/// When, where and how fast a record was made: `figures/<id>.run.json`, from which forecasts and the
/// README's times are made.
public struct RunStamp: Codable, Equatable, Sendable {
  /// The version of the format; in the first there were no speed and no times of parts.
  public var version = 2
  /// The end of the run, as ISO 8601 has it.
  public var date: String
  /// What it ran on.
  public var machine: Machine
  /// The threads that it was given.
  public var threads: Int
  /// How long the run took.
  public var seconds: Double
  /// How long the results of earlier runs that stand in it took, when they were computed.
  public var keptSeconds: Double
  /// How long the run took without the results that were computed in it.
  public var restSeconds: Double
  /// The share of the clock that each kept result had when it was computed, by its file.
  public var jobSeconds: [String: Double]
  /// How fast the machine was, in the unit of `Run.Options.measureSpeed`; nil where nobody measured.
  public var speed: Double?
  /// The most memory that the run held, or an earlier one while it computed what stands in this one;
  /// nil where the system does not tell.
  public var peakMegabytes: Double?

  /// The stamp as it is committed.
  func encoded() throws(LabError) -> Data {
    let json = try Record.encode(self, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return json + Data("\n".utf8)
  }

  /// Now, as ISO 8601 has it.
  static var now: String { Date().formatted(.iso8601) }
}

extension ChapterFiles {
  /// When, where and how fast the record was made.
  public var stamp: URL { figures.appendingPathComponent("\(id).run.json") }

  /// The stamp of the record; nil when there is none that can be read.
  public func storedStamp() -> RunStamp? { RunStamp(of: id, in: figures) }
}

extension RunStamp {
  /// The stamp of a chapter's run in a folder; nil when there is none that can be read.
  public init?(of chapter: String, in folder: URL) {
    let url = folder.appendingPathComponent("\(chapter).run.json")
    guard let data = try? Data(contentsOf: url),
      let stamp = try? JSONDecoder().decode(RunStamp.self, from: data)
    else { return nil }
    self = stamp
  }

  /// Reads a stamp; of the first version all time is the run's own.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    version = try values.decode(Int.self, forKey: .version)
    date = try values.decode(String.self, forKey: .date)
    machine = try values.decode(Machine.self, forKey: .machine)
    threads = try values.decode(Int.self, forKey: .threads)
    seconds = try values.decode(Double.self, forKey: .seconds)
    keptSeconds = try values.decode(Double.self, forKey: .keptSeconds)
    restSeconds = try values.decodeIfPresent(Double.self, forKey: .restSeconds) ?? seconds
    jobSeconds = try values.decodeIfPresent([String: Double].self, forKey: .jobSeconds) ?? [:]
    speed = try values.decodeIfPresent(Double.self, forKey: .speed)
    peakMegabytes = try values.decodeIfPresent(Double.self, forKey: .peakMegabytes)
  }
}

/// What the system says of the memory of this process.
public enum ProcessMemory {
  /// The most that was resident since `forgetPeak`, in megabytes; nil where the system does not tell.
  public static var peakMegabytes: Double? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM") })
    else { return nil }
    return Double(line.filter(\.isNumber)).map { $0 / 1024 }
  }

  /// Counts the peak from now on.
  public static func forgetPeak() {
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
  }
}

/// The most memory that the process held during each of several pieces of work.
///
/// The system counts one peak for the process; it is read and reset when a piece begins or ends, and
/// counts for all that were under way.
final class PeakMemory: Sendable {
  private let peaks = Mutex<[UUID: Double]>([:])

  /// Begins a piece.
  func begin() -> UUID {
    let piece = UUID()
    peaks.withLock { peaks in
      Self.collect(&peaks)
      peaks[piece] = 0
    }
    return piece
  }

  /// Ends a piece: its peak in megabytes; nil where the system does not tell.
  func end(_ piece: UUID) -> Double? {
    let peak = peaks.withLock { peaks in
      Self.collect(&peaks)
      return peaks.removeValue(forKey: piece)
    }
    return peak.flatMap { $0 > 0 ? ($0 * 10).rounded() / 10 : nil }
  }

  private static func collect(_ peaks: inout [UUID: Double]) {
    guard let peak = ProcessMemory.peakMegabytes else { return }
    for piece in peaks.keys { peaks[piece] = max(peaks[piece]!, peak) }
    ProcessMemory.forgetPeak()
  }
}
