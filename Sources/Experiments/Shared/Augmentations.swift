import Digits

extension Augmentation {
  // snippet.together
  /// Everything that moves ink, at once: what chapter 2.2.3 finds, and 3.2 builds on.
  package static let together = Augmentation(
    rotation: 15, shift: 2, scale: 0.15, shear: 0.2,
    elastic: ElasticDistortion(strength: 20, smoothness: 4))
  // snippet.end
}
