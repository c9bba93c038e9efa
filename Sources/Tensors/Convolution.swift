import Lanes

/// The extents of a two-dimensional convolution with stride 1.
///
/// Images are `[channels, batch, height, width]`: channels first, so that a convolution is one
/// matrix product over many images and a channel's statistics are one contiguous row.
public struct ConvolutionGeometry: Sendable {
  let channels, batch, height, width: Int
  let filters, kernelHeight, kernelWidth: Int
  let padding: Int

  /// The geometry of filters `[filters, channels, kh, kw]` over images `[channels, batch, h, w]`.
  ///
  /// `padding` rows and columns of zeros are laid around each image.
  public init(input: Shape, weight: Shape, padding: Int) {
    precondition(
      input.rank == 4 && weight.rank == 4 && input[0] == weight[1],
      "filters \(weight) do not fit images \(input)")
    (channels, batch, height, width) = (input[0], input[1], input[2], input[3])
    (filters, kernelHeight, kernelWidth) = (weight[0], weight[2], weight[3])
    self.padding = padding
    precondition(
      outputHeight > 0 && outputWidth > 0, "filters \(weight) are larger than images \(input)")
  }

  var outputHeight: Int { height + 2 * padding - kernelHeight + 1 }
  var outputWidth: Int { width + 2 * padding - kernelWidth + 1 }
  /// Pixels of one output image.
  var area: Int { outputHeight * outputWidth }
  /// Weights of one filter that lie on one channel.
  var window: Int { kernelHeight * kernelWidth }
  /// Weights of one filter: the rows of the unrolled images.
  var depth: Int { channels * kernelHeight * kernelWidth }
  /// The shape of the result: `[filters, batch, oh, ow]`.
  public var output: Shape { [filters, batch, outputHeight, outputWidth] }

  /// Floats of unrolled or transformed images that leave room beside them in the second cache: half a megabyte.
  static let cacheSize = 131_072
  /// Images unrolled at a time.
  var groupSize: Int { min(pieceSize, max(1, Self.cacheSize / max(1, depth * area))) }
  /// Channels unrolled at a time when all images of a piece are.
  var channelGroupSize: Int {
    let floats = window * pieceSize * area
    return min(channels, max(1, Self.cacheSize / max(1, floats)))
  }
  /// Images in a piece of a parallel loop; at most eight pieces, whatever the number of threads.
  ///
  /// Two where images are small: sums over few pixels end before they are worth their start.
  var pieceSize: Int {
    let size = max(1, (batch + 7) / 8)
    return size * area < 128 ? max(1, (batch + 1) / 2) : size
  }
}

/// The two ways to a convolution.
enum ConvolutionMethod {
  /// One product of matrices, for which the images are unrolled.
  case direct
  /// 36 products for tiles of 4 × 4 results: `Winograd`.
  case winograd
}

/// The distance between rows of some columns: whole cache lines, so that each row starts on one.
private func rowStride(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }

extension Tensor {
  /// A convolution (cross-correlation) with stride 1, a bias and an activation.
  ///
  /// Shapes: self `[c, n, h, w]`, weight `[o, c, kh, kw]`, bias `[o]` → `[o, n, oh, ow]`. A group of
  /// images is unrolled into a matrix that stays in cache (im2col; Chellapilla, Puri & Simard
  /// 2006), multiplied, and finished before the next; 3 × 3 filters over many channels go by tiles
  /// (`Winograd`), whose results differ from these by up to 6e-6 of the largest.
  public func convolution(
    _ weight: Tensor, bias: Tensor?, padding: Int = 0, activation: Activation = .identity
  ) -> Tensor {
    let g = ConvolutionGeometry(input: shape, weight: weight.shape, padding: padding)
    return convolution(weight, g, bias: bias, activation, by: g.method)
  }

  func convolution(
    _ weight: Tensor, _ g: ConvolutionGeometry, bias: Tensor?, _ activation: Activation,
    by method: ConvolutionMethod
  ) -> Tensor {
    precondition(bias.map { $0.shape == [g.filters] } ?? true, "a bias for each of \(g.filters)")
    let result = Tensor(uninitialized: g.output)
    let (x, y, b) = (pointer, result.freshPointer, bias?.pointer)
    guard method == .direct else {
      g.convolveByTiles(x, weight.pointer, bias: b, activation, into: y, tile: Kernels.tile)
      return result
    }
    let filters = LeftFactor(
      weight.pointer, rows: g.filters, depth: g.depth, rowStride: g.depth, step: 1)
    Parallel.forEachRange(g.batch, by: g.pieceSize) { piece in
      BufferPool.withScratch(g.depth * rowStride(g.groupSize * g.area)) { columns in
        for first in stride(from: piece.lowerBound, to: piece.upperBound, by: g.groupSize) {
          let images = first..<min(piece.upperBound, first + g.groupSize)
          let width = images.count * g.area
          g.unroll(x, images, channels: 0..<g.channels, into: columns, rowStride(width))
          filters.multiply(
            rows: 0..<g.filters, columns, stride: rowStride(width), columns: width,
            into: y + first * g.area, stride: g.batch * g.area, bias: b, activation: activation)
        }
      }
    }
    return result
  }

  /// The adjoint of `convolution` in its images: ⟨x ∗ W, y⟩ = ⟨x, y.transposedConvolution(W)⟩.
  ///
  /// Shapes: self `[o, n, oh, ow]`, weight `[o, c, kh, kw]` as the convolution has it → images
  /// `[c, n, h, w]` with h = oh + kh − 1 − 2·padding, w likewise.
  public func transposedConvolution(_ weight: Tensor, padding: Int = 0) -> Tensor {
    precondition(
      shape.rank == 4 && weight.shape.rank == 4 && shape[0] == weight.shape[0],
      "filters \(weight.shape) did not make \(shape)")
    let images: Shape = [
      weight.shape[1], shape[1], shape[2] + weight.shape[2] - 1 - 2 * padding,
      shape[3] + weight.shape[3] - 1 - 2 * padding,
    ]
    let g = ConvolutionGeometry(input: images, weight: weight.shape, padding: padding)
    let result = Tensor(uninitialized: images)
    let (x, y) = (pointer, result.freshPointer)
    guard g.method == .direct else {
      g.spreadByTiles(x, weight.pointer, into: y, tile: Kernels.tile)
      return result
    }
    let spread = LeftFactor(
      weight.pointer, rows: g.depth, depth: g.filters, rowStride: 1, step: g.depth)
    Parallel.forEachRange(g.batch, by: g.pieceSize) { piece in
      g.spread(x + piece.lowerBound * g.area, g.batch * g.area, piece, by: spread, into: y)
    }
    return result
  }

  /// The pullback of `convolution`: cotangents of the images, the weight and the bias.
  ///
  /// - Parameters:
  ///   - cotangent: of the result, `[o, n, oh, ow]`.
  ///   - output: the result, from which the activation's derivative is read.
  ///   - needsInput: whether the cotangent of the images is wanted; the first layer's is not.
  public func convolutionPullback(
    _ weight: Tensor, cotangent: Tensor, output: Tensor, padding: Int = 0,
    activation: Activation = .identity, needsInput: Bool = true
  ) -> (input: Tensor?, weight: Tensor, bias: Tensor) {
    let g = ConvolutionGeometry(input: shape, weight: weight.shape, padding: padding)
    return convolutionPullback(
      weight, g, cotangent: cotangent, output: output, activation, needsInput: needsInput,
      by: g.method)
  }

  func convolutionPullback(
    _ weight: Tensor, _ g: ConvolutionGeometry, cotangent: Tensor, output: Tensor,
    _ activation: Activation, needsInput: Bool, by method: ConvolutionMethod
  ) -> (input: Tensor?, weight: Tensor, bias: Tensor) {
    precondition(cotangent.shape == g.output, "\(cotangent.shape) is not \(g.output)")
    let input = needsInput ? Tensor(uninitialized: shape) : nil
    guard method == .direct else {
      let tile = Kernels.tile
      let (dz, bias) = undone(g, cotangent: cotangent, output: output, activation)
      let copies = withExtendedLifetime(dz) {
        if let input {
          g.spreadByTiles(dz.pointer, weight.pointer, into: input.freshPointer, tile: tile)
        }
        return g.correlateByTiles(pointer, dz.pointer, tile: tile)
      }
      return (input, copies.sumOfRows().reshaped(weight.shape), bias)
    }
    // Each piece writes a copy of its own; the copies are added in the order of the pieces.
    let pieces = (g.batch + g.pieceSize - 1) / g.pieceSize
    let weights = Tensor(uninitialized: [pieces, g.filters * g.depth])
    let biases = Tensor(uninitialized: [pieces, g.filters])
    let (x, dx, dy, y) = (pointer, input?.freshPointer, cotangent.pointer, output.pointer)
    let (dw, db) = (weights.freshPointer, biases.freshPointer)
    let tile = Kernels.tile
    let spread =
      needsInput
      ? LeftFactor(
        weight.pointer, rows: g.depth, depth: g.filters, rowStride: 1, step: g.depth, tile: tile)
      : nil
    Parallel.forEachRange(g.batch, by: g.pieceSize) { piece in
      let index = piece.lowerBound / g.pieceSize
      let width = rowStride(piece.count * g.area)
      BufferPool.withScratch(g.filters * width) { dz in
        for filter in 0..<g.filters {
          let place = (filter * g.batch + piece.lowerBound) * g.area
          db[index * g.filters + filter] = undo(
            dy + place, y + place, piece.count * g.area, activation, into: dz + filter * width)
        }
        g.correlate(x, piece, dz, width, into: dw + index * g.filters * g.depth, tile: tile)
        if let dx, let spread { g.spread(dz, width, piece, by: spread, into: dx) }
      }
    }
    return (input, weights.sumOfRows().reshaped(weight.shape), biases.sumOfRows())
  }
}

/// The cotangents before the activation, and their sums: the bias's cotangent.
private func undone(
  _ g: ConvolutionGeometry, cotangent: Tensor, output: Tensor, _ activation: Activation
) -> (dz: Tensor, bias: Tensor) {
  guard activation != .identity else { return (cotangent, cotangent.sumOfFeatures()) }
  let (dz, bias) = (Tensor(uninitialized: g.output), Tensor(uninitialized: [g.filters]))
  let (dy, y) = (cotangent.pointer, output.pointer)
  let (target, sums) = (dz.freshPointer, bias.freshPointer)
  let count = g.batch * g.area
  Parallel.forEach(g.filters) { filter in
    let place = filter * count
    sums[filter] = undo(dy + place, y + place, count, activation, into: target + place)
  }
  return (dz, bias)
}

extension ConvolutionGeometry {
  /// The weights' cotangent of some images: dz times the unrolled images, a few channels at a time.
  ///
  /// All images at once, because the sums over pixels are long then, and few.
  fileprivate func correlate(
    _ x: UnsafePointer<Float>, _ images: Range<Int>, _ dz: UnsafePointer<Float>, _ width: Int,
    into dw: UnsafeMutablePointer<Float>, tile: Tile
  ) {
    BufferPool.withScratch(channelGroupSize * window * width) { columns in
      for first in stride(from: 0, to: channels, by: channelGroupSize) {
        let group = first..<min(channels, first + channelGroupSize)
        unroll(x, images, channels: group, into: columns, width)
        multiplyRows(
          filters, group.count * window, images.count * area, dz, stride: width, columns,
          stride: width, into: dw + first * window, stride: depth, tile: tile)
      }
    }
  }

  /// The images' cotangent of some images: the weights times dz, rolled up, a group at a time.
  fileprivate func spread(
    _ dz: UnsafePointer<Float>, _ width: Int, _ piece: Range<Int>, by weights: LeftFactor,
    into dx: UnsafeMutablePointer<Float>
  ) {
    // What is rolled up is read a little before and behind it.
    let margin = (kernelWidth + 15) / 16 * 16
    BufferPool.withScratch(depth * rowStride(groupSize * area) + 2 * margin + 16) { scratch in
      let columns = scratch + margin
      for first in stride(from: piece.lowerBound, to: piece.upperBound, by: groupSize) {
        let images = first..<min(piece.upperBound, first + groupSize)
        let count = images.count * area
        weights.multiply(
          rows: 0..<depth, dz + (first - piece.lowerBound) * area, stride: width, columns: count,
          into: columns, stride: rowStride(count))
        rollUp(columns, rowStride(count), images, into: dx)
      }
    }
  }
}

/// Multiplies a row of cotangents by the activation's derivative; returns the sum of the row.
private func undo(
  _ dy: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int, _ activation: Activation,
  into dz: UnsafeMutablePointer<Float>
) -> Float {
  var sum = Vector(repeating: 0)
  var rest: Float = 0
  activation.specialisedDerivative { slope in
    var i = 0
    while i &+ 16 <= count {
      let value = load(dy + i) * slope(load(y + i))
      store(value, dz + i)
      sum += value
      i &+= 16
    }
    if i < count {
      let last = load(dy + i) * slope(load(y + i))
      for lane in 0..<count - i {
        dz[i + lane] = last[lane]
        rest += last[lane]
      }
    }
  }
  return sum.sum() + rest
}
