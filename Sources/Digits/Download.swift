import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One file fetched over HTTP into memory, with a bound on its size.
final class Download: NSObject, URLSessionDataDelegate, Sendable {
  private struct State {
    var data = Data()
    var expected = 0
    var refusal: String?
    var continuation: CheckedContinuation<Data, any Error>?
  }

  private let state = Mutex(State())
  private let limit: Int
  private let report: @Sendable (Double) -> Void

  private init(limit: Int, report: @escaping @Sendable (Double) -> Void) {
    self.limit = limit
    self.report = report
  }

  /// Fetches a file.
  ///
  /// - Parameters:
  ///   - url: where it is.
  ///   - limit: the most bytes that are taken; a longer answer is refused.
  ///   - report: is told the fraction that has come.
  /// - Throws: `Malformed` with the reason, worded to follow the server's name; `CancellationError`.
  static func data(
    from url: URL, limit: Int, report: @escaping @Sendable (Double) -> Void
  ) async throws -> Data {
    let download = Download(limit: limit, report: report)
    let configuration = URLSessionConfiguration.ephemeral
    // Without an answer for so long the next source is tried.
    configuration.timeoutIntervalForRequest = 10
    let session = URLSession(
      configuration: configuration, delegate: download, delegateQueue: nil)
    defer { session.invalidateAndCancel() }
    let task = session.dataTask(with: url)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        download.state.withLock { $0.continuation = continuation }
        task.resume()
      }
    } onCancel: {
      task.cancel()
    }
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    let isGood = status == 200
    state.withLock { state in
      if !isGood { state.refusal = "answered with status \(status)" }
      state.expected = Int(response.expectedContentLength)
    }
    completionHandler(isGood ? .allow : .cancel)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let fraction: Double? = state.withLock { state in
      guard state.data.count + data.count <= limit else {
        state.refusal = "sent more than the file can hold"
        return nil
      }
      state.data.append(data)
      return state.expected > 0 ? Double(state.data.count) / Double(state.expected) : 0
    }
    if let fraction { report(fraction) } else { dataTask.cancel() }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    let (continuation, result): (CheckedContinuation<Data, any Error>?, Result<Data, any Error>) =
      state.withLock { state in
        defer { state.continuation = nil }
        if let refusal = state.refusal {
          return (state.continuation, .failure(Malformed(refusal)))
        }
        guard let error else { return (state.continuation, .success(state.data)) }
        if (error as? URLError)?.code == .cancelled {
          return (state.continuation, .failure(CancellationError()))
        }
        return (state.continuation, .failure(Malformed("could not be reached")))
      }
    continuation?.resume(with: result)
  }
}
