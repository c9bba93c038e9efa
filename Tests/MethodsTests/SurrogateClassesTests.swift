import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors
import Testing

@Suite struct SurrogateClassesTests {
  /// Twelve images, each a bright square at a place of its own.
  let set: ImageSet = {
    var pixels = [UInt8](repeating: 0, count: 12 * 784)
    for image in 0..<12 {
      for row in 0..<6 {
        for column in 0..<6 {
          pixels[image * 784 + (7 * (image / 4) + 2 + row) * 28 + 6 * (image % 4) + 2 + column] =
            UInt8(255 - 10 * image)
        }
      }
    }
    return ImageSet(pixels: pixels, labels: [UInt8](repeating: 7, count: 12))
  }()

  func batches(change: @escaping ImageChange) -> SurrogateBatches {
    SurrogateBatches(
      of: set.withoutLabels(Array(0..<12)), size: 5, seed: 1, name: "test", change: change)
  }

  /// A copy's class is the image that it was made of, whatever its label is.
  @Test func theClassIsThePlaceOfTheImage() {
    var source = batches { images, _ in images }
    var noise = RandomStream(seed: 1, "noise")
    var met = Set<Int>()
    for _ in 0..<12 {
      let batch = source.next(using: &noise)
      #expect(batch.images == set.images(batch.classes))
      met.formUnion(batch.classes)
    }
    #expect(met == Set(0..<12))
  }

  /// Images that share a class are told apart no more: their copies belong to the shared one.
  @Test func imagesCanShareAClass() {
    let shared = (0..<12).map { $0 % 3 }
    var source = SurrogateBatches(
      of: set.withoutLabels(Array(0..<12)), size: 5, seed: 1, name: "test", shared: shared
    ) { images, _ in images }
    var places = batches { images, _ in images }
    var noise = RandomStream(seed: 1, "noise")
    for _ in 0..<6 {
      let (batch, own) = (source.next(using: &noise), places.next(using: &noise))
      #expect(batch.images == own.images)
      #expect(batch.classes == own.classes.map { shared[$0] })
    }
  }

  @Test func copiesOfAnImageDifferAndStayInRange() {
    var noise = RandomStream(seed: 1, "noise")
    let images = set.images([Int](repeating: 3, count: 200))
    let copies = SurrogateBatches.change(images, &noise)
    #expect(copies.shape == images.shape)
    #expect(copies.values.allSatisfy { (0...1).contains($0) })
    let one = Array(copies.values.prefix(784))
    for copy in 1..<200 {
      #expect(one != Array(copies.values[copy * 784..<(copy + 1) * 784]))
    }
    // An image of one grey is changed in its contrast alone: g^e · f, with e in ¼ … 4.
    let grey = Tensor(repeating: 0.5, [1, 400, 28, 28])
    let middle = SurrogateBatches.change(grey, &noise).values
    let seen = (0..<400).map { Double(middle[$0 * 784 + 14 * 28 + 14]) }
    #expect(seen.min()! > 0.7 * pow(0.5, 4) - 1e-3 && seen.max()! < 1.4 * pow(0.5, 0.25))
    #expect(seen.min()! < 0.1 && seen.max()! > 0.9)
  }

  /// Values by Benchmarks/golden_autoencoders.py, for the network without its dropout.
  @Test func lossAndGradientOfTheNetworkAreThoseOfAnotherLibrary() {
    var start = RandomStream(seed: 1, "weights")
    let network = ExemplarNetwork(classes: 5, filters: [2, 3], units: 4, using: &start)
    TinyInstance.fill(network)
    let own = TinyInstance.lossAndGradientNorm(network) { tape in
      var noise = RandomStream(seed: 1, "tiny")
      let images = tape.constant(TinyInstance.images(3, side: 28, phase: 2))
      let logits = network.logits(images, .evaluation, using: &noise)
      return softmaxCrossEntropy(logits: logits, labels: [4, 0, 2])
    }
    #expect(TinyInstance.agree(own.loss, 21.7011084149), "\(own.loss)")
    #expect(TinyInstance.agree(own.norm, 163.0410725887), "\(own.norm)")
  }

  /// Without output weights the biases say how likely each image is, and the loss follows by hand.
  @Test func theLossIsTheCrossEntropyOverAllImages() {
    var start = RandomStream(seed: 1, "weights")
    let network = ExemplarNetwork(classes: 12, filters: [3, 4], units: 6, using: &start)
    network.output.weight.value = Tensor(repeating: 0, [12, 6])
    network.output.bias.value = start.normal([12])
    let b = network.output.bias.value.values.map(Double.init)
    var noise = RandomStream(seed: 1, "noise")
    var source = batches(change: SurrogateBatches.change)
    let batch = source.next(using: &noise)
    let loss = SurrogateClasses(network).loss(
      batch, at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
    let mass = b.reduce(0) { $0 + exp($1) }
    let byHand = batch.classes.reduce(0) { $0 + (log(mass) - b[$1]) / 5 }
    #expect(abs(Double(loss.total.value.scalar) - byHand) < 1e-6)
  }

  @Test func theGradientIsThatOfTheWholeLoss() {
    var start = RandomStream(seed: 1, "weights")
    // Without rectifiers that bend within a step: weights whose units are all active.
    let network = ExemplarNetwork(classes: 12, filters: [2, 2], units: 4, using: &start)
    for parameter in network.parameters where parameter.value.shape.rank == 1 {
      parameter.value = parameter.value.map { $0 + 3 }
    }
    network.output.weight.value = start.normal([12, 4], deviation: 0.3)
    var noise = RandomStream(seed: 1, "noise")
    var source = batches(change: SurrogateBatches.change)
    var check = WholeLoss(method: SurrogateClasses(network), batch: source.next(using: &noise))
    check.step = 1e-3
    for (path, error) in check.relativeErrors() {
      #expect(error < WholeLoss<SurrogateClasses>.tolerance, "\(path)")
    }
    for (path, error) in check.relativeErrors(factor: 1.03) {
      #expect(error > WholeLoss<SurrogateClasses>.tolerance, "\(path)")
    }
  }

  /// The features of an image are the quadrants' largest numbers of each map, by plain loops.
  @Test func featuresAreQuadrantMaxima() {
    var start = RandomStream(seed: 1, "weights")
    let network = ExemplarNetwork(classes: 12, filters: [2, 3], units: 5, using: &start)
    let images = set.images([0, 6, 11])
    let features = network.features(images)
    #expect(features.shape == [3, 4 * 5 + 5])
    let tape = Tape(recording: false)
    let first = maximumPool(network.convolutions[0](tape.constant(images))).what.value
    for image in 0..<3 {
      for map in 0..<2 {
        var largest = [Float](repeating: -.infinity, count: 4)
        for row in 0..<12 {
          for column in 0..<12 {
            let quadrant = (row < 6 ? 0 : 2) + (column < 6 ? 0 : 1)
            let value = first[((map * 3 + image) * 12 + row) * 12 + column]
            largest[quadrant] = max(largest[quadrant], value)
          }
        }
        for quadrant in 0..<4 {
          #expect(features[image * 25 + map * 4 + quadrant] == largest[quadrant])
        }
      }
    }
  }

  /// It learns to tell twelve images apart under its changes.
  @Test func classesAreLearnt() throws {
    var start = RandomStream(seed: 1, "weights")
    let network = ExemplarNetwork(classes: 12, filters: [8, 8], units: 32, using: &start)
    let source = SurrogateBatches(
      of: set.withoutLabels(Array(0..<12)), size: 24, seed: 1, name: "test",
      change: { images, noise in
        Augmentation(rotation: 5, shift: 1)(images, using: &noise)
      })
    var training = Training(
      SurrogateClasses(network), source, Adam(), rate: .constant(3e-3), seed: 1, name: "test")
    for _ in 0..<150 { training.takeStep() }
    let predictions = network.logits(of: set.images(Array(0..<12))).predictions
    #expect(zip(predictions, 0..<12).count { $0 == $1 } >= 10)
  }
}
