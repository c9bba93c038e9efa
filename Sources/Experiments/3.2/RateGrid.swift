import Digits
import Foundation
import Methods
import Notebook

/// Learning rates that validation chooses for a recipe, at a third of its length.
///
/// A step that changes what a rate means (the rule, the first weights, the scale of the features)
/// has its own; else it would be judged by how well the rate of the step before happens to suit it.
package enum RateGrid {
  /// The seeds that choose: others than those that are judged.
  private static let seeds = 100..<103

  /// What a grid came to.
  package struct Choice: Sendable {
    package let rate: Double
    /// The rates, and the mean validation accuracy of each in percent; empty in a quick run.
    package let rates, validation: [Double]
  }

  /// The rate of a recipe; a quick run takes the middle one without a look.
  package static func choose(
    _ page: Page, for key: String, _ recipe: Recipe, among rates: [Double], on set: ImageSet,
    _ split: Split
  ) throws -> Choice {
    guard !page.isQuick else {
      return Choice(rate: rates[rates.count / 2], rates: [], validation: [])
    }
    let recipes = rates.map { rate in
      var recipe = recipe
      (recipe.rate, recipe.epochs) = (rate, max(1, recipe.epochs / 3))
      return recipe
    }
    let seed = page.seed
    let names = recipes.map { "rate \($0.rate) of \(key): \($0)" }
    let accuracies = try SideBySide.run(
      page, "rates of \(key)", names, tolerance: 8, committed: .always
    ) { index, flag in
      try seeds.map { trial in
        let job = RecipeTraining.Job(key: key, recipe: recipes[index], seed: trial)
        let weights = try job.train(on: set, split, points: 1, seed: seed, flag)
        return try RecipeTraining.evaluate(
          job, weights, set, split, seed: seed, flag
        ).final
      }
    }
    let means = accuracies.map { Spread($0).mean }
    let best = page.choice(of: "rate of \(key)", by: means.map { 100 - $0 })
    return Choice(rate: rates[best], rates: rates, validation: means)
  }
}
