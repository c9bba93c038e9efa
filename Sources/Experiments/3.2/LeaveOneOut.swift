import Digits
import Methods
import Notebook

/// The last recipe with one technique taken away at a time, on four splits of the labels.
package enum LeaveOneOut {
  /// A recipe that lacks something.
  package struct Arm: Sendable {
    package let key: String
    package let recipe: Recipe

    package init(key: String, recipe: Recipe) { (self.key, self.recipe) = (key, recipe) }
  }

  /// Accuracies in percent on the validation images of each split, by split, then seed.
  package struct Outcome: Sendable {
    package let validation: [[Double]]
    /// With statistics that were estimated anew on clean images; empty where there is no noise.
    package let clean: [[Double]]
  }

  /// Trains each arm on each split from each seed.
  package static func run(
    _ page: Page, _ arms: [Arm], seeds: Int, on set: ImageSet, _ splits: [Split]
  ) throws -> [Outcome] {
    let pieces = arms.flatMap { arm in splits.indices.map { (arm: arm, split: $0) } }
    let names = pieces.map {
      "without \($0.arm.key), split \($0.split), \(seeds) seeds: \($0.arm.recipe)"
    }
    let seed = page.seed
    let results = try SideBySide.run(
      page, "leave one out", names, tolerance: 2, committed: .always
    ) { index, flag in
      let (arm, split) = pieces[index]
      return try (0..<seeds).map { trial in
        let job = RecipeTraining.Job(key: arm.key, recipe: arm.recipe, seed: trial)
        let weights = try job.train(on: set, splits[split], points: 1, seed: seed, flag)
        return try RecipeTraining.evaluate(
          job, weights, set, splits[split], seed: seed, flag)
      }
    }
    return arms.indices.map { arm in
      let outcomes = results[arm * splits.count..<(arm + 1) * splits.count]
      let clean = outcomes.map { $0.compactMap(\.clean) }
      return Outcome(
        validation: outcomes.map { $0.map(\.final) },
        clean: clean.contains(where: \.isEmpty) ? [] : clean)
    }
  }
}
