import Files
import FlyingFox
import Foundation
import Synchronization
import Testing

@testable import Serving

/// What is answered to a browser, and to what is none.
@Suite struct PageHandlerTests {
  let runs = QuickRuns { chapter in ("\(chapter): 1 of 1 check hold", true) }
  let page = Data("<html><head><title>t</title></head><body>b</body></html>".utf8)

  func handler() async throws -> PageHandler {
    let files = [
      "index.html": page, "2.1-two.html": page, "code/Chapters/2.1-two.swift.html": page,
      "book.css": Data("a {}".utf8), ".lab-book": Data("mark".utf8),
    ]
    let book = ServedBook { files }
    try await book.make()
    return PageHandler(
      book: book, assets: ["serve.js": Data("j".utf8), "serve.css": Data("c".utf8)],
      chapters: ["2.1"], runs: runs)
  }

  func answer(
    _ method: HTTPMethod, _ target: String, host: String? = "127.0.0.1:2016",
    origin: String? = nil
  ) async throws -> (code: Int, headers: HTTPHeaders, body: String) {
    var headers = HTTPHeaders()
    headers[.host] = host
    headers[HTTPHeader("Origin")] = origin
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    let request = HTTPRequest(
      method: method, version: .http11,
      target: .init(path: parts[0], query: parts.count > 1 ? parts[1] : ""), headers: headers,
      body: HTTPBodySequence())
    let response = try await handler().handleRequest(request)
    return (
      response.statusCode.code, response.headers,
      String(decoding: try await response.bodyData, as: UTF8.self)
    )
  }

  @Test(arguments: [
    ("/", 200, "text/html; charset=utf-8"), ("/index.html", 200, "text/html; charset=utf-8"),
    ("/2.1-two.html?x=1", 200, "text/html; charset=utf-8"),
    ("/code/Chapters/2.1-two.swift.html", 200, "text/html; charset=utf-8"),
    ("/2%2E1-two.html", 200, "text/html; charset=utf-8"),
    ("/book.css", 200, "text/css; charset=utf-8"),
    ("/.lab/serve.js", 200, "text/javascript; charset=utf-8"),
    ("/none.html", 404, "text/plain; charset=utf-8"), ("/code", 404, "text/plain; charset=utf-8"),
    ("/code/", 404, "text/plain; charset=utf-8"),
    ("/.lab/none.js", 404, "text/plain; charset=utf-8"),
  ])
  func aPathLeadsToItsFile(_ path: String, _ code: Int, _ kind: String) async throws {
    let (found, headers, body) = try await answer(.GET, path)
    #expect(found == code && headers[.contentType] == kind)
    if code == 404 { #expect(body == "The book has no such page.\n") }
  }

  @Test(arguments: [
    "/../etc/passwd", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd", "/code/../index.html", "/code/%2e%2e/index.html", "/./index.html",
    "//etc/passwd", "/etc/passwd", "/index.html%00", "/%ff%fe", "/index.html/", "\\..\\etc",
    "/.lab/../index.html", "/%2e%2e%5cindex.html", "http://127.0.0.1/index.html",
  ])
  func aPathOutOfTheBookLeadsNowhere(_ path: String) async throws {
    let (code, _, body) = try await answer(.GET, path)
    #expect(code == 404 && body == "The book has no such page.\n")
  }

  @Test func onlyPagesHaveTheScript() async throws {
    let page = try await answer(.GET, "/").body
    #expect(
      page.hasPrefix(
        "<html><head><title>t</title><link rel=\"stylesheet\" href=\"/.lab/serve.css\">\n"
          + "<script defer src=\"/.lab/serve.js\" data-version=\"1\"></script>\n</head>"))
    #expect(try await answer(.GET, "/book.css").body == "a {}")
  }

  @Test func aHeadHasTheLengthAndNoBody() async throws {
    let whole = try await answer(.GET, "/2.1-two.html")
    let head = try await answer(.HEAD, "/2.1-two.html")
    #expect(head.code == 200 && head.body == "")
    #expect(head.headers[.contentLength] == "\(whole.body.utf8.count)")
    #expect(try await answer(.HEAD, "/none.html").code == 404)
  }

  @Test(arguments: [HTTPMethod.POST, .PUT, .DELETE, .OPTIONS, .PATCH, .TRACE])
  func pagesAreOnlyRead(_ method: HTTPMethod) async throws {
    let (code, headers, _) = try await answer(method, "/index.html")
    #expect(code == 405 && headers[HTTPHeader("Allow")] == "GET, HEAD")
  }

  @Test(arguments: [nil, "example.org", "example.org:2016", "127.0.0.1.example.org:2016", ""])
  func anotherNameIsRefused(_ host: String?) async throws {
    #expect(try await answer(.GET, "/index.html", host: host).code == 403)
    #expect(try await answer(.GET, "/index.html", host: "LocalHost:1").code == 200)
  }

  @Test func aRunIsStartedFromTheServersOwnPage() async throws {
    let (path, own) = ("/.lab/quick?chapter=2.1", "http://127.0.0.1:2016")
    for (method, target, origin, code) in [
      (HTTPMethod.PUT, path, own, 405), (.POST, path, nil, 403),
      (.POST, path, "http://example.org", 403), (.POST, path, "https://127.0.0.1:2016", 403),
      (.POST, path, "http://127.0.0.1:2017", 403), (.POST, path, "null", 403),
      (.POST, "/.lab/quick?chapter=9.9", own, 404), (.POST, "/.lab/quick", own, 404),
      (.POST, "/.lab/quick?chapter=--out", own, 404),
    ] as [(HTTPMethod, String, String?, Int)] {
      let answer = try await answer(method, target, origin: origin)
      #expect(answer.code == code, "\(method) \(target) \(origin ?? "")")
    }
    #expect(await runs.state(of: "2.1") == .init())
    let (code, _, body) = try await answer(.POST, path, origin: own)
    let begun = try JSONDecoder().decode(QuickRuns.State.self, from: Data(body.utf8))
    #expect(code == 202 && begun == .init(number: 1, isUnderWay: true))
    #expect(try await answer(.POST, path, origin: own).code == 409)
    // Any page may ask for what it says.
    let work = Task { [runs] in try await runs.serve() }
    defer { work.cancel() }
    let told = try await answer(.GET, path + "&after=1")
    let state = try JSONDecoder().decode(QuickRuns.State.self, from: Data(told.body.utf8))
    #expect(told.code == 200)
    #expect(
      state == .init(number: 2, words: "2.1: 1 of 1 check hold", holds: true, version: 1))
    #expect(try await answer(.GET, "/.lab/quick?chapter=9.9").code == 404)
  }

  @Test func aNewBookIsToldOfAtOnceAndABrokenOneKeepsItsPages() async throws {
    final class Disk: Sendable {
      let isBroken = Mutex(false)
      let count = Mutex(0)
    }
    let state = Disk()
    let book = ServedBook {
      if state.isBroken.withLock({ $0 }) { throw LabError(.input, "A formula is none.") }
      let count = state.count.withLock { count in
        count += 1
        return count
      }
      return ["index.html": Data("\(count)".utf8)]
    }
    try await book.make()
    #expect(await book.state == .init(version: 1, complaint: nil))
    // Nothing new: the answer comes when patience ends.
    let start = ContinuousClock.now
    _ = try await book.state(after: 1, patience: .milliseconds(300))
    #expect(ContinuousClock.now - start >= .milliseconds(300))
    async let told = book.state(after: 1, patience: .seconds(60))
    state.isBroken.withLock { $0 = true }
    try await book.makeAgain()
    #expect(try await told == .init(version: 2, complaint: "A formula is none."))
    #expect(await book.file("index.html")?.data == Data("1".utf8))
    state.isBroken.withLock { $0 = false }
    try await book.makeAgain()
    #expect(await book.state == .init(version: 3, complaint: nil))
    #expect(await book.file("index.html")?.data == Data("2".utf8))
  }
}
