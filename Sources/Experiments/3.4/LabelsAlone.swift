import Digits
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.2's recipe on the draws of labels that the final model is judged on.
package struct LabelsAlone: MeasuredResult, Sendable {
  /// The error on the test images, and under each of `CrossLook.distortions`, in percent.
  package var error = 0.0
  package var distorted: [Double] = []

  package var measures: [Double] { [error] + distorted }

  /// Trains on each draw, whose number is added to the seed.
  package static func run(_ page: Page, _ data: MNIST, draws: [Int]) throws -> [LabelsAlone] {
    var recipe = SupervisedRecipe.chosen
    if page.isQuick { (recipe.epochs, recipe.blocks) = (1, Recipe.kitBlocks(4)) }
    let (final, seed, isQuick) = (recipe, page.seed, page.isQuick)
    let labelDraws = draws.map { LabelDraw(labels: 3000, number: $0) }
    let splits = try labelDraws.map { try $0.split(data.train, page) }
    let names = labelDraws.map { "labels alone, \($0.name): \(final)" }
    return try Round(page, "labels alone").run(names, tolerance: 1) { index, flag in
      let (seed, name) = (seed + UInt64(draws[index]), "3.4/labels alone")
      var start = RandomStream(seed: seed, name, "weights")
      let network = ConvolutionalClassifier(final, using: &start)
      var training = Training(
        of: network, on: data.train, splits[index].labelled, Adam(), rate: final.schedule,
        batchSize: final.batchSize, seed: seed, name: name,
        change: { final.augmentation($0, using: &$1) })
      for _ in 0..<final.epochs { try training.runEpoch { _ in try flag.check() } }
      let test = Array(stride(from: 0, to: data.test.count, by: isQuick ? 50 : 1))
      return LabelsAlone(
        error: 100 - (try network.evaluate(data.test, test) { try flag.check() }.accuracy),
        distorted: try CrossLook.errors(on: data.test, test) { images in
          try flag.check()
          return network.probabilities(images)
        })
    }
  }
}
