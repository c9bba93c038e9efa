import Digits

/// One row of chapter 2.2.3's table: a name for values, words for readers, and what is done.
package struct Treatment: Sendable {
  package let key: String
  package let words: String
  package let augmentation: Augmentation

  // snippet.treatments
  package static let helpful = [
    Treatment(key: "none", words: "nothing", augmentation: Augmentation()),
    Treatment(key: "shift", words: "shift 2 px", augmentation: Augmentation(shift: 2)),
    Treatment(key: "rotation", words: "rotation 15°", augmentation: Augmentation(rotation: 15)),
    Treatment(key: "scale", words: "scale 15 %", augmentation: Augmentation(scale: 0.15)),
    Treatment(key: "shear", words: "shear 0.2", augmentation: Augmentation(shear: 0.2)),
    elastic(34),
    Treatment(
      key: "erasing", words: "erasing 8 px",
      augmentation: Augmentation(erasing: .cutout(side: 8))),
    Treatment(key: "noise", words: "noise 0.2", augmentation: Augmentation(noise: 0.2)),
    Treatment(
      key: "affine", words: "first four",
      augmentation: Augmentation(rotation: 15, shift: 2, scale: 0.15, shear: 0.2)),
    Treatment(key: "together", words: "first five", augmentation: .together),
    Treatment(
      key: "everything", words: "all seven",
      augmentation: {
        var all = Augmentation.together
        (all.erasing, all.noise) = (.cutout(side: 8), 0.2)
        return all
      }()),
  ]

  package static let harmful = [
    Treatment(key: "flips", words: "flips", augmentation: Augmentation(flips: true)),
    Treatment(key: "turns", words: "rotation 180°", augmentation: Augmentation(rotation: 180)),
    Treatment(key: "crops", words: "crops to ½", augmentation: Augmentation(smallestCrop: 0.5)),
  ]
  // snippet.end

  /// Elastic distortion of σ = 4 and a strength.
  private static func elastic(_ α: Int) -> Treatment {
    Treatment(
      key: "elastic\(α)", words: "elastic α \(α)",
      augmentation: Augmentation(
        elastic: ElasticDistortion(strength: Float(α), smoothness: 4)))
  }

  /// The strengths of elastic distortion that are compared, 34 being the table's.
  package static let strengths = [10, 20, 34, 60].map(elastic)

  /// Those that are trained for a short time too, to see what the time is worth.
  package static let hurried = helpful.filter {
    ["none", "elastic34", "together", "everything"].contains($0.key)
  }

  /// All that are trained, each once.
  package static let all = helpful + harmful + strengths.filter { $0.key != "elastic34" }
}
