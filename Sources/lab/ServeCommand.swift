import ArgumentParser
import Book
import Files
import Foundation
import Serving

/// `lab serve`.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves the book to this machine while it is written; what is saved is reloaded.",
    discussion: """
      It watches the prose, the code and the record of a chapter, or of all. Nothing is written: \
      formulas that are new are converted each time, until lab book keeps them. Ctrl-C ends it.
      """)

  @Argument(help: ArgumentHelp("The number of a chapter; all when none is given.", valueName: "id"))
  var id: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The port on 127.0.0.1; 0 for any that is free.", valueName: "n"))
  var port = 2016

  func validate() throws {
    if !(0...65535).contains(port) {
      throw ValidationError("--port takes a number from 0 to 65535, not \(port).")
    }
  }

  func run() async throws {
    let catalogue = try Catalogue()
    let watched = try catalogue.chapters(id.map { [$0] } ?? [])
    let site = try catalogue.site()
    let page = try watched.count == 1 ? site.address(ofChapter: watched[0].id) : ""
    let server = BookServer(
      site, root: catalogue.root, chapters: try catalogue.chapters([]).map { $0.id },
      watched: watched.map { $0.id })
    try await server.run(port: UInt16(port), lab: Self.program) { event in
      switch event {
      case .begun(let address):
        print("Open \(address.absoluteString)\(page)")
        Console.flush()
        Console.complain("The book is served until Ctrl-C; a saved chapter reloads its page.")
      case .made(let saved, let seconds):
        let names = saved.map(\.lastPathComponent).joined(separator: ", ")
        Console.complain("\(names): made anew in \(String(format: "%.1f", seconds)) s.")
      case .failed(let complaint):
        Console.complain(complaint)
      }
    }
  }

  /// This program, wherever it was called from.
  private static var program: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }
}
