import Files
import Foundation

/// What a run of a chapter showed: the facts that the prose is bound to.
///
/// It holds no time and nothing about the machine, so that the same run writes the same bytes; those
/// stand beside it in a `RunStamp`.
public struct Record: Codable, Equatable, Sendable {
  /// The version of the format that this program writes and reads.
  public static let currentVersion = 2

  /// How long a run was: only a full one may stand behind the prose.
  public enum Mode: String, Codable, Sendable { case full, quick }

  /// How a run ended: `failed` when a check or a claim failed, or the chapter itself had a fault.
  public enum Status: String, Codable, Sendable { case passed, failed }

  /// The chapter's number, such as `2.1`.
  public var chapter: String
  /// Measured quantities with the bounds that they must keep, in the order of the run.
  public var checks: [Check]
  /// Sentences of the prose with the comparisons that make them true, in the order of the run.
  public var claims: [Claim]
  /// The SHA-256, in hexadecimal, of what the run undertook to keep: see `contractDigest`.
  public var contract = ""
  /// The SHA-256, in hexadecimal, of the engine that made the run (see `PackageCode`).
  ///
  /// It is that of no engine when results of another one stand in the run.
  public var engine: String
  /// Mistakes of the chapter itself, one sentence each: a name used twice, a value not finite.
  public var faults: [String]
  /// The figures, in the order of the run.
  public var figures: [FigureEntry]
  /// The results of long work on which the run stands and which are committed, by name.
  public var jobs: [Job] = []
  /// How long the run was.
  public var mode: Mode
  /// Numbers of somebody else's, in the order of the run.
  public var quotes: [Quote]
  /// The SHA-256, in hexadecimal, of the whole record without it: see `sealed`.
  public var seal = ""
  /// The seed of all random streams.
  public var seed: UInt64
  /// The SHA-256, in hexadecimal, of each file that the run depended on when it began, by its path: of
  /// a Swift file's code without its comments (`PackageCode`), of any other as it stands.
  ///
  /// These are the chapter's Swift file, its folder in Experiments, the files of Methods and of
  /// Experiments/Shared that these name, and every file that the prose quotes.
  public var sources: [String: String]
  /// How the run ended.
  public var status: Status
  /// The chapter's title.
  public var title: String
  /// The numbers that the prose may show, in the order of the run.
  public var values: [Value]
  /// The version of this format.
  public var version = currentVersion

  /// A figure that the run made.
  public struct FigureEntry: Codable, Equatable, Sendable {
    /// The part of the file's name after the chapter's number.
    public var name: String
    /// The finding that the figure shows.
    public var title: String
    /// The SHA-256 of the `.dat` file, in hexadecimal.
    public var data: String
    /// The SHA-256 of the `.svg` file, in hexadecimal; empty where none was drawn.
    public var picture = ""
  }

  /// A result of long work that is committed under `results/`.
  public struct Job: Codable, Equatable, Sendable {
    /// What tells it apart from the others of the chapter.
    public var name: String
    /// The SHA-256 of the result itself, in hexadecimal.
    public var result: String
  }

  /// A number that the prose may show.
  public struct Value: Codable, Equatable, Sendable {
    /// Lower camel case words joined by dots, such as `nesterov.loss.mean`.
    public var name: String
    /// The number itself.
    public var value: Double
    /// The standard deviation over seeds or splits of what the value is the mean of.
    public var deviation: Double?
    /// How far a re-run may differ, in the units of the value.
    public var tolerance: Double
    /// The unit, such as `%`; empty for a bare number.
    public var unit: String
  }

  /// A number of somebody else's, such as a paper's.
  public struct Quote: Codable, Equatable, Sendable {
    /// Lower camel case words joined by dots; shares its name space with the values.
    public var name: String
    /// The number as the source gives it.
    public var value: Double
    /// Where the number stands, such as `Rasmus et al. 2015, table 1`.
    public var source: String
  }

  /// A sentence of the prose, bound to a comparison over values.
  public struct Claim: Codable, Equatable, Sendable {
    /// The sentence as the prose has it, verbatim.
    public var sentence: String
    /// The comparison, such as `nesterov.steps < momentum.steps`.
    public var predicate: String
    /// Whether the comparison held.
    public var holds: Bool
  }
}

// MARK: - Files

extension Record {
  /// The record as it is committed: pretty-printed JSON with sorted keys and a last newline.
  public func encoded() throws(LabError) -> Data {
    let json = try Record.encode(self, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return json + Data("\n".utf8)
  }

  /// Reads a record.
  /// - Parameters:
  ///   - data: the bytes of `<id>.json`.
  ///   - path: the file as an error shall name it.
  /// - Throws: `LabError` of kind `.input` when the bytes are no record of this version.
  public static func decoded(from data: Data, path: String) throws(LabError) -> Record {
    struct Header: Decodable { let version: Int }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = nonFiniteNumbers.decoding
    do {
      let version = try decoder.decode(Header.self, from: data).version
      guard version == currentVersion else {
        throw LabError(
          .input,
          "\(path) is a record of version \(version), and this program reads version "
            + "\(currentVersion); run the chapter again.")
      }
      return try decoder.decode(Record.self, from: data)
    } catch let error as LabError {
      throw error
    } catch {
      throw LabError(.input, "\(path) is not a whole record; run the chapter again.")
    }
  }

  /// How JSON, which has no NaN, spells what is no finite number.
  static var nonFiniteNumbers:
    (
      encoding: JSONEncoder.NonConformingFloatEncodingStrategy,
      decoding: JSONDecoder.NonConformingFloatDecodingStrategy
    )
  {
    (
      .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan"),
      .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    )
  }

  /// JSON in which a measurement that is no number is a string: JSON has no NaN.
  public static func encode(
    _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting
  ) throws(LabError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    encoder.nonConformingFloatEncodingStrategy = nonFiniteNumbers.encoding
    do {
      return try encoder.encode(value)
    } catch {
      throw LabError(.failed, "The record cannot be written as JSON: \(error).")
    }
  }

  /// The value or quote of a name.
  public func number(named name: String) -> Double? {
    values.first { $0.name == name }?.value ?? quotes.first { $0.name == name }?.value
  }
}
