import Digits
import Foundation
import Gradients
import Networks
import Tensors

/// Changed copies of images, each image a class of its own: surrogate classes.
///
/// No label is needed: the class of a copy is the place of the image that it was made of. What tells
/// the classes apart in spite of the changes is what the features come to hold. Source: Dosovitskiy,
/// Springenberg, Riedmiller & Brox 2014, "Discriminative unsupervised feature learning with
/// convolutional neural networks", section 2.
public struct SurrogateBatches: BatchSource {
  /// Copies with the classes that they belong to.
  public struct Batch {
    /// The copies, `[1, n, 28, 28]`.
    public let images: Tensor
    /// The class that each belongs to: the place of the image that it was made of, unless several
    /// images share one.
    public let classes: [Int]
  }

  private let seeds: UnlabelledImages
  private let size: Int
  private let shared: [Int]?
  private let change: ImageChange
  private var order: ShuffledOrder

  /// Batches of changed copies.
  ///
  /// - Parameters:
  ///   - seeds: the images that the classes are made of.
  ///   - seed: with the name, what the stream of the order comes from.
  ///   - shared: the class of each seed, where several share one; without it each is its own.
  ///   - change: makes a copy; what it draws is another each time.
  public init(
    of seeds: UnlabelledImages, size: Int, seed: UInt64, name: String, shared: [Int]? = nil,
    change: @escaping ImageChange = SurrogateBatches.change
  ) {
    precondition(
      shared == nil || shared!.count == seeds.count, "classes of other images: \(seeds.count)")
    (self.seeds, self.size, self.shared, self.change) = (seeds, size, shared, change)
    order = ShuffledOrder(seeds.count, shuffledBy: RandomStream(seed: seed, name, "classes"))
  }

  /// Where the source stands.
  public var state: ShuffledOrder.State { order.state }
  /// The batches in which each seed is met once.
  public var stepsPerEpoch: Int { max(1, seeds.count / size) }

  // snippet.next
  /// The next batch: a changed copy of each of the next seeds, whose place is its class.
  public mutating func next(using noise: inout RandomStream) -> Batch {
    let places = order.nextAcross(size)
    return Batch(
      images: change(seeds(places), &noise),
      classes: shared.map { shared in places.map { shared[$0] } } ?? places)
  }
  // snippet.end

  /// Goes to where a source of the same settings stood.
  public mutating func restore(_ state: ShuffledOrder.State) -> Bool { order.restore(state) }

  // snippet.change
  /// What makes a copy: rotation up to 20°, shift and scale up to a fifth, and another contrast.
  ///
  /// After section 2 of the paper, without its colours, its offset and its other contrast change;
  /// its scale is .7 to 1.4, and here the axes are scaled apart. Of contrast, each image's pixels
  /// are raised to a power of its own between ¼ and 4 and multiplied by .7 to 1.4, as it does to
  /// saturation and value.
  public static func change(_ images: Tensor, _ noise: inout RandomStream) -> Tensor {
    let moved = Augmentation(rotation: 20, shift: 5.6, scale: 0.2)(images, using: &noise)
    let n = images.shape[1]
    let exponents = noise.uniform([n], in: -1.386..<1.386).map { VectorMath.exp($0) }
    let factors = noise.uniform([n], in: 0.7..<1.4)
    return Tensor(uninitialized: moved.shape) { pixels in
      for i in pixels.indices {
        let image = i / ImageSet.pixelsPerImage
        let ink = Double(max(0, moved[i]))
        pixels[i] = Float(min(1, Double(factors[image]) * pow(ink, Double(exponents[image]))))
      }
    }
  }
  // snippet.end
}

/// A network that tells surrogate classes apart: convolutions whose features are what is wanted.
///
/// 64c5-64c5-128f, the small network of section 4.1, by default: two convolutions of 5 × 5, each
/// with a rectifier and a pooling of 2 × 2, a layer of 128 units with dropout, here of one half, and
/// a softmax over all classes.
public struct ExemplarNetwork: Classifier {
  /// The convolutions.
  public let convolutions: [Convolution]
  /// The fully connected layer.
  public let hidden: Dense
  /// To the logits of the surrogate classes.
  public let output: Dense

  /// A network with drawn weights.
  ///
  /// - Parameter classes: the number of images that classes are made of, 8,000 in the paper.
  public init(
    classes: Int, filters: [Int] = [64, 64], units: Int = 128, using stream: inout RandomStream
  ) {
    var side = ImageSet.side
    var channels = 1
    var convolutions: [Convolution] = []
    for filters in filters {
      convolutions.append(
        Convolution(
          channels: channels, filters: filters, kernel: 5, activation: .relu, initialiser: .he,
          using: &stream))
      (channels, side) = (filters, (side - 4) / 2)
    }
    self.convolutions = convolutions
    hidden = Dense(
      inputs: channels * side * side, outputs: units, activation: .relu, initialiser: .he,
      using: &stream)
    output = Dense(
      inputs: units, outputs: classes, initialiser: .gaussian(deviation: 0.01), using: &stream)
  }

  /// The logits of the surrogate classes of images `[1, n, 28, 28]`.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    let x = hidden(flatten(maps(images).last!))
    return output(phase.isTraining ? dropout(x, keep: 0.5, using: &noise) : x)
  }

  /// What each convolution gives after its pooling.
  private func maps(_ images: Variable) -> [Variable] {
    var x = images
    return convolutions.map { layer in
      x = maximumPool(layer(x)).what
      return x
    }
  }

  // snippet.features
  /// The features of images `[1, n, 28, 28]`: the largest number in each quadrant of each map of
  /// each convolution, and the units of the layer behind them; `[n, 4·maps + units]`.
  ///
  /// Section 4.1 of the paper: maps are pooled over their quadrants before a linear machine reads
  /// them.
  public func features(_ images: Tensor) -> Tensor {
    let maps = maps(Tape(recording: false).constant(images))
    let parts = maps.map(\.value.quadrantMaxima) + [hidden(flatten(maps.last!)).value]
    return Tensor.concatenation(parts, axis: 1)
  }
  // snippet.end
}

/// The cross-entropy of surrogate classes (section 3 of the paper).
public struct SurrogateClasses: Objective {
  /// The network in training.
  public let network: ExemplarNetwork

  /// The objective of a network.
  public init(_ network: ExemplarNetwork) { self.network = network }

  // snippet.loss
  /// L = −(1/n) Σ ln P(the place of the image that a copy was made of): equations 2 and 3 by draws.
  public func loss(
    _ batch: SurrogateBatches.Batch, at moment: Moment, on tape: Tape,
    using noise: inout RandomStream
  ) -> Loss {
    let logits = network.logits(tape.constant(batch.images), .training, using: &noise)
    return Loss(
      softmaxCrossEntropy(logits: logits, labels: batch.classes), over: batch.classes.count)
  }
  // snippet.end
}

extension Tensor {
  /// The largest number in each quadrant of each map.
  ///
  /// `[c, n, h, w]` → `[n, 4c]`, a map's four side by side. A middle row or column of odd maps belongs
  /// to the quadrants above and to the left.
  fileprivate var quadrantMaxima: Tensor {
    let (c, n, h, w) = (shape[0], shape[1], shape[2], shape[3])
    let (rows, columns) = ((h + 1) / 2, (w + 1) / 2)
    return Tensor(uninitialized: [n, 4 * c]) { y in
      y.update(repeating: -.infinity)
      for channel in 0..<c {
        for image in 0..<n {
          let (map, target) = ((channel * n + image) * h * w, (image * c + channel) * 4)
          for row in 0..<h {
            for column in 0..<w {
              let place = target + (row < rows ? 0 : 2) + (column < columns ? 0 : 1)
              y[place] = max(y[place], self[map + row * w + column])
            }
          }
        }
      }
    }
  }
}
