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
    let split = try Split.kit(data.train.labels)
    show(
      Treatment.helpful.filter { $0.key != "affine" && $0.key != "everything" }, page, data, split,
      name: "sheet", height: 800,
      title: "A reader still reads each digit; elastic distortion is the boldest change")
    checkTheMaps(page, data, split)
    checkTheField(page)
    showTheField(page, data, split)
    checkTheInk(page, data, split)
    let results = try AugmentationResults(page, data, split)
    results.report(page)
    try AugmentationResults.trainLonger(page, data, split)
    show(
      Treatment.harmful, page, data, split, name: "harm", height: 330,
      title: "Flips, half turns and crops make other digits, or none")
    results.showTheHarm(page)
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
    func mapped(_ images: Tensor, _ map: AffineMap) -> Tensor {
      images.warped([AffineMap](repeating: map, count: images.shape[1]))
    }
    var stream = RandomStream(seed: page.seed, id, "identity")
    let still = Augmentation(elastic: ElasticDistortion(strength: 0))(images, using: &stream)
    page.check("elastic distortion with α = 0 changes no bit", distance(still, images), atMost: 0)
    // What is shifted out of the image does not come back: a frame of two pixels must be empty.
    let frame = (0..<images.count).map { i -> Float in
      (2..<26).contains(i % 28) && (2..<26).contains(i / 28 % 28) ? 1 : 0
    }
    let framed = images * Tensor(images.shape, frame)
    let there = mapped(framed, AffineMap(shift: (2, -1)))
    page.check(
      "a shift by whole pixels and back changes no bit",
      distance(mapped(there, AffineMap(shift: (-2, 1))), framed), atMost: 0)
    // Once there and back: what two linear interpolations have blurred.
    let blurred = mapped(mapped(images, AffineMap(rotation: 15)), AffineMap(rotation: -15))
    let ahead = mapped(mapped(images, AffineMap(rotation: 15)), AffineMap(rotation: 15))
    func relative(_ other: Tensor) -> Double {
      Double(((other - images).sumOfSquares() / images.sumOfSquares()).squareRoot())
    }
    page.value("blur", relative(blurred), tolerance: 0.002)
    page.check("15° there and back is near the image", relative(blurred), atMost: 0.25)
    page.check("15° and 15° again is not", relative(ahead), atLeast: 2 * relative(blurred))
    let grown = mapped(images, AffineMap(rotation: 10, stretch: (1.15, 1.1), shear: 0.2))
    page.check(
      "ink grows by the determinant, 1.15 × 1.1", Double(grown.sum() / images.sum()),
      near: 1.15 * 1.1, tolerance: 0.005)
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
      let tolerance = page.isQuick ? 0.1 : 0.05
      page.check(
        "σ \(Int(σ)): displacement ÷ α/(σ√12π)", found.deviation / theory.deviation, near: 1,
        tolerance: tolerance)
      page.check(
        "σ \(Int(σ)): strain ÷ α/(σ²√24π)", found.strain / theory.strain, near: 1,
        tolerance: tolerance + 0.02)
      let worst = found.correlations.enumerated().map {
        abs($1 - theory.correlation(Double($0)))
      }.max()!
      page.check(
        "σ \(Int(σ)): correlation − exp(−r²/4σ²)", worst, atMost: page.isQuick ? 0.12 : 0.06)
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
    page.check("mean change of ink, in standard errors", mean / error, atMost: 4)
    let size = (standardised.reduce(0) { $0 + $1 * $1 } / Double(standardised.count)).squareRoot()
    page.check("change of ink ÷ its derived deviation", size, near: 1, tolerance: 0.15)
    page.value("ink.mean", 100 * mean, tolerance: 1, unit: "%")
    page.value("ink.deviation", 100 * spread, tolerance: 2, unit: "%")
    page.value("ink.ratio", size, tolerance: 0.1)
  }
}
