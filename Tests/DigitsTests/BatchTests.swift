import Digits
import Networks
import Tensors
import Testing

@Suite struct BatchTests {
  /// Images whose first pixel is their index.
  let set = ImageSet(
    pixels: (0..<23).flatMap { image in
      (0..<784).map { $0 == 0 ? UInt8(image) : 0 }
    }, labels: (0..<23).map { UInt8($0 % 10) })

  func indices(_ images: Tensor) -> [Int] {
    (0..<images.shape[1]).map { Int((images[$0 * 784] * 255).rounded()) }
  }

  @Test func anOrderVisitsEachPlaceOnceAPassAndAnotherWayInTheNext() {
    var order = ShuffledOrder(23, shuffledBy: RandomStream(seed: 1, "order"))
    var passes: [[Int]] = []
    for _ in 0..<3 {
      let batches = (0..<5).map { _ in Array(order.next(5)) }
      #expect(batches.map(\.count) == [5, 5, 5, 5, 3])
      passes.append(Array(batches.joined()))
    }
    for pass in passes { #expect(pass.sorted() == Array(0..<23)) }
    #expect(passes[0] != passes[1] && passes[1] != passes[2])
    // Across the end of a pass nothing is left out.
    var across = ShuffledOrder(23, shuffledBy: RandomStream(seed: 1, "order"))
    let run = (0..<6).flatMap { _ in across.nextAcross(10) }
    #expect(run == Array((passes[0] + passes[1] + passes[2]).prefix(60)))
  }

  @Test func aSourceGoesOnFromWhereItStood() {
    let stream = RandomStream(seed: 1, "order")
    for stop in 0..<30 {
      var (one, other) = (
        ShuffledOrder(23, shuffledBy: stream), ShuffledOrder(23, shuffledBy: stream)
      )
      for _ in 0..<stop { _ = one.next(5) }
      let isPossible = other.restore(one.state)
      #expect(isPossible)
      let rest = (0..<12).map { _ in Array(one.next(4)) }
      let again = (0..<12).map { _ in Array(other.next(4)) }
      #expect(rest == again)
    }
  }

  @Test func labelsBelongToTheirImages() {
    var source = LabelledBatches(of: set, Array(3..<20), size: 6, seed: 2, name: "test")
    var noise = RandomStream(seed: 1, "noise")
    #expect(source.stepsPerEpoch == 3)
    var seen: [Int] = []
    for _ in 0..<3 {
      let batch = source.next(using: &noise)
      #expect(batch.labels == indices(batch.images).map { $0 % 10 })
      seen += indices(batch.images)
    }
    #expect(seen.sorted() == Array(3..<20))
  }

  @Test func unlabelledImagesAreThoseThatWereAskedFor() {
    var source = UnlabelledBatches(
      of: set.withoutLabels([2, 4, 8, 16]), size: 6, seed: 2, name: "test")
    var noise = RandomStream(seed: 1, "noise")
    let seen = (0..<2).flatMap { _ in indices(source.next(using: &noise)) }
    #expect(seen.sorted() == [2, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 16])
  }

  @Test func aChangeDrawsFromTheTrainingsNoise() {
    let change: ImageChange = { $0 + $1.normal($0.shape) }
    var source = LabelledBatches(of: set, [5], size: 1, seed: 2, name: "test", change: change)
    var (noise, same) = (RandomStream(seed: 1, "noise"), RandomStream(seed: 1, "noise"))
    let images = source.next(using: &noise).images
    #expect(images == set.images([5]) + same.normal([1, 1, 28, 28]))
  }

  @Test func aSplitsImagesWithoutLabelsAreAllButTheLabelled() throws {
    let labels = (0..<400).map { UInt8($0 % 10) }
    let split = try Split.kit(labels, labelledPerClass: 10, validationPerClass: 20)
    #expect(split.withoutLabels.count == 300)
    #expect(Set(split.withoutLabels).isDisjoint(with: split.labelled))
  }
}
