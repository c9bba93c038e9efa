import CCrypto
import Foundation

/// A hash by SHA-256 in the making: the lab's only door to a cryptographic library.
///
/// `SHA256.digest(of:)` hashes what is whole; bytes that come in pieces are given to `update`, and
/// the pieces may be of any size. (FIPS 180-4, section 6.2.)
public struct SHA256: ~Copyable {
  /// The 32 bytes that a hash ends in.
  public struct Digest: Hashable, Sendable {
    /// The bytes, the most significant first.
    public let bytes: [UInt8]

    /// The bytes as 64 small hexadecimal digits.
    public var hexadecimal: String {
      let digits = Array("0123456789abcdef".utf8)
      return String(
        decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
  }

  /// The algorithm, in a context of its own: the system's configuration of OpenSSL, in which
  /// somebody may have forbidden or misspelt something, is none of the lab's.
  ///
  /// It is made once, never changed and never freed.
  private nonisolated(unsafe) static let algorithm: UnsafeMutableRawPointer = {
    guard let algorithm = EVP_MD_fetch(OSSL_LIB_CTX_new(), "SHA2-256", nil) else {
      unusable("offers no SHA-256")
    }
    return algorithm
  }()

  private let state: UnsafeMutableRawPointer

  /// A hash of nothing yet.
  public init() {
    guard let state = EVP_MD_CTX_new() else { Self.unusable("has no memory left") }
    self.state = state
    Self.demand(EVP_DigestInit_ex(state, Self.algorithm, nil))
  }

  deinit { EVP_MD_CTX_free(state) }

  /// Adds the next bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    Self.demand(EVP_DigestUpdate(state, bytes.baseAddress, bytes.count))
  }

  /// Adds the next bytes.
  public mutating func update(_ data: Data) { data.withUnsafeBytes { update($0) } }

  /// The digest of all bytes that were added; ends the hash.
  public consuming func finish() -> Digest {
    var bytes = [UInt8](repeating: 0, count: 32)
    Self.demand(EVP_DigestFinal_ex(state, &bytes, nil))
    return Digest(bytes: bytes)
  }

  /// The digest of some bytes.
  public static func digest(of data: Data) -> Digest {
    var hash = SHA256()
    hash.update(data)
    return hash.finish()
  }

  private static func demand(_ result: Int32) {
    guard result == 1 else { unusable("could not hash") }
  }

  /// Ends the program as one whose tool is missing.
  private static func unusable(_ reason: String) -> Never {
    FileHandle.standardError.write(
      Data("The system's libcrypto.so.3 \(reason); install libssl3 anew.\n".utf8))
    exit(69)
  }
}
