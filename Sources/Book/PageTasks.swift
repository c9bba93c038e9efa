import Foundation

/// The tasks of a chapter, converted from Markdown.
struct TaskDrafts {
  /// Each task and its question.
  let tasks: [(exercise: Site.Exercise, question: PageDraft)]
  /// How an answer is written.
  let note: PageDraft

  /// Converts what the tasks of a chapter ask.
  ///
  /// - Throws: what `PageDraft` throws.
  init(_ chapter: Site.Chapter, by conversions: Conversions) async throws {
    var tasks: [(Site.Exercise, PageDraft)] = []
    for exercise in chapter.exercises {
      // The path is for errors: a question has no links.
      tasks.append(
        (
          exercise,
          try await PageDraft(
            exercise.question, path: exercise.command, chapter: chapter.id, by: conversions)
        ))
    }
    self.tasks = tasks
    note = try await PageDraft(
      chapter.answerNote, path: "lab try", chapter: chapter.id, by: conversions)
  }

  /// All texts of the tasks.
  var all: [PageDraft] { [note] + tasks.map(\.question) }
}

/// The tasks of a chapter as its page shows them: what is asked, what an answer may use, how the lab
/// is asked to judge it, and what the judge is tested with.
struct PageTasks {
  /// What stands on the page.
  let html: String
  /// What the search finds of it: no answers, which it would give away.
  let sections: [PageBody.Section]

  /// Writes tasks for the page of a writer.
  init(_ drafts: TaskDrafts, of page: PageWriter) throws {
    func body(_ draft: PageDraft) throws -> PageBody {
      var writer = PageWriter(
        draft, templates: page.templates, formulas: page.formulas, records: page.records,
        root: page.root, way: page.way, map: page.map, conversions: page.conversions)
      try writer.write()
      return writer.body
    }
    var sections: [PageBody.Section] = []
    let tasks = try drafts.tasks.map { exercise, question -> [String: Any] in
      let question = try body(question)
      // No heading of the text has such a name: a full stop is no part of theirs.
      let id = "try.\(exercise.word)"
      var section = PageBody.Section(anchor: id, title: exercise.title)
      section.text = question.sections.map(\.text).joined(separator: " ")
      for symbol in exercise.symbols { section.text += " \(symbol.form): \(symbol.meaning)." }
      sections.append(section)
      return [
        "id": id, "title": exercise.title, "question": question.html, "command": exercise.command,
        "symbols": exercise.symbols.map { ["form": $0.form, "meaning": $0.meaning] },
        "hasSymbols": !exercise.symbols.isEmpty, "hasAnswers": !exercise.answers.isEmpty,
        "answers": exercise.answers.map { ["formula": $0.formula, "verdict": $0.verdict] },
      ]
    }
    self.sections = sections
    html = try page.templates("tries", ["note": try body(drafts.note).html, "tries": tasks])
  }
}
