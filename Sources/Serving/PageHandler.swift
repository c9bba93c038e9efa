import FlyingFox
import Foundation

/// What is answered to a browser: pages, whether they are new, and quick runs.
struct PageHandler: HTTPHandler {
  /// Where what only served pages have stands; no file of a book begins so.
  static let prefix = ".lab/"

  let book: ServedBook
  /// What served pages have beside those on the disk, by their names.
  let assets: [String: Data]
  /// The chapters that may be run.
  let chapters: Set<String>
  let runs: QuickRuns

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    // Another site whose name leads to this machine must not read what is written here.
    guard let host = request.headers[.host], Self.isOwn(host) else {
      return Self.plain(.forbidden, "This is served to this machine alone.")
    }
    guard let path = Self.path(of: request) else { return Self.notFound }
    if path == Self.prefix + "quick" { return try await quick(request, host) }
    guard request.method == .GET || request.method == .HEAD else {
      var response = Self.plain(.methodNotAllowed, "Pages can be read, and nothing else.")
      response.headers[HTTPHeader("Allow")] = "GET, HEAD"
      return response
    }
    let response = try await read(path, request)
    return request.method == .HEAD ? try await Self.head(of: response) : response
  }

  private func read(_ path: String, _ request: HTTPRequest) async throws -> HTTPResponse {
    if path == Self.prefix + "state" {
      let known = Self.known(in: request)
      let state = if let known { try await book.state(after: known) } else { await book.state }
      return Self.response(.ok, try JSONEncoder().encode(state), "application/json")
    }
    if path.hasPrefix(Self.prefix) {
      guard let data = assets[String(path.dropFirst(Self.prefix.count))] else {
        return Self.notFound
      }
      return Self.response(.ok, data, Self.kind(of: path))
    }
    guard let (data, version) = await book.file(path.isEmpty ? "index.html" : path) else {
      return await book.version > 0
        ? Self.notFound : Self.plain(.serviceUnavailable, "The book is being made.")
    }
    let kind = Self.kind(of: path.isEmpty ? "index.html" : path)
    guard kind.hasPrefix("text/html") else { return Self.response(.ok, data, kind) }
    return Self.response(.ok, served(data, version), kind)
  }

  /// A page with what looks for new ones.
  private func served(_ page: Data, _ version: Int) -> Data {
    guard let end = page.range(of: Data("</head>".utf8)) else { return page }
    let head = """
      <link rel="stylesheet" href="/\(Self.prefix)serve.css">
      <script defer src="/\(Self.prefix)serve.js" data-version="\(version)"></script>

      """
    return page[..<end.lowerBound] + Data(head.utf8) + page[end.lowerBound...]
  }

  // MARK: Quick runs

  /// Says what is known of a chapter's quick runs, or begins one: for a page of this server, and for no
  /// other that the browser shows.
  private func quick(_ request: HTTPRequest, _ host: String) async throws -> HTTPResponse {
    guard request.method == .POST || request.method == .GET else {
      var response = Self.plain(.methodNotAllowed, "A run is asked for by POST, and about by GET.")
      response.headers[HTTPHeader("Allow")] = "GET, POST"
      return response
    }
    let isBegun = request.method == .POST
    guard !isBegun || request.headers[HTTPHeader("Origin")] == "http://\(host)" else {
      return Self.plain(.forbidden, "A run is started from the page that shows the chapter.")
    }
    guard let chapter = request.query.first(where: { $0.name == "chapter" })?.value,
      chapters.contains(chapter)
    else { return Self.notFound }
    if isBegun {
      guard await runs.begin(chapter, version: book.version) else {
        return Self.plain(.conflict, "Another run is under way; wait for its end.")
      }
    }
    let state =
      if !isBegun, let known = Self.known(in: request) {
        try await runs.state(of: chapter, after: known)
      } else {
        await runs.state(of: chapter)
      }
    return Self.response(
      isBegun ? .accepted : .ok, try JSONEncoder().encode(state), "application/json")
  }

  // MARK: Requests

  /// The number of the state that a browser knows.
  private static func known(in request: HTTPRequest) -> Int? {
    request.query.first { $0.name == "after" }.flatMap { Int($0.value) }
  }

  /// Whether a name in a request is this machine's own.
  private static func isOwn(_ host: String) -> Bool {
    let name = host.split(separator: ":", omittingEmptySubsequences: false).first ?? ""
    return ["127.0.0.1", "localhost"].contains(name.lowercased())
  }

  /// The path of a request in the book, without its first slash; nil for one that no file has.
  ///
  /// Taken as it was sent: it has not been made shorter by the library, and leads nowhere else.
  static func path(of request: HTTPRequest) -> String? {
    let raw = request.target.path()
    guard raw.hasPrefix("/"), let path = raw.removingPercentEncoding else { return nil }
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    guard !parts.contains(".."), !parts.contains("."), !path.contains("\0") else { return nil }
    return String(path.dropFirst())
  }

  // MARK: Responses

  private static let notFound = plain(.notFound, "The book has no such page.")

  private static func plain(_ code: HTTPStatusCode, _ words: String) -> HTTPResponse {
    response(code, Data((words + "\n").utf8), "text/plain; charset=utf-8")
  }

  private static func response(
    _ code: HTTPStatusCode, _ body: Data, _ kind: String
  ) -> HTTPResponse {
    HTTPResponse(
      statusCode: code,
      headers: [
        .contentType: kind, HTTPHeader("Cache-Control"): "no-store",
        HTTPHeader("X-Content-Type-Options"): "nosniff",
      ], body: body)
  }

  /// The same response without its body, whose length it tells.
  private static func head(of response: HTTPResponse) async throws -> HTTPResponse {
    var head = HTTPResponse(
      statusCode: response.statusCode, headers: response.headers, body: Data())
    head.headers[.contentLength] = "\(try await response.bodyData.count)"
    return head
  }

  private static func kind(of path: String) -> String {
    switch (path as NSString).pathExtension {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    default: "application/octet-stream"
    }
  }
}
