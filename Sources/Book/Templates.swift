import Files
import Foundation
import Mustache

/// The templates of the book, which stand in files of the package.
struct Templates {
  /// Their folder in the package.
  static let path = "Sources/Book/Templates"

  private let library: MustacheLibrary

  /// Reads the templates of a package.
  ///
  /// - Throws: `LabError` of kind `.input` when they are missing or one has a mistake.
  init(root: URL) async throws {
    do {
      library = try await MustacheLibrary(directory: root.appendingPathComponent(Self.path).path)
    } catch {
      throw LabError(.input, "A template of \(Self.path) cannot be read (\(error)); restore it.")
    }
  }

  /// A template filled in, without the end of its last line.
  ///
  /// - Throws: `LabError` of kind `.input` when there is none of the name.
  func callAsFunction(_ name: String, _ context: [String: Any]) throws -> String {
    guard let text = library.render(Self.pruned(context), withTemplate: name) else {
      throw LabError(.input, "\(Self.path)/\(name).mustache is missing; restore it.")
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// A context without texts that are empty, which would open the sections of a template.
  private static func pruned(_ context: [String: Any]) -> [String: Any] {
    context.filter { ($0.value as? String) != "" }.mapValues { value in
      if let inner = value as? [String: Any] { return pruned(inner) }
      if let list = value as? [[String: Any]] { return list.map(pruned) }
      return value
    }
  }
}
