import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What chapter 3.2 checks of its network before it trains any.
package enum RecipeChecks {
  /// Checks that the first recipe is the sample code, that noise is added, and what dropout does to
  /// a variance.
  package static func run(_ page: Page, final: Recipe) {
    checkTheNetwork(page, final)
    checkTheNoise(page)
    checkTheDropout(page)
  }

  private static func logits(
    _ network: some Classifier, _ images: Tensor, _ phase: Phase, using stream: inout RandomStream
  ) -> Tensor {
    network.logits(Tape(recording: false).constant(images), phase, using: &stream).value
  }

  private static func checkTheNetwork(_ page: Page, _ final: Recipe) {
    // The recipe's first values are the baseline: same first weights, same logits.
    var (one, two) = (
      RandomStream(seed: page.seed, "3.2", "same"), RandomStream(seed: page.seed, "3.2", "same")
    )
    let (ours, baseline) = (
      ConvolutionalClassifier(Recipe(), using: &one), SampleNetwork(using: &two)
    )
    var stream = RandomStream(seed: page.seed, "3.2", "images")
    let images = stream.uniform([1, 64, 28, 28])
    for (name, phase) in [("training", Phase.training), ("evaluation", .evaluation)] {
      var (first, second) = (stream, stream)
      page.check(
        "the recipe's first network is the sample code's, in \(name)",
        Double(
          (logits(ours, images, phase, using: &first)
            - logits(baseline, images, phase, using: &second))
            .maximumMagnitude()), atMost: 0)
    }
    let best = ConvolutionalClassifier(final, using: &stream).parameters.filter(\.isTrainable)
    page.value("best.weights", Double(best.reduce(0) { $0 + $1.value.count }))
  }

  /// In a network without a bend noise of deviation s adds s²·Σₚ(∂logit/∂pixel p)² to a logit's
  /// variance, where the pixels are scaled as the convolution reads them.
  private static func checkTheNoise(_ page: Page) {
    var recipe = Recipe()
    recipe.blocks = [Recipe.Block(filters: 4, kernel: 5)]
    (recipe.activation, recipe.hasStrayReLU) = (.identity, false)
    (recipe.channelKeep, recipe.keep, recipe.noise) = (1, 1, 0.3)
    var stream = RandomStream(seed: page.seed, "3.2", "noise")
    let network = ConvolutionalClassifier(recipe, using: &stream)
    let (pixels, draws) = (ImageSet.pixelsPerImage, 4000)
    // One image a pixel, which it has in ink, on paper; the scale makes it 1 for the convolution.
    let ink = (0..<pixels * pixels).map { $0 % (pixels + 1) == 0 ? ImageSet.deviation : 0 }
    let paper = Tensor(repeating: 0, [1, draws, 28, 28])
    let quiet = logits(network, Tensor(repeating: 0, [1, 1, 28, 28]), .evaluation, using: &stream)
    func squares(_ logits: Tensor) -> Float {
      var difference = logits
      difference.addToRows(Tensor([10], quiet.values.map { -$0 }), activation: .identity)
      return difference.sumOfSquares()
    }
    let slopes = squares(
      logits(network, Tensor([1, pixels, 28, 28], ink), .evaluation, using: &stream))
    let noisy = squares(logits(network, paper, .training, using: &stream))
    page.check(
      "noise of .3 moves a linear network's logits by as much as their slopes say",
      Double(noisy / Float(draws) / (0.3 * 0.3 * slopes)), near: 1, tolerance: 0.03)
  }

  /// What dropout before a normalisation does to the variance that it remembers.
  private static func checkTheDropout(_ page: Page) {
    var stream = RandomStream(seed: page.seed, "3.2", "variance shift")
    let features = relu(Tape(recording: false).constant(stream.normal([1_000_000, 1])))
    let dropped = dropout(features, keep: 0.5, using: &stream)
    func variance(_ x: Variable) -> Double {
      let values = x.value.values.map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    }
    let ratio = variance(dropped) / variance(features)
    page.value("shift", ratio, tolerance: 0.02)
    page.value("shift.root", ratio.squareRoot(), tolerance: 0.01)
    page.check(
      "dropping half of rectified normal numbers multiplies their variance by 2 + 1/(π − 1)",
      ratio, near: 2 + 1 / (.pi - 1), tolerance: 0.03)
  }
}
