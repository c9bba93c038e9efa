import Files
import Foundation
@testable import Pictures
import Servers

/// A folder of a test's own, with the small set in it.
final class TinyFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("stl10-\(UUID())")
  /// What the small set must hold, as the command demands of the published one.
  static let counts = STL10.Counts(
    unlabelled: TinySTL10.unlabelled, train: TinySTL10.train, test: TinySTL10.test,
    fold: TinySTL10.fold, foldBytes: TinySTL10.folds.utf8.count)

  init() throws { try TinySTL10.write(to: url) }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Replaces the bytes of a file by others made of them.
  func change(_ name: String, _ body: (inout Data) -> Void) throws {
    var data = try Data(contentsOf: file(name))
    body(&data)
    try data.write(to: file(name))
  }

  /// The sentence of the error that the reader throws, without the folder's path; nil without one.
  func sentence(_ counts: STL10.Counts?) -> String? {
    do {
      _ = try STL10(url, counts: counts)
      return nil
    } catch let error as LabError {
      return error.kind == .input
        ? error.description.replacingOccurrences(of: url.path, with: "DIR") : "\(error.kind)"
    } catch {
      return "\(error)"
    }
  }
}
