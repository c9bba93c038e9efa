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
    data.append(contentsOf: SHA256.digest(of: data).bytes)
    return data
  }

  /// Writes the file, beside its place and then renamed.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be written; an older file stays whole.
  public func write(to url: URL) throws(LabError) { try AtomicFile.write(encoded, to: url) }

  /// The most bytes that an archive of a module has, its header generously counted.
  ///
  /// - Parameter copies: the tensors for each parameter: its value, and what a training remembers.
  public static func mostBytes(of module: some Module, copies: Int = 1) -> Int {
    module.parameters.reduce(1 << 20) { $0 + 4 * copies * $1.value.count }
  }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that it may have: what the network in question can fill.
  ///   - remedy: what to do when it is there and cannot be used, to follow a semicolon.
  /// - Throws: `LabError` of kind `.input` that names the file when it is missing, too large, cut
  ///   short, altered, of another version or no such file at all.
  public init(
    reading url: URL, limit: Int = 1 << 26,
    remedy: String = "train it again with: swift run lab model"
  ) throws(LabError) {
    do {
      try self.init(Self.contents(of: url, limit: limit))
    } catch {
      throw LabError(.input, "\(url.path) \(error.reason); \(error.remedy ?? remedy)")
    }
  }

  /// The bytes of a regular file: a pipe or a device could go on for ever.
  private static func contents(of url: URL, limit: Int) throws(Malformed) -> Data {
    // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      var status = stat()
      guard code == ENOENT, lstat(url.path, &status) != 0 else {
        throw Malformed(
          reason: "cannot be read (\(String(errorNumber: code)))",
          remedy: "see to it that you may read it, or name another.")
      }
      throw Malformed(
        reason: "is not there",
        remedy: "make it with: swift run lab model --out \(url.path.shellQuoted)")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "no regular file"
      throw Malformed(reason: "is \(kind)", remedy: "name the file of a model.")
    }
    guard status.st_size <= limit else {
      throw Malformed(
        reason: "is of \(status.st_size) bytes, more than the \(limit) of any such network")
    }
    do {
      return try file.read(upToCount: Int(status.st_size)) ?? Data()
    } catch {
      throw Malformed(reason: "cannot be read")
    }
  }

  /// What is wrong with some bytes, worded to follow the name of the file.
  struct Malformed: Error {
    let reason: String
    /// What to do, to follow a semicolon; nil for what is usual.
    var remedy: String?
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
    guard SHA256.digest(of: data.dropLast(32)).bytes == Array(data.suffix(32)) else {
      throw Malformed(reason: "is cut short or altered (its digest is wrong)")
    }
    let headerEnd = 16 + Int(number(at: 12))
    guard headerEnd <= data.count - 32,
      let header = try? JSONDecoder().decode(Header.self, from: data[16..<headerEnd])
    else { throw Malformed(reason: "has no readable header") }
    guard Set(header.tensors.map(\.name)).count == header.tensors.count else {
      throw Malformed(reason: "names a tensor twice")
    }
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

  /// The tensors of a module's parameters under their paths.
  ///
  /// - Parameter prefix: stands before each path.
  public static func tensors(
    of module: some Module, prefix: String = ""
  ) -> [(name: String, value: Tensor)] {
    module.namedParameters.map { (prefix + $0.path, $0.parameter.value) }
  }

  /// Puts the tensors of this archive into the parameters of a module, each by its path.
  ///
  /// - Throws: `LabError` of kind `.input`, with nothing changed, when a path or a shape does not
  ///   fit (the file is of another network, or of a version that named its parameters otherwise),
  ///   or when a weight of a model is no finite number: such a network says nothing.
  public func restore(
    _ module: some Module, prefix: String = "", from url: URL
  ) throws(LabError) {
    var values: [(parameter: Parameter, value: Tensor)] = []
    for (path, parameter) in module.namedParameters {
      guard let found = tensors.first(where: { $0.name == prefix + path }),
        found.value.shape == parameter.value.shape
      else {
        throw LabError(
          .input,
          "\(url.path) has no \(path) of shape \(parameter.value.shape): it is a model of another "
            + "network; train it again with: swift run lab model")
      }
      guard kind != "model" || found.value.allFinite else {
        throw LabError(
          .input,
          "\(url.path) has a \(path) that is not finite; train it again with: swift run lab model")
      }
      values.append((parameter, found.value))
    }
    for (parameter, value) in values { parameter.value = value }
  }
}

extension Tensor {
  /// Whether no element is infinite or not a number.
  fileprivate var allFinite: Bool {
    withUnsafeBufferPointer { $0.allSatisfy(\.isFinite) }
  }
}
