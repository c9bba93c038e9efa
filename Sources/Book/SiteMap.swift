import Foundation

/// Where the files of the package are in the book, by their paths in the package.
///
/// A link of the prose leads to the page of its file; a file that has none yet and is text gets one.
struct SiteMap {
  private let root: URL
  /// The addresses of pages, from the book's folder.
  private(set) var pages: [String: String]
  /// The files that are shown whole, sorted by their paths.
  private(set) var shown: Set<String> = []
  /// Files larger than this are no reading.
  private static let greatest = 400_000

  /// A map of the pages that are there whatever the prose says.
  init(root: URL, pages: [String: String]) {
    self.root = root
    self.pages = pages
  }

  /// The address of a file that is shown whole.
  static func address(ofFile path: String) -> String { "code/\(path).html" }

  /// What leads from a page back to the book's folder.
  static func way(from address: String) -> String {
    String(repeating: "../", count: address.count { $0 == "/" })
  }

  /// Gives a file a page of its own, and returns its address; nil when it is no text of the package.
  mutating func show(_ path: String) -> String? {
    if let page = pages[path] { return page }
    let url = root.appendingPathComponent(path)
    guard let data = try? Data(contentsOf: url), data.count <= Self.greatest,
      String(validating: data, as: UTF8.self) != nil
    else { return nil }
    shown.insert(path)
    pages[path] = Self.address(ofFile: path)
    return pages[path]
  }

  /// Where a link of a text leads in the book; nil when it leads nowhere.
  ///
  /// - Parameters:
  ///   - link: the address as the text has it.
  ///   - source: the text's path in the package.
  mutating func address(of link: String, in source: String) -> String? {
    let end = link.firstIndex { $0 == "#" || $0 == "?" } ?? link.endIndex
    let (path, rest) = (link[..<end], link[end...])
    if path.isEmpty { return rest.isEmpty ? nil : link }
    if link.hasPrefix("https://") || link.hasPrefix("http://") || link.hasPrefix("mailto:") {
      return link
    }
    guard let target = packagePath(String(path), in: source), let page = show(target) else {
      return nil
    }
    return page + rest
  }

  /// The path in the package of a file that a text names; nil when it leads out of the package.
  func packagePath(_ link: String, in source: String) -> String? {
    let decoded = link.removingPercentEncoding ?? link
    var parts =
      decoded.hasPrefix("/") ? [] : source.split(separator: "/").dropLast().map(String.init)
    for part in decoded.split(separator: "/") where part != "." {
      if part == ".." {
        guard parts.popLast() != nil else { return nil }
      } else {
        parts.append(String(part))
      }
    }
    return parts.isEmpty ? nil : parts.joined(separator: "/")
  }
}
