import Digits
import Networks

// snippet.settings
/// Everything that a training of networks which label for each other depends on, but for its seed.
public struct CrossSettings: Sendable {
  /// Who labels the images that have no label.
  public enum Labeller: Sendable { case others, oneself }

  /// The networks, as unlike as can be.
  public var networks: [ConvolutionStack.Plan] = [.kitsLayers, .largeFilters]
  /// Steps of each network, and those between two exchanges.
  public var (steps, round) = (36_000, 100)
  /// Images of a step that have a label, and that have none.
  public var (labelled, unlabelled) = (25, 75)
  /// Adam's rate for the first third of the steps, from which it falls in a line to 0.
  public var rate = 0.002
  /// The weight of the past in the averages of the weights, which label and are shipped.
  public var decay: Float = 0.999
  /// Who labels, and what the labeller's images undergo.
  public var (labeller, light) = (
    Labeller.others, Augmentation(rotation: 5, shift: 1, scale: 0.05)
  )
  /// The least probability of a label that counts.
  public var threshold: Float = 0.95
  /// The weight of such labels (0: there are none), and the steps in which it grows to that.
  public var (weight, ramp): (Float, Int) = (1, 4000)
  /// The share of the augmentation's strength that is left at the end of the last third.
  public var lastStrength: Float = 0.5
  /// Whether the images for validation are among those without labels.
  public var includesValidation = true
  /// Whether the statistics of normalisation are estimated anew at the end, without noise.
  public var estimatesStatistics = true
  /// The moves of an image over which a prediction is averaged: turns, and shifts by whole pixels.
  public var views = [AffineMap()]

  /// The settings from which chapter 3.4 sets out.
  public init() {}
  // snippet.end

  /// The networks that label for one of them.
  public func labellers(of network: Int) -> [Int] {
    networks.indices.filter { ($0 == network) == (labeller == .oneself) }
  }

  /// The rate of each step.
  var schedule: Schedule { .linearDecay(rate, from: steps / 3, to: steps, .steps) }

  /// The weight of others' labels in a step.
  func weight(_ step: Int) -> Float { weight * min(1, Float(step) / Float(max(1, ramp))) }

  /// How much of the last third of the training is done, 0…1.
  func late(_ step: Int) -> Float { max(0, Float(3 * step - 2 * steps) / Float(steps)) }

  /// The images that are learnt from without a label.
  public func others(of split: Split) -> [Int] {
    includesValidation ? split.withoutLabels : split.unlabelled
  }

  /// The same course in a part of the steps.
  public func shortened(to share: Double) -> Self {
    var short = self
    short.steps = max(1, Int((share * Double(steps)).rounded()))
    short.ramp = Int((share * Double(ramp)).rounded())
    return short
  }
}

// snippet.layers
extension ConvolutionStack.Plan {
  /// The kit's layers as chapter 3.2 trains them: no padding, noise, digits that are bent and turned.
  public static let kitsLayers = Self(
    blocks: [(32, 5, 0, true), (64, 3, 0, false), (64, 3, 0, true), (128, 3, 0, false)],
    hidden: 100, keep: 0.5, noise: 0.3,
    augmentation: Augmentation(
      rotation: 15, shift: 2, scale: 0.15, shear: 0.2, elastic: ElasticDistortion(strength: 24)))

  /// Large filters: 5 × 5 twice, and no noise, but digits that are partly painted over.
  public static let largeFilters = Self(
    blocks: [(24, 5, 2, true), (64, 5, 0, true), (96, 3, 0, false)],
    hidden: 128, keep: 0.5, noise: 0,
    augmentation: Augmentation(
      rotation: 15, shift: 2, scale: 0.15, shear: 0.2, elastic: ElasticDistortion(strength: 24),
      erasing: .random(probability: 0.3, area: 0.02...0.4, aspect: 0.3)))
}
// snippet.end

extension Augmentation {
  /// What images undergo at a share of the strength: each move as much smaller, erasing as much rarer.
  func weakened(to share: Float) -> Augmentation {
    guard share != 1 else { return self }
    var weak = self
    (weak.rotation, weak.shift, weak.noise) = (share * rotation, share * shift, share * noise)
    (weak.scale, weak.shear) = (share * scale, share * shear)
    weak.smallestCrop = 1 - share * (1 - smallestCrop)
    weak.elastic = elastic.map {
      ElasticDistortion(strength: share * $0.strength, smoothness: $0.smoothness)
    }
    if case .random(let probability, let area, let aspect) = erasing {
      weak.erasing = .random(probability: share * probability, area: area, aspect: aspect)
    }
    return weak
  }
}
