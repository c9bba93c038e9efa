import Files
import Foundation
import Notebook

/// The whole book once its texts are converted: what is needed to write each of its pages.
struct SiteDraft {
  let site: Site
  let templates: Templates
  let records: Records
  let report: Site.Report
  let formulas: Formulas
  /// The drafts of the chapters, in the order of the list, and their files.
  let chapters: [(chapter: Site.Chapter, files: ChapterFiles, draft: PageDraft)]
  /// The tasks of chapters that have some.
  let tasks: [String: TaskDrafts]
  let readme: PageDraft
  let states: [String: ChapterState]

  /// Reads and converts all texts of a book.
  init(_ site: Site) async throws {
    self.site = site
    templates = try await Templates(root: site.root)
    var chapters: [(chapter: Site.Chapter, files: ChapterFiles, draft: PageDraft)] = []
    var (found, stamps, states) = (
      [String: Record](), [String: RunStamp](), [String: ChapterState]()
    )
    let code = PackageCode(root: site.root)
    for chapter in site.chapters {
      try Task.checkCancellation()
      let files = try ChapterFiles(root: site.root, id: chapter.id)
      let path = "Chapters/\(files.prose.lastPathComponent)"
      let text = try ChapterFiles.text(of: path, in: site.root)
      let draft = try await PageDraft(
        text, path: path, chapter: chapter.id, by: site.conversions)
      chapters.append((chapter, files, draft))
      // A record that cannot be read is as good as none: `lab check` says what is wrong with it.
      found[chapter.id] = try? files.storedRecord()
      stamps[chapter.id] = files.storedStamp()
      states[chapter.id] = try? files.state(in: code)
    }
    self.chapters = chapters
    var tasks: [String: TaskDrafts] = [:]
    for chapter in site.chapters where !chapter.exercises.isEmpty {
      tasks[chapter.id] = try await TaskDrafts(chapter, by: site.conversions)
    }
    self.tasks = tasks
    self.states = states
    records = Records(records: found, stamps: stamps)
    let text = try ChapterFiles.text(of: "README.md", in: site.root)
    readme = try await PageDraft(
      text, path: "README.md", chapter: nil, by: site.conversions)
    var places: [Formula: String] = [:]
    let questions = site.chapters.flatMap { tasks[$0.id]?.all ?? [] }
    for draft in chapters.map(\.draft) + questions + [readme] {
      for formula in draft.formulas where places[formula] == nil { places[formula] = draft.path }
    }
    var formulas = try Formulas(root: site.root)
    let converted = try await formulas.complete(places)
    self.formulas = formulas
    report = Site.Report(
      chapters: chapters.count, files: 0, formulas: places.count, converted: converted,
      withoutRecord: site.chapters.map(\.id).filter { found[$0] == nil })
  }

  /// The page of a chapter.
  static func address(_ files: ChapterFiles) -> String {
    files.prose.deletingPathExtension().lastPathComponent + ".html"
  }

  var map: SiteMap {
    var pages = ["README.md": "readme.html"]
    for (_, files, draft) in chapters { pages[draft.path] = Self.address(files) }
    return SiteMap(root: site.root, pages: pages)
  }
}
