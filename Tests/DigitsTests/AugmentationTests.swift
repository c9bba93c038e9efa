import Digits
import Foundation
import Tensors
import Testing

@Suite struct WarpTests {
  /// Two images of odd extents, so that the ends of vector loops are reached.
  static let images: Tensor = {
    var stream = RandomStream(seed: 1, "warp")
    return stream.uniform([1, 2, 19, 21])
  }()

  /// A pixel of an image, 0 outside.
  static func pixel(_ images: Tensor, _ image: Int, _ row: Int, _ column: Int) -> Double {
    let (h, w) = (images.shape[2], images.shape[3])
    guard row >= 0, row < h, column >= 0, column < w else { return 0 }
    return Double(images[(image * h + row) * w + column])
  }

  /// The four pixels around a place, weighted by their nearness.
  static func read(_ images: Tensor, _ image: Int, x: Double, y: Double) -> Double {
    var sum = 0.0
    for row in [Int(floor(y)), Int(floor(y)) + 1] {
      for column in [Int(floor(x)), Int(floor(x)) + 1] {
        let weight = (1 - abs(x - Double(column))) * (1 - abs(y - Double(row)))
        sum += weight * pixel(images, image, row, column)
      }
    }
    return sum
  }

  @Test func aWarpIsWhatItsFormulaSays() {
    var stream = RandomStream(seed: 2, "warp")
    let (h, w) = (19, 21)
    let field = stream.uniform([2, 2, h, w], in: -3..<3)
    let map = AffineMap(rotation: 30, stretch: (1.2, -0.8), shear: 0.3, shift: (1.5, -2.25))
    let warped = Self.images.warped([map, map], displacements: field)
    // p → R·S·D·p + t undone step by step, in Double.
    let angle = -30 * Double.pi / 180
    var worst = 0.0
    for image in 0..<2 {
      for row in 0..<h {
        for column in 0..<w {
          let place = row * w + column
          let (qx, qy) = (Double(column) - 10 - 1.5, Double(row) - 9 + 2.25)
          let (rx, ry) = (
            cos(angle) * qx - sin(angle) * qy, sin(angle) * qx + cos(angle) * qy
          )
          let x = (rx - 0.3 * ry) / 1.2 + 10 + Double(field[2 * image * h * w + place])
          let y = ry / -0.8 + 9 + Double(field[(2 * image + 1) * h * w + place])
          let expected = Self.read(Self.images, image, x: x, y: y)
          worst = max(worst, abs(Double(warped[image * h * w + place]) - expected))
        }
      }
    }
    #expect(worst < 1e-4)
  }

  @Test func noChangeIsTheSameBits() {
    #expect(Self.images.warped([AffineMap(), AffineMap()]) == Self.images)
    var stream = RandomStream(seed: 3, "warp")
    #expect(Augmentation()(Self.images, using: &stream) == Self.images)
    let none = Augmentation(elastic: ElasticDistortion(strength: 0))
    #expect(none(Self.images, using: &stream) == Self.images)
  }

  @Test func aShiftByWholePixelsIsExact() {
    let map = AffineMap(shift: (3, -2))
    let shifted = Self.images.warped([map, map])
    for image in 0..<2 {
      for row in 0..<19 {
        for column in 0..<21 {
          #expect(
            Self.pixel(shifted, image, row, column)
              == Self.pixel(Self.images, image, row + 2, column - 3))
        }
      }
    }
  }

  @Test func farOutsideIsPaper() {
    for shift: (Float, Float) in [(1e9, 0), (0, -1e9), (40, 40)] {
      let map = AffineMap(shift: shift)
      #expect(Self.images.warped([map, map]).values.allSatisfy { $0 == 0 })
    }
  }

  /// A blot exp(−r²/2s²) off the centre of 28 × 28 pixels.
  static func blot(x: Double, y: Double, deviation s: Double) -> Tensor {
    Tensor(
      [1, 1, 28, 28],
      (0..<784).map { i in
        let (dx, dy) = (Double(i % 28) - 13.5 - x, Double(i / 28) - 13.5 - y)
        return Float(exp(-(dx * dx + dy * dy) / (2 * s * s)))
      })
  }

  static func largest(_ a: Tensor, _ b: Tensor) -> Double {
    Double((a - b).maximumMagnitude())
  }

  @Test func aTurnMovesABlotClockwise() {
    // Right of the centre, a quarter turn clockwise: below it.
    let turned = Self.blot(x: 5, y: 0, deviation: 2).warped([AffineMap(rotation: 90)])
    #expect(Self.largest(turned, Self.blot(x: 0, y: 5, deviation: 2)) < 1e-5)
  }

  @Test func aTurnThereAndBackIsNearTheOriginal() {
    let original = Self.blot(x: 3, y: 1, deviation: 3)
    // Linear interpolation is wrong by at most ⅛·(|∂²/∂x²| + |∂²/∂y²|), here 2/(8·3²), each time.
    let bound = 2 * 2.0 / (8 * 9)
    for angle: Float in [7, 25, 80] {
      let there = original.warped([AffineMap(rotation: angle)])
      #expect(Self.largest(there.warped([AffineMap(rotation: -angle)]), original) < bound)
      #expect(Self.largest(there.warped([AffineMap(rotation: angle)]), original) > bound)
    }
  }

  @Test func inkGrowsAsTheDeterminantSays() {
    let original = Self.blot(x: 1, y: -1, deviation: 2.5)
    for map in [
      AffineMap(rotation: 20), AffineMap(shear: 0.4), AffineMap(shift: (0.3, 1.6)),
      AffineMap(rotation: -10, stretch: (1.2, 0.9), shear: -0.2),
    ] {
      let ratio = original.warped([map]).sum() / original.sum()
      #expect(abs(ratio / map.determinant - 1) < 2e-3)
    }
  }
}

@Suite struct ElasticTests {
  @Test func theFieldIsThatOfThePlainSum() {
    let distortion = ElasticDistortion(strength: 5, smoothness: 1.5)
    let (h, w, radius) = (7, 18, 5)
    var stream = RandomStream(seed: 4, "elastic")
    var copy = stream
    let field = distortion.displacements(3, height: h, width: w, using: &stream)
    let (rows, columns) = (h + 2 * radius, w + 2 * radius)
    let u = copy.uniform([3, 2, rows, columns], in: -1..<1)
    let line = (-radius...radius).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = line.reduce(0, +)
    var worst = 0.0
    for plane in 0..<6 {
      for row in 0..<h {
        for column in 0..<w {
          var value = 0.0
          for i in 0...2 * radius {
            for j in 0...2 * radius {
              value +=
                line[i] * line[j] / (sum * sum)
                * Double(u[(plane * rows + row + i) * columns + column + j])
            }
          }
          worst = max(worst, abs(5 * value - Double(field[(plane * h + row) * w + column])))
        }
      }
    }
    #expect(worst < 1e-5)
  }

  @Test func theDisplacementIsAsLargeAndAsSmoothAsItsFormulaSays() {
    let (α, σ) = (34.0, 4.0)
    let distortion = ElasticDistortion()
    var stream = RandomStream(seed: 5, "elastic")
    let field = distortion.displacements(400, height: 28, width: 28, using: &stream)
    var (size, step, edge) = (0.0, 0.0, 0.0)
    for plane in 0..<800 {
      for row in 0..<28 {
        edge += pow(Double(field[(plane * 28 + row) * 28]), 2) / Double(800 * 28)
        for column in 0..<27 {
          let place = (plane * 28 + row) * 28 + column
          size += pow(Double(field[place]), 2)
          step += pow(Double(field[place + 1] - field[place]), 2)
        }
      }
    }
    (size, step) = (size / Double(800 * 28 * 27), step / Double(800 * 28 * 27))
    // In the plane without pixels: α²/3 · 1/(4πσ²), and twice that · (1 − exp(−1/4σ²)).
    let variance = α * α / 3 / (4 * .pi * σ * σ)
    #expect(abs(size / variance - 1) < 0.06)
    #expect(abs(edge / variance - 1) < 0.1)
    #expect(abs(distortion.deviation * distortion.deviation / variance - 1) < 0.02)
    #expect(abs(step / (2 * variance * (1 - exp(-1 / (4 * σ * σ)))) - 1) < 0.06)
  }

  @Test func inkIsKeptInTheMean() {
    let blot = WarpTests.blot(x: 0, y: 0, deviation: 2)
    let n = 2000
    let images = Tensor(
      [1, n, 28, 28], Array([[Float]](repeating: blot.values, count: n).joined()))
    var stream = RandomStream(seed: 6, "elastic")
    let changed = Augmentation(elastic: ElasticDistortion(strength: 20))(images, using: &stream)
    let ratios = (0..<n).map { image in
      (0..<784).reduce(0.0) { $0 + Double(changed[image * 784 + $1]) } / Double(blot.sum())
    }
    let mean = ratios.reduce(0, +) / Double(n)
    let deviation = (ratios.reduce(0) { $0 + pow($1 - mean, 2) } / Double(n)).squareRoot()
    #expect(abs(mean - 1) < 4 * deviation / Double(n).squareRoot())
    // α²/3·‖G ∗ ∇I‖²/M²; for a blot of deviation s that is α²/3 · 1/(8π(σ² + s²)²) for each axis.
    let predicted = 20 / 3.squareRoot() * (2 / (8 * .pi * 20 * 20)).squareRoot()
    #expect(abs(deviation / predicted - 1) < 0.1)
  }
}

@Suite struct AugmentationTests {
  static let white = Tensor(repeating: 1, [1, 200, 28, 28])

  /// Everything at once.
  static let all = Augmentation(
    rotation: 25, shift: 3, scale: 0.2, shear: 0.2, elastic: ElasticDistortion(),
    smallestCrop: 0.8, flips: true, erasing: .zhong, noise: 0.1)

  @Test func theBitsDoNotDependOnTheNumberOfThreads() async {
    await #expect(processExitsWith: .success) {
      var source = RandomStream(seed: 7, "images")
      let images = source.uniform([1, 50, 28, 28])
      let results = [1, 2, 4].map { threads in
        Parallel.threadCount = threads
        var stream = RandomStream(seed: 8, "augmentation")
        return AugmentationTests.all(images, using: &stream)
      }
      let areSame = results[0] == results[1] && results[1] == results[2]
      #expect(areSame && results[0] != images)
    }
  }

  @Test func aCutoutIsASquareOfPaper() {
    var stream = RandomStream(seed: 9, "cutout")
    let cut = Augmentation(erasing: .cutout(side: 9))(Self.white, using: &stream)
    let missing = (0..<200).map { image in
      (0..<784).count { cut[image * 784 + $0] == 0 }
    }
    // Whole inside, a quarter of it and a row more in a corner.
    #expect(missing.max() == 81 && missing.min()! >= 16)
    #expect(cut.values.allSatisfy { $0 == 0 || $0 == 1 })
  }

  @Test func randomErasingTakesTheSharesOfItsPaper() {
    var stream = RandomStream(seed: 10, "erasing")
    let erased = Augmentation(erasing: .zhong)(Self.white, using: &stream)
    let shares = (0..<200).map { image in
      Double((0..<784).count { erased[image * 784 + $0] != 1 }) / 784
    }
    #expect((70...130).contains(shares.count { $0 > 0 }))
    #expect(shares.allSatisfy { $0 == 0 || ($0 > 0.012 && $0 < 0.43) })
    #expect(shares.max()! > 0.3)
  }

  @Test func halfOfTheImagesAreMirrored() {
    var source = RandomStream(seed: 11, "images")
    let images = source.uniform([1, 200, 8, 8])
    var stream = RandomStream(seed: 12, "flips")
    let flipped = Augmentation(flips: true)(images, using: &stream)
    var mirrored = 0
    for image in 0..<200 {
      let rows = (0..<8).map { row in (0..<8).map { images[(image * 8 + row) * 8 + $0] } }
      let after = (0..<8).map { row in (0..<8).map { flipped[(image * 8 + row) * 8 + $0] } }
      #expect(after == rows || after == rows.map { $0.reversed() })
      if after != rows { mirrored += 1 }
    }
    #expect((70...130).contains(mirrored))
  }

  @Test func noiseHasItsDeviation() {
    var stream = RandomStream(seed: 13, "noise")
    let noise = Augmentation(noise: 0.3)(Self.white, using: &stream).values.map { $0 - 1 }
    let count = Float(noise.count)
    #expect(abs(noise.reduce(0, +) / count) < 0.004)
    #expect(abs((noise.reduce(0) { $0 + $1 * $1 } / count).squareRoot() - 0.3) < 0.004)
  }

  /// M⁻¹ row by row and where the middle is read, [a, b, x, c, d, y], of each of 2,000 maps.
  ///
  /// A ramp stays a ramp under linear interpolation, so that the map stands in the middle pixels.
  private func drawn(_ augmentation: Augmentation) -> [[Double]] {
    let n = 2000
    let halves = [true, false].map { isColumns -> [[Double]] in
      let ramp = (0..<784).map { Float(isColumns ? $0 % 28 : $0 / 28) }
      let images = Tensor([1, n, 28, 28], Array([[Float]](repeating: ramp, count: n).joined()))
      var stream = RandomStream(seed: 15, "maps")
      let changed = augmentation(images, using: &stream)
      return (0..<n).map { image in
        let p = [0, 1, 28, 29].map { Double(changed[image * 784 + 13 * 28 + 13 + $0]) }
        return [p[1] - p[0], p[2] - p[0], p.reduce(0, +) / 4 - 13.5]
      }
    }
    return zip(halves[0], halves[1]).map { $0 + $1 }
  }

  /// Whether numbers look drawn uniformly between −bound and bound.
  private func expectUniform(
    _ x: [Double], to bound: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(x.allSatisfy { abs($0) < 1.001 * bound }, sourceLocation: sourceLocation)
    #expect(
      x.contains { $0 > 0.98 * bound } && x.contains { $0 < -0.98 * bound },
      sourceLocation: sourceLocation)
    let square = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
    #expect(abs(3 * square / (bound * bound) - 1) < 0.1, sourceLocation: sourceLocation)
  }

  @Test func eachChangeIsUniformToItsBound() {
    let turns = drawn(Augmentation(rotation: 25)).map { atan2($0[1], $0[0]) * 180 / .pi }
    expectUniform(turns, to: 25)
    let shifts = drawn(Augmentation(shift: 3))
    for axis in [2, 5] { expectUniform(shifts.map { $0[axis] }, to: 3) }
    let sizes = drawn(Augmentation(scale: 0.2))
    for axis in [0, 4] { expectUniform(sizes.map { log($0[axis]) }, to: log(1.2)) }
    expectUniform(drawn(Augmentation(shear: 0.2)).map { $0[1] }, to: 0.2)
  }

  @Test func aCropIsAWindowAnywhereInsideTheImage() {
    let windows = drawn(Augmentation(smallestCrop: 0.6))
    #expect(windows.allSatisfy { abs($0[0] - $0[4]) < 1e-4 })
    expectUniform(windows.map { ($0[0] - 0.8) / 0.2 }, to: 1)
    for axis in [2, 5] {
      expectUniform(
        windows.filter { $0[0] < 0.95 }.map { $0[axis] / (14 * (1 - $0[0])) }, to: 1)
    }
  }
}
