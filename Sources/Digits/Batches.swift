import Networks
import Tensors

/// Labelled images of one step.
public struct LabelledBatch {
  /// The images, `[1, n, 28, 28]`.
  public let images: Tensor
  /// The digit of each.
  public let labels: [Int]

  /// The number of images.
  public var count: Int { labels.count }
}

/// Labelled images, and beside them images that have no labels.
public struct PairedBatch {
  /// The labelled images.
  public let labelled: LabelledBatch
  /// The others, `[1, m, 28, 28]`.
  public let unlabelled: Tensor
}

/// A change of images `[1, n, 28, 28]` that draws from a stream, such as an augmentation.
public typealias ImageChange = (_ images: Tensor, _ noise: inout RandomStream) -> Tensor

/// The places `0 ..< count` in an order that is shuffled anew for each pass.
///
/// With it, what a source remembers is one stream, as it stood when the present pass began, and how
/// far the pass has come.
public struct ShuffledOrder {
  /// Where an order stands.
  public struct State: Codable {
    let stream: RandomStream
    let count, place: Int
  }

  private let count: Int
  private var stream: RandomStream
  private var place = 0
  /// The present pass and the stream after it was drawn; nil before its first place is asked for.
  private var pass: (order: [Int], after: RandomStream)?

  /// An order of `count` places, shuffled by a stream.
  public init(_ count: Int, shuffledBy stream: RandomStream) {
    precondition(count > 0, "an order of no places never yields any")
    self.count = count
    self.stream = stream
  }

  /// Where the order stands.
  public var state: State { State(stream: stream, count: count, place: place) }

  /// The next places, at most `size` of them: a pass may end with fewer.
  public mutating func next(_ size: Int) -> ArraySlice<Int> {
    if pass == nil {
      var after = stream
      pass = (after.permutation(count), after)
    }
    let order = pass!.order
    let places = order[place..<min(count, place + size)]
    place = places.endIndex
    if place == count { (stream, place, pass) = (pass!.after, 0, nil) }
    return places
  }

  /// The next `size` places, across the end of a pass.
  public mutating func nextAcross(_ size: Int) -> [Int] {
    var places: [Int] = []
    while places.count < size { places += next(size - places.count) }
    return places
  }

  /// Goes to where an order of as many places stood; false, with nothing changed, for a place that
  /// is none.
  public mutating func restore(_ state: State) -> Bool {
    guard state.count == count, (0..<count).contains(state.place) else { return false }
    (stream, place, pass) = (state.stream, state.place, nil)
    return true
  }
}

/// Batches of labelled images in shuffled order; the last one of an epoch may be smaller.
public struct LabelledBatches: BatchSource {
  private let set: ImageSet
  private let indices: [Int]
  private let size: Int
  private let change: ImageChange?
  private var order: ShuffledOrder

  /// Batches of the images at some indices of a set.
  ///
  /// - Parameters:
  ///   - seed: with the name, what the stream of the order comes from.
  ///   - change: changes the images of a batch before they are seen; it draws from the training's
  ///     own noise.
  public init(
    of set: ImageSet, _ indices: [Int], size: Int, seed: UInt64, name: String,
    change: ImageChange? = nil
  ) {
    self.set = set
    self.indices = indices
    self.size = size
    self.change = change
    order = ShuffledOrder(
      indices.count, shuffledBy: RandomStream(seed: seed, name, "order"))
  }

  /// Where the source stands.
  public var state: ShuffledOrder.State { order.state }
  /// The batches of a pass over all images.
  public var stepsPerEpoch: Int { (indices.count + size - 1) / size }

  /// The next batch.
  public mutating func next(using noise: inout RandomStream) -> LabelledBatch {
    let chosen = order.next(size).map { indices[$0] }
    let images = set.images(chosen)
    return LabelledBatch(
      images: change?(images, &noise) ?? images, labels: set.labels(chosen))
  }

  /// Goes to where a source of the same settings stood.
  public mutating func restore(_ state: ShuffledOrder.State) -> Bool { order.restore(state) }
}

/// Batches of images without labels, all of one size, in shuffled order: `[1, n, 28, 28]`.
public struct UnlabelledBatches: BatchSource {
  private let images: UnlabelledImages
  private let size: Int
  private let change: ImageChange?
  private var order: ShuffledOrder

  /// Batches of images; a batch may begin in one pass and end in the next.
  ///
  /// - Parameters:
  ///   - seed: with the name, what the stream of the order comes from.
  ///   - change: changes the images of a batch before they are seen.
  public init(
    of images: UnlabelledImages, size: Int, seed: UInt64, name: String,
    change: ImageChange? = nil
  ) {
    self.images = images
    self.size = size
    self.change = change
    order = ShuffledOrder(
      images.count, shuffledBy: RandomStream(seed: seed, name, "unlabelled order"))
  }

  /// Where the source stands.
  public var state: ShuffledOrder.State { order.state }
  /// The batches of about a pass over all images.
  public var stepsPerEpoch: Int { max(1, images.count / size) }

  /// The next batch.
  public mutating func next(using noise: inout RandomStream) -> Tensor {
    let batch = images(order.nextAcross(size))
    return change?(batch, &noise) ?? batch
  }

  /// Goes to where a source of the same settings stood.
  public mutating func restore(_ state: ShuffledOrder.State) -> Bool { order.restore(state) }
}

/// Labelled images and images without labels side by side; an epoch is a pass over the labelled.
public struct PairedBatches: BatchSource {
  private var labelled: LabelledBatches
  private var unlabelled: UnlabelledBatches

  /// Where both sources stand.
  public struct State: Codable {
    let labelled, unlabelled: ShuffledOrder.State
  }

  /// Pairs two sources.
  public init(_ labelled: LabelledBatches, _ unlabelled: UnlabelledBatches) {
    self.labelled = labelled
    self.unlabelled = unlabelled
  }

  /// Where the source stands.
  public var state: State { State(labelled: labelled.state, unlabelled: unlabelled.state) }
  /// The batches of a pass over the labelled images.
  public var stepsPerEpoch: Int { labelled.stepsPerEpoch }

  /// The next batch; the labelled half draws its noise first.
  public mutating func next(using noise: inout RandomStream) -> PairedBatch {
    PairedBatch(labelled: labelled.next(using: &noise), unlabelled: unlabelled.next(using: &noise))
  }

  /// Goes to where a source of the same settings stood.
  public mutating func restore(_ state: State) -> Bool {
    var (first, second) = (labelled, unlabelled)
    guard first.restore(state.labelled), second.restore(state.unlabelled) else { return false }
    (labelled, unlabelled) = (first, second)
    return true
  }
}

extension Array<Int> {
  /// The elements in successive runs of at most `size`.
  public func batches(of size: Int) -> [ArraySlice<Int>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min(count, $0 + size)] }
  }
}
