import CCurl
import Foundation
import Synchronization

/// One file fetched over HTTP into memory, with bounds on its size and on the server's patience.
///
/// By libcurl itself: Foundation's session keeps the body of a redirect and all headers without a
/// bound, hands data on faster than anybody can refuse it, and takes no refusal of an answer.
final class Download: Sendable {
  private static let mostRedirects = 5

  private struct State {
    var isCancelled = false
    var continuation: CheckedContinuation<Data, any Error>?
  }

  private let state = Mutex(State())
  private let limit: Int
  private let pace: Pace
  private let report: @Sendable (Double) -> Void

  private init(limit: Int, pace: Pace, report: @escaping @Sendable (Double) -> Void) {
    self.limit = limit
    self.pace = pace
    self.report = report
  }

  /// Fetches a file.
  ///
  /// - Parameters:
  ///   - url: where it is.
  ///   - limit: the most bytes that are taken; a longer answer is refused.
  ///   - pace: how fast they must come.
  ///   - report: is told the fraction that has come.
  /// - Throws: `Malformed` with the reason, worded to follow the server's name; `CancellationError`,
  ///   at once.
  static func data(
    from url: URL, limit: Int, pace: Pace = .usual, report: @escaping @Sendable (Double) -> Void
  ) async throws -> Data {
    let download = Download(limit: limit, pace: pace, report: report)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = download.state.withLock { state in
          state.continuation = continuation
          return state.isCancelled
        }
        if isCancelled { return download.finish(.failure(CancellationError())) }
        // A thread of its own, which may wait without keeping a task from running.
        Thread { download.finish(Result { try download.follow(url) }) }.start()
      }
    } onCancel: {
      download.state.withLock { $0.isCancelled = true }
      // The thread notices by itself, in a tenth of a second or when a name has been looked up.
      download.finish(.failure(CancellationError()))
    }
  }

  private func finish(_ result: Result<Data, any Error>) {
    let continuation = state.withLock { state in
      defer { state.continuation = nil }
      return state.continuation
    }
    continuation?.resume(with: result)
  }

  /// Fetches from an address, or from where it leads.
  private func follow(_ url: URL) throws -> Data {
    var (url, headerBytes) = (url, 0)
    for _ in 0...Self.mostRedirects {
      guard ["http", "https"].contains(url.scheme?.lowercased()) else {
        throw Malformed("is or leads to no address of the web (\(url.absoluteString.prefix(200)))")
      }
      let answer = Answer(limit: limit, headerBytes: headerBytes, report: report)
      let code = try transfer(url, to: answer)
      if let refusal = answer.refusal { throw Malformed(refusal) }
      if let place = answer.redirection {
        guard let next = URL(string: place, relativeTo: url)?.absoluteURL else {
          throw Malformed("leads to an address that is none")
        }
        (url, headerBytes) = (next, answer.headerBytes)
        continue
      }
      if let reason = Self.reason(code) { throw Malformed(reason) }
      return answer.data
    }
    throw Malformed("leads from one address to the next without end")
  }

  private static let isReady: Bool = {
    // The first handle prepares the library, which older ones do not do for two threads at once.
    curl_easy_cleanup(curl_easy_init())
    return true
  }()

  /// Asks one address; returns libcurl's code.
  private func transfer(_ url: URL, to answer: Answer) throws -> Int32 {
    guard Self.isReady, let easy = curl_easy_init() else { throw Malformed("could not be asked") }
    defer { curl_easy_cleanup(easy) }
    guard let multi = curl_multi_init() else { throw Malformed("could not be asked") }
    defer { curl_multi_cleanup(multi) }
    let receive: CurlReceiver = { bytes, size, count, owner in
      Unmanaged<Answer>.fromOpaque(owner!).takeUnretainedValue()
        .receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    let receiveHeader: CurlReceiver = { bytes, size, count, owner in
      Unmanaged<Answer>.fromOpaque(owner!).takeUnretainedValue()
        .receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    let owner = Unmanaged.passUnretained(answer).toOpaque()
    _ = curlSetText(easy, CurlOptionURL, url.absoluteString)
    _ = curlSetText(easy, CurlOptionUserAgent, "lab")
    // HTTP and HTTPS: what a server leads to must be no file of this machine.
    _ = curlSetNumber(easy, CurlOptionProtocols, 3)
    _ = curlSetNumber(easy, CurlOptionNoSignal, 1)
    _ = curlSetNumber(easy, CurlOptionHidesProxyHeaders, 1)
    _ = curlSetNumber(easy, CurlOptionLeavesResolver, 1)
    // Without a connection for so long the next source is tried.
    _ = curlSetNumber(easy, CurlOptionConnectMilliseconds, 10_000)
    _ = curlSetFunction(easy, CurlOptionWriteFunction, receive)
    _ = curlSetOwner(easy, CurlOptionWriteOwner, owner)
    _ = curlSetFunction(easy, CurlOptionHeaderFunction, receiveHeader)
    _ = curlSetOwner(easy, CurlOptionHeaderOwner, owner)
    return try withExtendedLifetime(answer) {
      curl_multi_add_handle(multi, easy)
      defer { curl_multi_remove_handle(multi, easy) }
      var watch = PaceWatch(pace)
      var running: Int32 = 1
      while true {
        guard curl_multi_perform(multi, &running) == 0 else {
          throw Malformed("could not be asked")
        }
        if running == 0 { return curlResult(multi) }
        if state.withLock({ $0.isCancelled }) { throw CancellationError() }
        if let complaint = watch.complaint(about: answer.byteCount) { throw Malformed(complaint) }
        curl_multi_poll(multi, nil, 0, 100, nil)
      }
    }
  }

  /// Why a transfer failed, in our words where we know it; nil when it did not.
  private static func reason(_ code: Int32) -> String? {
    switch code {
    case 0: nil
    // Names, connections, and ten seconds without one.
    case 5, 6, 7, 28: "could not be reached"
    case 1, 8: "sent no answer of HTTP"
    case 18, 52, 55, 56, 92: "broke off"
    // One line of them that fills libcurl's own buffer.
    case 27, 100: "sent headers without end"
    default: "could not be asked (\(String(cString: curl_easy_strerror(code))))"
    }
  }
}

/// What a server answers to one request, as far as it is taken.
private final class Answer {
  /// The most bytes of headers, those of the answers that led here included.
  private static let mostHeaders = 1 << 16
  private let limit: Int
  private let report: @Sendable (Double) -> Void
  private var status = 0
  private var location: String?
  private var expected: Int?

  private(set) var data = Data()
  private(set) var headerBytes: Int
  /// Why no more is taken, worded to follow the server's name.
  private(set) var refusal: String?
  /// Where the answer leads, when it is elsewhere.
  private(set) var redirection: String?

  init(limit: Int, headerBytes: Int, report: @escaping @Sendable (Double) -> Void) {
    self.limit = limit
    self.headerBytes = headerBytes
    self.report = report
  }

  /// All that has come.
  var byteCount: Int { headerBytes + data.count }

  /// Takes a part of the body; another number than its own ends the transfer.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard data.count + bytes.count <= limit else {
      return refuse("sent more than the file can hold")
    }
    data.append(contentsOf: bytes)
    report(expected.map { $0 > 0 ? Double(data.count) / Double($0) : 0 } ?? 0)
    return bytes.count
  }

  /// Takes a line of the headers.
  ///
  /// The body of an answer that is no file is not waited for: it may have no end.
  func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= Self.mostHeaders else { return refuse("sent headers without end") }
    let line = String(decoding: bytes, as: UTF8.self)
    let words = line.split(whereSeparator: \.isWhitespace)
    if line.hasPrefix("HTTP/") {
      status = words.dropFirst().first.flatMap { Int($0) } ?? 0
      (location, expected) = (nil, nil)
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
      switch line[..<colon].lowercased() {
      case "location": location = value
      case "content-length": expected = Int(value)
      default: break
      }
    } else if words.isEmpty {
      switch status {
      case 100..<200: break
      case 200:
        if let expected, expected > limit {
          return refuse("promises \(expected.grouped) bytes, more than the file can hold")
        }
      default:
        guard [301, 302, 303, 307, 308].contains(status), let location else {
          return refuse("answered with status \(status)")
        }
        redirection = location
        return -1
      }
    }
    return bytes.count
  }

  private func refuse(_ reason: String) -> Int {
    refusal = reason
    return -1
  }
}
