import Files
import Foundation
import Notebook

/// The book as one PDF, printed by headless Chromium.
enum Printer {
  private static let chromium = Program(
    name: "chromium", remedy: "no PDF was made; install it with: apt-get install chromium")

  /// Asks whether there is a Chromium, before an hour's work or a minute's is done for it.
  ///
  /// - Throws: `LabError` of kind `.tool` when there is none.
  static func seek() async throws { _ = try await chromium.run(["--version"]) }

  /// Prints a document beside the pages of a book.
  ///
  /// - Parameters:
  ///   - document: a page of all chapters, which lies in the book's folder while it is printed.
  /// - Throws: `LabError` of kind `.tool` when Chromium does not print.
  static func print(_ document: String, into work: SiteFolder.Work) async throws {
    let name = "whole-book.html"
    try work.write(Data(document.utf8), to: name)
    let (page, pdf) = (
      work.folder.appendingPathComponent(name), work.folder.appendingPathComponent("lab.pdf")
    )
    let profile = try TemporaryFolder(for: "lab-book-chromium")
    defer { profile.remove() }
    let outcome = try await chromium.run(
      [
        "--headless=new", "--disable-gpu", "--no-sandbox", "--disable-extensions",
        "--disable-dev-shm-usage", "--allow-file-access-from-files", "--no-pdf-header-footer",
        "--user-data-dir=\(profile.url.path)", "--print-to-pdf=\(pdf.path)", page.absoluteString,
      ], patience: .seconds(300))
    try? FileManager.default.removeItem(at: page)
    guard outcome.isGood, let data = try? Data(contentsOf: pdf),
      data.starts(with: Data("%PDF".utf8))
    else {
      throw LabError(
        .tool,
        "chromium printed no PDF (\(outcome.complaint)); install it anew with: apt-get install "
          + "chromium.")
    }
    try work.write(undated(data), to: "lab.pdf")
  }

  /// A PDF without the time of its printing, so that the same book has the same bytes.
  static func undated(_ data: Data) -> Data {
    var bytes = Array(data)
    for mark in ["/CreationDate (", "/ModDate ("] {
      let mark = Array(mark.utf8)
      var place = 0
      while place + mark.count < bytes.count {
        guard bytes[place] == mark[0], bytes[place..<place + mark.count].elementsEqual(mark) else {
          place += 1
          continue
        }
        place += mark.count
        // D:20260102030405+00'00' keeps its form; only its digits go.
        while place < bytes.count, bytes[place] != UInt8(ascii: ")") {
          if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) {
            bytes[place] = UInt8(ascii: "0")
          }
          place += 1
        }
      }
    }
    return Data(bytes)
  }
}
