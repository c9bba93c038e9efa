import Foundation
import Methods
import Notebook

/// What validation chooses for networks that label for each other: settings, and what is done with them
/// once they are trained.
package enum CrossChoice {
  /// Something that is left open, and the settings that answer it.
  private struct Question: Sendable {
    let key, words: String
    let answers: [Double]
    /// Whether something may lie beyond the ends.
    let isOpen: (low: Bool, high: Bool)
    let set: @Sendable (inout CrossSettings, Double) -> Void

    func settings(_ answer: Double, _ base: CrossSettings) -> CrossSettings {
      var settings = base
      set(&settings, answer)
      return settings
    }
  }

  // snippet.questions
  /// What is left open, each by a few answers; all else stays as the first settings have it.
  private static let questions = [
    Question(
      key: "strength", words: "augmentation left at the end", answers: [0, 0.25, 0.5, 1],
      isOpen: (false, false)
    ) { $0.lastStrength = Float($1) },
    Question(
      key: "rate", words: "rate", answers: [0.001, 0.002, 0.004, 0.008], isOpen: (true, true)
    ) { $0.rate = $1 },
    // All see as many images: smaller steps are more of them.
    Question(
      key: "batch", words: "images of a step", answers: [50, 100, 200], isOpen: (true, true)
    ) {
      let share = $1 / Double($0.labelled + $0.unlabelled)
      ($0.labelled, $0.unlabelled) = (Int($1 / 4), Int($1) - Int($1 / 4))
      ($0.steps, $0.ramp) = (Int(Double($0.steps) / share), Int(Double($0.ramp) / share))
    },
  ]
  // snippet.end

  /// Answers each question by validation, then asks whether all answers together are better.
  ///
  /// The first settings stay where nothing errs less by more than the standard error of one training.
  package static func make(_ page: Page, _ study: CrossStudy) throws -> CrossSettings {
    let (base, asked) = (CrossSettings(), page.isQuick ? Array(questions.prefix(2)) : questions)
    func jobs(_ all: [CrossSettings]) -> [CrossStudy.Job] {
      all.map { CrossStudy.Job(.init("candidate", CrossStudy.short($0, page)), .views) }
    }
    // The first settings are an answer to each question, and are trained once.
    var all = [base]
    for question in asked {
      all += question.answers.map { question.settings($0, base) }.filter { settings in
        !all.contains { "\($0)" == "\(settings)" }
      }
    }
    let outcomes = try study.run("candidates", jobs(all))
    let read = outcomes.map { $0.test.count + $0.mistakes.count + $0.distorted.count }
    page.check(
      "results on test images in the candidates' jobs", Double(read.reduce(0, +)), atMost: 0)
    func outcome(_ settings: CrossSettings) -> CrossOutcome {
      outcomes[all.firstIndex { "\($0)" == "\(settings)" }!]
    }
    let first = outcome(base)
    // The standard error of a share p of 10,000 images, in points.
    let p = first.validationError / 100
    let doubt = 100 * sqrt(p * (1 - p) / 10_000)
    page.value("validation.doubt", doubt, tolerance: 0.03, unit: "points")
    var combined = base
    var rows: [[String]] = []
    for question in asked {
      let errors = question.answers.map {
        outcome(question.settings($0, base)).validationError
      }
      rows += zip(question.answers, errors).map {
        [question.words, "\($0)", String(format: "%.2f", $1)]
      }
      // The first settings begin with a standard error's start.
      let taken = page.choice(
        of: question.words,
        by: zip(question.answers, errors).map { answer, error in
          "\(question.settings(answer, base))" == "\(base)" ? error - doubt : error
        }, isOpen: question.isOpen)
      question.set(&combined, question.answers[taken])
      for (place, error) in errors.enumerated() {
        page.value("\(question.key).\(place + 1)", error, tolerance: 0.3, unit: "%")
      }
    }
    let together = try study.run("combination", jobs([combined]))[0]
    page.table(
      ["question", "answer", "error on validation, %"],
      rows + [["all together", "", String(format: "%.2f", together.validationError)]])
    let least = outcomes.map(\.validationError).min()!
    page.value("choice.lead", first.validationError - least, tolerance: 0.2, unit: "points")
    page.claim("None does, and all first settings stay.", "choice.lead < validation.doubt")
    page.value("base.validation", first.validationError, tolerance: 0.3, unit: "%")
    let isBetter = together.validationError < first.validationError
    return finish(page, isBetter ? combined : base, isBetter ? together : first, doubt)
  }

  /// What is done with trained networks, by validation too: their statistics, and the views.
  private static func finish(
    _ page: Page, _ settings: CrossSettings, _ outcome: CrossOutcome, _ doubt: Double
  ) -> CrossSettings {
    page.value("statistics.noisy", outcome.noisy, tolerance: 0.3, unit: "%")
    for (views, error) in zip(CrossLook.views, outcome.views) {
      page.value("views.\(views.key)", error, tolerance: 0.3, unit: "%")
    }
    let best = outcome.views.indices.min { outcome.views[$0] < outcome.views[$1] }!
    var chosen = settings
    // Views take their number of times as long: they have to be worth it.
    if outcome.views[0] - outcome.views[best] > doubt { chosen.views = CrossLook.views[best].maps }
    chosen.estimatesStatistics = outcome.validationError <= outcome.noisy
    if !page.isQuick {
      page.check(
        "what validation chooses is what `lab model` trains",
        "\(chosen)" == "\(FinalModel.settings)" ? 0 : 1, atMost: 0)
    }
    return chosen
  }
}
