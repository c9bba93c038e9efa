import Foundation
import Testing

/// `lab serve`, asked by a client that sends whatever it likes.
@Suite struct ServeTests {
  /// What was answered to some bytes, sent to a port of this machine.
  static func answer(to request: String, port: UInt16, host: String = "127.0.0.1") throws -> String
  {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr(host)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    // Thrown and not required: one test asks where nobody listens.
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    let bytes = Array(request.utf8)
    let sent = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    try #require(sent == bytes.count)
    var (answer, piece) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
      let count = recv(descriptor, &piece, piece.count, 0)
      guard count > 0 else { break }
      answer += piece[..<count]
    }
    return String(decoding: answer, as: UTF8.self)
  }

  static func get(_ path: String, _ port: UInt16, _ method: String = "GET") throws -> String {
    try answer(
      to: "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n",
      port: port)
  }

  /// Waits until something is so, for two minutes at most: the machine may have other work.
  static func wait(for condition: () throws -> Bool) async throws {
    for _ in 0..<1200 {
      if try condition() { return }
      try await Task.sleep(for: .milliseconds(100))
    }
    Issue.record("It did not come to it.")
  }

  /// Runs `lab serve` in a copy of the package; `meanwhile` gets the address that it has printed, and
  /// its port.
  func serve(
    _ arguments: [String], in scratch: Scratch,
    meanwhile: @Sendable @escaping (_ address: String, _ port: UInt16) async throws -> Void
  ) async throws -> Outcome {
    let log = scratch.path("serve.log")
    return try await Tool.run(
      ["serve", "--port", "0"] + arguments, in: scratch.url, shell: "exec >serve.log"
    ) { process in
      try await Self.wait {
        (try? String(contentsOfFile: log, encoding: .utf8))?.hasSuffix("\n") == true
      }
      let line = try String(contentsOfFile: log, encoding: .utf8)
      let match = try #require(line.wholeMatch(of: /Open (http:\/\/127\.0\.0\.1:(\d+)\/.*)\n/))
      try await meanwhile(String(match.output.1), UInt16(match.output.2)!)
      kill(process, SIGINT)
    }
  }

  @Test func aSavedChapterIsServedAnewAndAnInterruptLeavesNothing() async throws {
    let scratch = try Scratch.copyOfPackage()
    let before = try FileManager.default.subpathsOfDirectory(atPath: scratch.url.path).sorted()
    let outcome = try await serve(["2.1"], in: scratch) { address, port in
      #expect(address == "http://127.0.0.1:\(port)/2.1-momentum-versus-nesterov.html")
      let path = "/2.1-momentum-versus-nesterov.html"
      let page = try Self.get(path, port)
      #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n") && page.contains("/.lab/serve.js"))
      // Of this machine, and of no other address of it.
      #expect(throws: (any Error).self) {
        try Self.answer(to: "GET / HTTP/1.1\r\n\r\n", port: port, host: "127.0.0.2")
      }
      for path in ["/../Package.swift", "/%2e%2e/Package.swift", "/Package.swift", "/.git/config"] {
        #expect(try Self.get(path, port).hasPrefix("HTTP/1.1 404 "), "\(path)")
      }
      #expect(try Self.get(path, port, "DELETE").hasPrefix("HTTP/1.1 405 "))
      let head = try Self.get(path, port, "HEAD")
      #expect(head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n"))
      #expect(try Self.get("/.lab/state", port).hasSuffix("{\"version\":1}"))
      // Prose and code, each when it is saved.
      try scratch.alter(
        "Chapters/2.1-momentum-versus-nesterov.md", "\n## ", "\nQuite new words.\n\n## ")
      try await Self.wait { try Self.get(path, port).contains("Quite new words.") }
      try scratch.alter(
        "Chapters/2.1-momentum-versus-nesterov.swift", "import ", "// Quite new code.\nimport ")
      let source = "/code/Chapters/2.1-momentum-versus-nesterov.swift.html"
      try await Self.wait { try Self.get(source, port).contains("Quite new code.") }
      #expect(try Self.get("/.lab/state", port).hasSuffix("{\"version\":3}"))
      // What cannot be made is told, and the pages stay.
      try scratch.alter(
        "Chapters/2.1-momentum-versus-nesterov.md", "Quite new words.", "Bad \u{E000} words.")
      try await Self.wait { try Self.get("/.lab/state", port).contains("private use") }
      #expect(try Self.get(path, port).contains("Quite new words."))
    }
    #expect(outcome.code == 130)
    #expect(outcome.errors.hasSuffix("Interrupted; nothing was left half written.\n"))
    let after = try FileManager.default.subpathsOfDirectory(atPath: scratch.url.path).sorted()
    #expect(after == (before + ["serve.log"]).sorted())
  }

  @Test func aPortInUseIsTold() async throws {
    let scratch = try Scratch.copyOfPackage()
    _ = try await serve([], in: scratch) { address, port in
      #expect(address == "http://127.0.0.1:\(port)/")
      let second = try await Tool.run("serve", "--port", "\(port)")
      #expect(
        second
          == Outcome(
            code: 69, output: "",
            errors:
              "Port \(port) of this machine is in use; name another with --port, or 0 for any "
              + "that is free.\n"))
    }
  }

  @Test(arguments: [
    (["9.9"], "There is no chapter 9.9"), (["--port", "70000"], "Error: --port takes a number"),
    (["--port", "-1"], "Error: --port takes a number"),
    (["2.1", "1.1"], "Error: Unexpected argument"),
  ])
  func whatMakesNoSenseIsWrongUsage(_ arguments: [String], _ start: String) async throws {
    let outcome = try await Tool.run(["serve"] + arguments)
    #expect(outcome.code == 64 && outcome.output == "" && outcome.errors.hasPrefix(start))
  }
}
