import Digits
import Experiments
import Foundation
import Methods
import Notebook
import Tensors

/// Chapter 2.2.3: which changes of an image leave its digit what it is.
public enum AugmentationForMNIST: Chapter {
  /// The chapter's number.
  public static let id = "2.2.3"
  /// The chapter's title.
  public static let title = "Which changes leave a digit what it is"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let splits = try AugmentedTraining.splits(page, data)
    let split = splits[0]
    show(
      Treatment.helpful.filter { $0.key != "affine" && $0.key != "everything" }, page, data, split,
      name: "sheet", height: 800,
      title: "Ten digits under each change")
    checkTheMaps(page, data, split)
    checkTheField(page)
    showTheField(page, data, split)
    checkTheInk(page, data, split)
    let results = try AugmentationResults(page, data, splits)
    report(page, results)
    reportTheTime(page, results)
    show(
      Treatment.harmful, page, data, split, name: "harm", height: 330,
      title: "Flips and turns by arbitrary angles make other digits; crops cut strokes away")
    reportTheHarm(page, results)
    answerTheExercises(page)
  }
}

// MARK: - The changes

extension AugmentationForMNIST {
  /// The first labelled image of each digit.
  private static func tenDigits(_ data: MNIST, _ split: Split) -> Tensor {
    data.train.images(
      (0..<10).map { digit in split.labelled.first { data.train.labels[$0] == UInt8(digit) }! })
  }

  /// Pictures of a batch, cut to what can be shown.
  private static func pictures(_ images: Tensor) -> [[Float]] {
    (0..<images.shape[1]).map { image in
      (0..<784).map { min(1, max(0, images[image * 784 + $0])) }
    }
  }

  /// Draws what treatments make of the ten digits, a row each.
  private static func show(
    _ treatments: [Treatment], _ page: Page, _ data: MNIST, _ split: Split, name: String,
    height: Int, title: String
  ) {
    let digits = tenDigits(data, split)
    var shown: [[Float]] = []
    var captions: [String] = []
    for treatment in treatments {
      var stream = RandomStream(seed: page.seed, id, "sheet", treatment.key)
      shown += pictures(treatment.augmentation(digits, using: &stream))
      captions += [treatment.words] + [String](repeating: "", count: 9)
    }
    page.figure(
      Figure(
        name, title: title, size: (760, height),
        panels: [Panel(marks: [.images(shown, captions: captions, columns: 10)])]))
  }
}

// MARK: - Maps

extension AugmentationForMNIST {
  private static func checkTheMaps(_ page: Page, _ data: MNIST, _ split: Split) {
    let images = data.train.images(Array(split.labelled.prefix(200)))
    func distance(_ a: Tensor, _ b: Tensor) -> Double { Double((a - b).maximumMagnitude()) }
    func mapped(_ map: AffineMap) -> Tensor {
      images.warped([AffineMap](repeating: map, count: images.shape[1]))
    }
    /// The images whose pixel at a row and a column is the old one of another place, or paper.
    func moved(_ place: (_ row: Int, _ column: Int) -> (row: Int, column: Int)) -> Tensor {
      let pixels = (0..<images.count).map { i -> Float in
        let (row, column) = place(i / 28 % 28, i % 28)
        guard (0..<28).contains(row) && (0..<28).contains(column) else { return 0 }
        return images[i / 784 * 784 + row * 28 + column]
      }
      return Tensor(images.shape, pixels)
    }
    page.check(
      "two pixels to the right and one up = the pixels moved",
      distance(mapped(AffineMap(shift: (2, -1))), moved { ($0 + 1, $1 - 2) }), atMost: 0)
    page.check(
      "a quarter turn clockwise = the pixels turned",
      distance(mapped(AffineMap(rotation: 90)), moved { (27 - $1, $0) }), atMost: 1e-5)
    // Once there and back: what two linear interpolations have blurred.
    let back = mapped(AffineMap(rotation: 15)).warped(
      [AffineMap](repeating: AffineMap(rotation: -15), count: images.shape[1]))
    page.value(
      "blur", Double(((back - images).sumOfSquares() / images.sumOfSquares()).squareRoot()),
      tolerance: 0.002)
    let grown = mapped(AffineMap(rotation: 10, stretch: (1.15, 1.1), shear: 0.2))
    page.check(
      "ink grows by the determinant, 1.15 × 1.1", Double(grown.sum() / images.sum()),
      near: 1.15 * 1.1, tolerance: 0.005)
    checkTheReading(page, images)
  }

  /// Compares an elastic change with its definition: the pixel q takes what stands at q + d(q).
  private static func checkTheReading(_ page: Page, _ images: Tensor) {
    let n = 5
    var stream = RandomStream(seed: page.seed, id, "reading")
    let field = ElasticDistortion().displacements(n, height: 28, width: 28, using: &stream)
    let few = Tensor([1, n, 28, 28], Array(images.values.prefix(n * 784)))
    let changed = few.warped([AffineMap](repeating: AffineMap(), count: n), displacements: field)
    func pixel(_ image: Int, _ row: Int, _ column: Int) -> Double {
      (0..<28).contains(row) && (0..<28).contains(column)
        ? Double(few[image * 784 + row * 28 + column]) : 0
    }
    var worst = 0.0
    for image in 0..<n {
      for place in 0..<784 {
        let x = Double(place % 28) + Double(field[2 * image * 784 + place])
        let y = Double(place / 28) + Double(field[(2 * image + 1) * 784 + place])
        let (column, row) = (Int(floor(x)), Int(floor(y)))
        let (right, down) = (x - floor(x), y - floor(y))
        let read =
          (1 - down)
          * ((1 - right) * pixel(image, row, column) + right * pixel(image, row, column + 1))
          + down
          * ((1 - right) * pixel(image, row + 1, column) + right * pixel(image, row + 1, column + 1))
        worst = max(worst, abs(read - Double(changed[image * 784 + place])))
      }
    }
    page.check("elastic: what stands at q + d(q), largest difference", worst, atMost: 1e-5)
  }
}

// MARK: - The elastic field

extension AugmentationForMNIST {
  // snippet.theory
  /// What the two parameters say of the field d = α·(G_σ ∗ u), u uniform on ±1 in each pixel.
  struct FieldTheory {
    let α, σ: Double

    /// The deviation of a displacement: α²·⅓·ΣG² with ΣG² = 1/(4πσ²).
    var deviation: Double { α / (σ * (12 * .pi).squareRoot()) }

    /// The deviation of the strain ∂d/∂x: α²·⅓·Σ(∂G/∂x)² with Σ(∂G/∂x)² = 1/(8πσ⁴).
    var strain: Double { α / (σ * σ * (24 * .pi).squareRoot()) }

    /// The correlation of two displacements r pixels apart: (G ∗ G)(r)/(G ∗ G)(0).
    func correlation(_ r: Double) -> Double { exp(-r * r / (4 * σ * σ)) }
  }
  // snippet.end

  /// Mean squares and products over many fields.
  struct FieldStatistics {
    var deviation = 0.0
    var strain = 0.0
    /// The share of places where the displaced pixels have changed their order.
    var folded = 0.0
    /// Correlations along a row at distances of 0 … 14 pixels.
    var correlations: [Double] = []

    init(_ field: Tensor) {
      let planes = field.shape[0] * 2
      var products = [Double](repeating: 0, count: 15)
      var (strains, folds) = (0.0, 0)
      func d(_ plane: Int, _ row: Int, _ column: Int) -> Double {
        Double(field[(plane * 28 + row) * 28 + column])
      }
      for plane in 0..<planes {
        for row in 0..<27 {
          for column in 0..<13 {
            let here = d(plane, row, column)
            for r in 0..<15 { products[r] += here * d(plane, row, column + r) }
            // The central difference two pixels wide; its own smoothing is left to the tolerance.
            strains += pow(d(plane, row, column + 1) - here, 2)
            guard plane % 2 == 0 else { continue }
            let xx = d(plane, row, column + 1) - here
            let xy = d(plane, row + 1, column) - here
            let yx = d(plane + 1, row, column + 1) - d(plane + 1, row, column)
            let yy = d(plane + 1, row + 1, column) - d(plane + 1, row, column)
            if (1 + xx) * (1 + yy) - xy * yx <= 0 { folds += 1 }
          }
        }
      }
      let count = Double(planes * 27 * 13)
      deviation = (products[0] / count).squareRoot()
      strain = (strains / count).squareRoot()
      folded = 2 * Double(folds) / count
      correlations = products.map { $0 / products[0] }
    }
  }

  private static func checkTheField(_ page: Page) {
    let fields = page.isQuick ? 200 : 1000
    var marks: [Mark] = []
    for (colour, σ) in [2.0, 4, 8].enumerated() {
      let theory = FieldTheory(α: 34, σ: σ)
      let distortion = ElasticDistortion(strength: 34, smoothness: Float(σ))
      var stream = RandomStream(seed: page.seed, id, "field", "\(σ)")
      let found = FieldStatistics(
        distortion.displacements(fields, height: 28, width: 28, using: &stream))
      // Displacements hang together over a patch of 4πσ² pixels. A measured deviation has the
      // standard error 1/√2N from N such patches in both planes of all fields, and a correlation one
      // of at most 1/√N.
      let patches = Double(2 * fields) * 784 / (4 * .pi * σ * σ)
      let error = 1 / (2 * patches).squareRoot()
      page.check(
        "σ \(Int(σ)): displacement ÷ α/(σ√12π)", found.deviation / theory.deviation, near: 1,
        tolerance: 3 * error)
      // Between neighbours, whose correlation is exp(−1/4σ²).
      let step = theory.deviation * (2 * (1 - theory.correlation(1))).squareRoot()
      page.check(
        "σ \(Int(σ)): difference of neighbours ÷ formula", found.strain / step, near: 1,
        tolerance: 3 * error)
      let worst = (1...14).map { abs(found.correlations[$0] - theory.correlation(Double($0))) }
        .max()!
      page.check(
        "σ \(Int(σ)): correlation − exp(−r²/4σ²)", worst, atMost: 3 / patches.squareRoot())
      page.value("field.\(Int(σ)).deviation", theory.deviation, unit: "px")
      page.value("field.\(Int(σ)).strain", theory.strain)
      page.value("field.\(Int(σ)).folded", 100 * found.folded, tolerance: 1, unit: "%")
      let distances = (0...14).map(Double.init)
      marks.append(
        .line(
          "σ = \(Int(σ))",
          stride(from: 0, through: 14, by: 0.25).map { ($0, theory.correlation($0)) },
          colour: colour))
      marks.append(
        .points("", distances.map { ($0, found.correlations[Int($0)]) }, colour: colour))
    }
    page.claim(
      "At σ = 2 the field of the same α folds the image in many places, at σ = 4 in hardly any.",
      "field.2.folded > 5 and field.4.folded < 0.5")
    page.figure(
      Figure(
        "correlation",
        title: "Displacements r pixels apart are correlated as exp(−r²/4σ²) says",
        panels: [
          Panel(
            x: Axis("distance r, pixels"),
            y: Axis("correlation: curves by formula, points measured"), marks: marks)
        ]))
  }

  private static func showTheField(_ page: Page, _ data: MNIST, _ split: Split) {
    // The same random numbers under each pair of parameters.
    let digit = tenDigits(data, split).values[3 * 784..<4 * 784]
    var shown: [[Float]] = []
    var captions: [String] = []
    for σ: Float in [2, 4, 8] {
      for α: Float in [5, 10, 20, 34, 60, 100] {
        var stream = RandomStream(seed: page.seed, id, "shown")
        let elastic = ElasticDistortion(strength: α, smoothness: σ)
        let image = Augmentation(elastic: elastic)(
          Tensor([1, 1, 28, 28], Array(digit)), using: &stream)
        shown += pictures(image)
        captions.append("α \(Int(α)), σ \(Int(σ))")
      }
    }
    page.figure(
      Figure(
        "elastic",
        title: "A small σ tears a 3, a large one only moves it, and between it is redrawn",
        size: (760, 470), panels: [Panel(marks: [.images(shown, captions: captions, columns: 6)])]))
  }

  // snippet.ink
  /// The deviation of the share of ink that elastic distortion adds to an image, to first order.
  ///
  /// α/√3 · ‖G_σ ∗ ∇I‖ / ΣI, with central differences for ∇I, and summed over all places whose
  /// random number reaches the image.
  static func inkDeviation(_ image: [Float], _ theory: FieldTheory) -> Double {
    let radius = Int(3 * theory.σ)
    let line = (-radius...radius).map { exp(-Double($0 * $0) / (2 * theory.σ * theory.σ)) }
    let scale = 1 / line.reduce(0, +)
    func pixel(_ row: Int, _ column: Int) -> Double {
      (0..<28).contains(row) && (0..<28).contains(column) ? Double(image[row * 28 + column]) : 0
    }
    let (side, margin) = (28 + 2 * radius, radius)
    var squares = 0.0
    for (down, right) in [(0, 1), (1, 0)] {
      // ∂I along one axis, then smoothed along each.
      var plane = (0..<side * side).map { i in
        let (row, column) = (i / side - margin, i % side - margin)
        return (pixel(row + down, column + right) - pixel(row - down, column - right)) / 2
      }
      for step in [1, side] {
        plane = plane.indices.map { i in
          let place = step == 1 ? i % side : i / side
          return scale
            * (-radius...radius).reduce(0.0) { sum, k in
              (0..<side).contains(place + k) ? sum + line[k + radius] * plane[i + k * step] : sum
            }
        }
      }
      squares += plane.reduce(0) { $0 + $1 * $1 }
    }
    let ink = image.reduce(0.0) { $0 + Double($1) }
    return theory.α / 3.squareRoot() * squares.squareRoot() / ink
  }
  // snippet.end

  private static func checkTheInk(_ page: Page, _ data: MNIST, _ split: Split) {
    let (digits, copies) = (page.isQuick ? 10 : 40, 100)
    let elastic = ElasticDistortion(strength: 20, smoothness: 4)
    var stream = RandomStream(seed: page.seed, id, "ink")
    var (relative, standardised): ([Double], [Double]) = ([], [])
    for index in split.labelled.prefix(digits) {
      let images = data.train.images([Int](repeating: index, count: copies))
      let changed = Augmentation(elastic: elastic)(images, using: &stream)
      let image = Array(images.values.prefix(784))
      let ink = image.reduce(0.0) { $0 + Double($1) }
      let predicted = inkDeviation(image, FieldTheory(α: 20, σ: 4))
      for copy in 0..<copies {
        let change = (0..<784).reduce(0.0) { $0 + Double(changed[copy * 784 + $1]) } / ink - 1
        relative.append(change)
        standardised.append(change / predicted)
      }
    }
    let (mean, spread) = (Spread(relative).mean, Spread(relative).deviation)
    let error = spread / Double(relative.count).squareRoot()
    page.check("mean change of ink, in standard errors", mean / error, atMost: 3)
    let size = (standardised.reduce(0) { $0 + $1 * $1 } / Double(standardised.count)).squareRoot()
    // The standard error of a root mean square of n numbers is 1/√2n of it.
    page.check(
      "change of ink ÷ its derived deviation", size, near: 1,
      tolerance: 3 / Double(2 * standardised.count).squareRoot())
    page.value("ink.mean", 100 * mean, tolerance: 1, unit: "%")
    page.value("ink.deviation", 100 * spread, tolerance: 2, unit: "%")
    page.value("ink.ratio", size, tolerance: 0.1)
  }
}

// MARK: - What each is worth

extension AugmentationForMNIST {
  private static func report(_ page: Page, _ results: AugmentationResults) {
    var rows: [[String]] = []
    for treatment in Treatment.helpful + Treatment.harmful {
      let key = treatment.key
      let validation = results.spread(key)
      // A training is a chaos of its own: on another processor each of the eight may end elsewhere.
      page.value("\(key).train", results.spread(key, of: \.train), tolerance: 2, unit: "%")
      page.value("\(key).validation", validation, tolerance: 1, unit: "%")
      page.value("\(key).validation.deviation", validation.deviation, tolerance: 0.3)
      var row = [
        treatment.words, String(format: "%.2f ± %.2f", validation.mean, validation.deviation),
      ]
      if key == "none" {
        row.append("")
      } else {
        let gain = results.difference(key, minus: "none")
        page.difference("\(key).gain", gain, tolerance: 1)
        row.append(gain.words)
      }
      rows.append(row)
    }
    page.table(["augmentation", "validation, %", "gain, points"], rows)
    page.claim(
      "Shifts, rotations and elastic distortion each gain.",
      "shift.gain.low > 0 and rotation.gain.low > 0 and elastic34.gain.low > 0")
    page.difference(
      "erasing.behind", results.difference("elastic34", minus: "erasing"), tolerance: 1)
    page.difference("noise.behind", results.difference("elastic34", minus: "noise"), tolerance: 1)
    page.claim(
      "Both of the two that only spoil pixels stay behind elastic distortion.",
      "erasing.behind.low > 0 and noise.behind.low > 0")
    let strengths = Treatment.strengths.map { results.spread($0.key) }
    let best = page.choice(of: "strength α", by: strengths.map { -$0.mean })
    for (treatment, spread) in zip(Treatment.strengths, strengths)
    where treatment.key != "elastic34" {
      page.value("\(treatment.key).validation", spread, tolerance: 1, unit: "%")
      page.value("\(treatment.key).validation.deviation", spread.deviation, tolerance: 0.6)
    }
    page.value(
      "strength.best", Double(Treatment.strengths[best].augmentation.elastic!.strength),
      tolerance: 0)
    page.difference(
      "strength.gap", results.difference("elastic34", minus: "elastic20"), tolerance: 1)
    page.difference(
      "strength.excess", results.difference("elastic34", minus: "elastic60"), tolerance: 1)
    page.claim("Too much of it is worse.", "strength.excess.low > 0")
    // Elastic distortion at the strength that was just chosen.
    for (key, theirs) in [("elastic", Treatment.strengths[best].key), ("affine", "affine")] {
      page.difference(
        "together.over.\(key)", results.difference("together", minus: theirs), tolerance: 1)
    }
    page.claim(
      "Whether all five at once do better than one kind alone is not shown.",
      "together.over.elastic.low < 0 and together.over.elastic.high > 0 "
        + "and together.over.affine.low < 0 and together.over.affine.high > 0")
    page.difference(
      "everything.over", results.difference("everything", minus: "together"), tolerance: 1)
    results.drawGains(page)
  }

  /// What the time is worth, and the test set, which is read once.
  private static func reportTheTime(_ page: Page, _ results: AugmentationResults) {
    for treatment in Treatment.hurried {
      let key = treatment.key
      page.value(
        "hurried.\(key)", results.spread(key, isHurried: true), tolerance: 1.5, unit: "%")
      page.value(
        "hurried.\(key).train", results.spread(key, isHurried: true, of: \.train), tolerance: 2,
        unit: "%")
      guard key != "none" else { continue }
      page.difference(
        "hurried.\(key).gain", results.difference(key, minus: "none", isHurried: true),
        tolerance: 1)
    }
    for key in ["none", "together", "everything"] {
      page.difference("time.\(key)", results.time(key), tolerance: 1)
    }
    page.claim(
      "After twelve epochs the network with all seven knows its own unchanged images less well than "
        + "the network without any.", "hurried.everything.train < hurried.none.train")
    results.drawCourse(page)
    for key in AugmentationResults.tested {
      let test = results.spread(key, of: \.test)
      page.value("\(key).test", test, tolerance: 1, unit: "%")
      page.value("\(key).test.deviation", test.deviation, tolerance: 0.6)
    }
    page.difference(
      "test.gain", results.difference("together", minus: "none", of: \.test), tolerance: 1)
    page.claim(
      "On the test images, too, augmentation gains more than a point.", "test.gain.low > 1")
  }

  // MARK: The harm

  private static func reportTheHarm(_ page: Page, _ results: AugmentationResults) {
    page.claim(
      "Flips and rotations by arbitrary angles lose.", "flips.gain.high < 0 and turns.gain.high < 0"
    )
    for (key, a, b) in [("turns", 6, 9), ("flips", 2, 5)] {
      let confusion = AugmentationResults.confusion(of: a, and: b)
      page.value(
        "\(key).confused", results.spread(key, of: confusion), tolerance: 4, unit: "%")
      page.value(
        "none.confused.\(key)", results.spread("none", of: confusion), tolerance: 0.5, unit: "%")
      page.difference(
        "\(key).confuses", results.difference(key, minus: "none", of: confusion), tolerance: 4)
    }
    page.claim(
      "Trained on turned digits, the network takes sixes for nines and nines for sixes.",
      "turns.confuses.low > 0")
    page.claim(
      "Trained on mirrored digits, it takes twos for fives and fives for twos more often.",
      "flips.confuses.low > 0")
    for (key, digits) in [("flips", [1, 3, 5]), ("turns", [7]), ("none", [1, 3, 5, 7])] {
      for digit in digits {
        page.value(
          "\(key).error.\(digit)",
          results.spread(key, of: AugmentationResults.error(of: digit)), tolerance: 6, unit: "%")
      }
    }
    results.drawDigits(page)
  }

  private static func answerTheExercises(_ page: Page) {
    // The same strain α/σ² at twice the smoothness.
    let wide = FieldTheory(α: 4 * 34, σ: 8)
    page.value("exercise.wide.strain", wide.strain)
    page.value("exercise.wide.deviation", wide.deviation, unit: "px")
    // A turn by φ moves a point at r by the chord 2r·sin(φ/2), and its strain is 2·sin(φ/2) too.
    let chord = 2 * sin(7.5 * Double.pi / 180)
    page.value("exercise.turn", 10 * chord, unit: "px")
    page.value("exercise.turn.strain", chord)
  }
}
