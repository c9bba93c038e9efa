import Foundation

/// The links of a text to files beside it.
extension Prose {
  /// Links that lead to no file of the package, with their lines.
  ///
  /// - Parameters:
  ///   - folder: where the text lies, from which a relative link leads.
  ///   - root: the package's folder, from which one with a slash before it leads.
  func deadLinks(from folder: URL, in root: URL) -> [(line: Int, sentence: String)] {
    links.compactMap { link in
      let path = link.path.prefix { $0 != "#" && $0 != "?" }
      // What has a scheme, such as https: or mailto:, leads out of the package.
      let hasScheme = path.first { $0 == ":" || $0 == "/" } == ":"
      guard !path.isEmpty, !path.hasPrefix("//"), !hasScheme else { return nil }
      let decoded = path.removingPercentEncoding ?? String(path)
      let start = decoded.hasPrefix("/") ? root : folder
      let target = start.appendingPathComponent(decoded).standardizedFileURL.path
      let home = root.standardizedFileURL.path
      let isInside = target == home || target.hasPrefix(home + "/")
      guard !isInside || !FileManager.default.fileExists(atPath: target) else { return nil }
      return (link.line, "the link \(link.path) leads to no file; give it the path of one.")
    }
  }
}
