import Crypto
import Files
import Foundation
import Gradients
import Tensors

/// A file of named tensors with a few words of state: a model, or a training that can go on.
///
/// Layout: the eight bytes `LABMODEL`, the version and the length of the header (32 bits each,
/// little-endian), the header as JSON, the tensors' elements as little-endian floats in the order
/// of the header, and the SHA-256 of all that. A reader that finds the digest right and the sizes
/// in agreement has the file that was written.
public struct Archive: Sendable {
  /// The version that this program writes and reads.
  public static let version: UInt32 = 1

  /// What the file is for, such as `model`.
  public var kind: String
  /// Free text that belongs to the kind, say JSON.
  public var state: String
  /// Tensors with unique names, in a fixed order.
  public var tensors: [(name: String, value: Tensor)]

  private static let magic = Data("LABMODEL".utf8)

  private struct Header: Codable {
    struct Entry: Codable {
      let name: String
      let shape: [Int]
    }
    let kind: String
    let state: String
    let tensors: [Entry]
  }

  /// An archive from its parts.
  public init(kind: String, state: String, tensors: [(name: String, value: Tensor)]) {
    self.kind = kind
    self.state = state
    self.tensors = tensors
  }

  /// The bytes of the file.
  public var encoded: Data {
    let header = Header(
      kind: kind, state: state,
      tensors: tensors.map { .init(name: $0.name, shape: $0.value.shape.dimensions) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Strings and integers only: there is nothing that JSON could refuse.
    let json = try! encoder.encode(header)
    var data = Self.magic
    for number in [Self.version, UInt32(json.count)] {
      withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
    }
    data.append(json)
    for (_, value) in tensors {
      value.withUnsafeBufferPointer { data.append(Data(buffer: $0)) }
    }
    data.append(contentsOf: SHA256.hash(data: data))
    return data
  }

  /// Writes the file, beside its place and then renamed.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be written; an older file stays whole.
  public func write(to url: URL) throws(LabError) { try AtomicFile.write(encoded, to: url) }

  /// Reads a file.
  ///
  /// - Throws: `LabError` of kind `.input` that names the file when it is missing, cut short,
  ///   altered, of another version or no such file at all.
  public init(reading url: URL) throws(LabError) {
    guard let data = Self.contents(of: url) else {
      throw LabError(
        .input, "\(url.path) cannot be read; make it with: swift run lab model --out \(url.path)")
    }
    do {
      try self.init(data)
    } catch {
      throw LabError(
        .input, "\(url.path) \(error.reason); train it again with: swift run lab model")
    }
  }

  /// The bytes of a regular file: a pipe or a device could go on for ever.
  private static func contents(of url: URL) -> Data? {
    var status = stat()
    guard stat(url.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return try? Data(contentsOf: url)
  }

  /// What is wrong with some bytes, worded to follow the name of the file.
  struct Malformed: Error {
    let reason: String
  }

  /// Reads the bytes of a file.
  init(_ data: Data) throws(Malformed) {
    func number(at offset: Int) -> UInt32 {
      data.dropFirst(offset).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    guard data.count >= 16 + 32, data.prefix(8) == Self.magic else {
      throw Malformed(reason: "is no model of this lab")
    }
    let version = number(at: 8)
    guard version == Self.version else {
      throw Malformed(
        reason: "is of version \(version), and this program reads version \(Self.version)")
    }
    guard Data(SHA256.hash(data: data.dropLast(32))) == data.suffix(32) else {
      throw Malformed(reason: "is cut short or altered (its digest is wrong)")
    }
    let headerEnd = 16 + Int(number(at: 12))
    guard headerEnd <= data.count - 32,
      let header = try? JSONDecoder().decode(Header.self, from: data[16..<headerEnd])
    else { throw Malformed(reason: "has no readable header") }
    var offset = headerEnd
    var tensors: [(name: String, value: Tensor)] = []
    for entry in header.tensors {
      var count = 1
      for extent in entry.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow else { throw Malformed(reason: "has an absurd shape") }
        count = product
      }
      guard entry.shape.count <= 4, count <= (data.count - 32 - offset) / 4 else {
        throw Malformed(reason: "holds less than its header says")
      }
      let value = Tensor(uninitialized: Shape(entry.shape)) { elements in
        _ = data[offset..<offset + 4 * count].copyBytes(to: elements)
      }
      tensors.append((entry.name, value))
      offset += 4 * count
    }
    guard offset == data.count - 32 else {
      throw Malformed(reason: "holds more than its header says")
    }
    self.init(kind: header.kind, state: header.state, tensors: tensors)
  }

  /// Puts the tensors of this archive into parameters of the same names.
  ///
  /// - Throws: `LabError` of kind `.input` when a name or a shape does not fit.
  public func restore(_ parameters: [Parameter], from url: URL) throws(LabError) {
    for parameter in parameters {
      guard let found = tensors.first(where: { $0.name == parameter.name }),
        found.value.shape == parameter.value.shape
      else {
        throw LabError(
          .input,
          "\(url.path) has no \(parameter.name) of shape \(parameter.value.shape): it is a model "
            + "of another network; train it again with: swift run lab model")
      }
      parameter.value = found.value
    }
  }
}
