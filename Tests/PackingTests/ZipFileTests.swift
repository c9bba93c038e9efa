import Files
import Foundation
import Testing

@testable import Packing

/// ZIP files, read by programs that know the format.
@Suite struct ZipFileTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")
  let files: [String: Data] = [
    "T/empty": Data(), "T/a b/é–″.md": Data("é\n".utf8),
    "T/long.csv": Data((0..<20_000).map { "\($0),7\n" }.joined().utf8),
    "T/noise.svg": Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) }),
    "T/run.sh": Data("#!/bin/sh\necho ran\n".utf8), "T.txt": Data("before T/".utf8),
  ]

  func zip(_ paths: some Sequence<String>) -> ZipFile {
    var zip = ZipFile()
    for path in paths { zip.add(files[path]!, as: path) }
    return zip
  }

  /// What a program says of `t.zip` in the folder.
  func ran(_ program: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = folder
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  @Test func anotherProgramReadsEachFileAsItWas() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try zip(files.keys).encoded.write(to: folder.appendingPathComponent("t.zip"))
    let script = """
      import hashlib, zipfile
      with zipfile.ZipFile("t.zip") as z:
          assert z.testzip() is None
          for i in z.infolist():
              digest = hashlib.sha256(z.read(i)).hexdigest()
              print(digest, i.filename, i.date_time[0], oct(i.external_attr >> 16))
          print(*(z.getinfo(n).compress_type for n in ("T/long.csv", "T/empty")))
      """
    let (code, output) = try ran("python3", ["-c", script])
    #expect(code == 0)
    let lines = output.split(separator: "\n").map(String.init)
    let paths = files.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let expected = paths.map { path in
      "\(SHA256.digest(of: files[path]!).hexadecimal) \(path) 1980 "
        + (path == "T/run.sh" ? "0o100755" : "0o100644")
    }
    // The table is deflated, and nothing is stored.
    #expect(lines == expected + ["8 0"])
    guard try ran("unzip", ["-v"]).code == 0 else { return }
    #expect(try ran("unzip", ["-tqq", "t.zip"]).code == 0)
    #expect(try ran("unzip", ["-qq", "t.zip"]).code == 0)
    #expect(try ran("T/run.sh", []).output == "ran\n")
    for (path, data) in files {
      #expect(try Data(contentsOf: folder.appendingPathComponent(path)) == data)
    }
  }

  @Test func theSameFilesGiveTheSameBytesInAnyOrder() throws {
    let first = try zip(files.keys.sorted()).encoded
    let second = try zip(files.keys.sorted().reversed()).encoded
    #expect(first == second)
    #expect(try zip(files.keys.dropFirst()).encoded != first)
    #expect(first.count < 90_000, "the table is packed")
    #expect(try ZipFile().encoded.count == 22)
  }
}
