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

  /// Floats of an unrolled matrix that leave room beside it in the second cache: half a megabyte.
  private static let cacheSize = 131_072
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

/// The distance between rows of some columns: whole cache lines, so that each row starts on one.
private func rowStride(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }

extension Tensor {
  /// A convolution (cross-correlation) with stride 1, a bias and an activation.
  ///
  /// Shapes: self `[c, n, h, w]`, weight `[o, c, kh, kw]`, bias `[o]` → `[o, n, oh, ow]`. A group of
  /// images is unrolled into a matrix that stays in cache (im2col; Chellapilla, Puri & Simard
  /// 2006), multiplied, and finished before the next.
  public func convolution(
    _ weight: Tensor, bias: Tensor?, padding: Int = 0, activation: Activation = .identity
  ) -> Tensor {
    let g = ConvolutionGeometry(input: shape, weight: weight.shape, padding: padding)
    precondition(bias.map { $0.shape == [g.filters] } ?? true, "a bias for each of \(g.filters)")
    let result = Tensor(uninitialized: g.output)
    let (x, y, b) = (pointer, result.freshPointer, bias?.pointer)
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
    precondition(cotangent.shape == g.output, "\(cotangent.shape) is not \(g.output)")
    let input = needsInput ? Tensor(uninitialized: shape) : nil
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

extension ConvolutionGeometry {
  /// Unrolls images into a matrix `[c·kh·kw, images·oh·ow]`: a column for each output pixel.
  ///
  /// Rows of a line are copied in whole vectors; what a copy writes beyond its line, the next line
  /// overwrites, and the last one's surplus falls into the padding of the buffer.
  func unroll(
    _ x: UnsafePointer<Float>, _ images: Range<Int>, channels: Range<Int>,
    into columns: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    guard padding > 0 else {
      for channel in channels {
        unroll(
          x + (channel &* batch &+ images.lowerBound) &* height &* width, height, width,
          images.count, into: columns + (channel - channels.lowerBound) &* window &* stride, stride)
      }
      return
    }
    // A frame of zeros around the images of one channel at a time: no line is a special case then.
    let (h, w) = (height + 2 * padding, width + 2 * padding)
    BufferPool.withScratch(images.count * h * w) { framed in
      clear(framed, images.count &* h &* w)
      for channel in channels {
        for image in images {
          let plane = x + (channel &* batch &+ image) &* height &* width
          let line: Int = (image &- images.lowerBound) &* h &+ padding
          let target = framed + (line &* w &+ padding)
          for row in 0..<height {
            var column = 0
            while column < width {
              store(load(plane + (row &* width &+ column)), target + (row &* w &+ column))
              column &+= 16
            }
            // What was written beyond the line and before the next, which is not there yet.
            for place in 0..<2 &* padding { target[row &* w &+ width &+ place] = 0 }
          }
          clear(target + (height &* w &- padding), padding &* w)
        }
        unroll(
          framed, h, w, images.count,
          into: columns + (channel - channels.lowerBound) &* window &* stride, stride)
      }
    }
  }

  /// Unrolls the planes `[images, h, w]` of one channel, whose frame of zeros they already have.
  private func unroll(
    _ x: UnsafePointer<Float>, _ h: Int, _ w: Int, _ images: Int,
    into columns: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let (oh, ow) = (outputHeight, outputWidth)
    for ky in 0..<kernelHeight {
      for kx in 0..<kernelWidth {
        var target = columns + (ky &* kernelWidth &+ kx) &* stride
        for image in 0..<images {
          var source = x + ((image &* h &+ ky) &* w &+ kx)
          if ow <= 16 {
            for _ in 0..<oh {
              store(load(source), target)
              target += ow
              source += w
            }
          } else {
            for _ in 0..<oh {
              var column = 0
              while column < ow {
                store(load(source + column), target + column)
                column &+= 16
              }
              target += ow
              source += w
            }
          }
        }
      }
    }
  }

  /// Adds the columns of `unroll` back to the pixels they came from.
  ///
  /// Sixteen pixels at a time gather what belongs to them. To scatter each row instead would load
  /// what has just been stored at another alignment, for which a processor waits ten times as long.
  /// Up to `window` and sixteen floats before and behind the columns are read, and do not count.
  func rollUp(
    _ columns: UnsafePointer<Float>, _ stride: Int, _ images: Range<Int>,
    into x: UnsafeMutablePointer<Float>
  ) {
    let (oh, ow) = (outputHeight, outputWidth)
    let lanes = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    let end = SIMD16<UInt32>(repeating: UInt32(ow))
    let step = kernelWidth * stride - ow
    for channel in 0..<channels {
      for image in images {
        let plane = x + (channel &* batch &+ image) &* height &* width
        let source = columns + (image &- images.lowerBound) &* area
        for row in 0..<height {
          let last: Int = row &+ padding
          let from: Int = max(0, last &- oh &+ 1)
          let to: Int = min(kernelHeight, last &+ 1)
          var column = 0
          while column < width {
            var sum = Vector(repeating: 0)
            for kx in 0..<kernelWidth {
              // Of the lanes of a row of output, those that exist: the others are another row's.
              let place = column &+ padding &- kx
              let places = lanes &+ SIMD16(repeating: Int32(truncatingIfNeeded: place))
              let inside = SIMD16<UInt32>(truncatingIfNeeded: places) .< end
              var part = Vector(repeating: 0)
              // The next line of the kernel stands `kernelWidth` rows on, and reads a line before.
              let first = (channel &* kernelHeight &+ from) &* kernelWidth &+ kx
              var p = source + (first &* stride &+ place)
              p += (last &- from) &* ow
              for _ in from..<max(from, to) {
                part += load(p)
                p += step
              }
              sum += Vector(repeating: 0).replacing(with: part, where: inside)
            }
            // A whole vector is written, for the next line overwrites what is too much; but the
            // plane behind this one may belong to another thread.
            let target = row &* width &+ column
            if target &+ 16 <= height &* width {
              store(sum, plane + target)
            } else {
              withUnsafePointer(to: sum) {
                UnsafeMutableRawPointer(plane + target).copyMemory(
                  from: $0, byteCount: 4 &* min(16, width &- column))
              }
            }
            column &+= 16
          }
        }
      }
    }
  }
}

/// Writes zeros, in whole vectors: up to fifteen beyond the end too.
@inline(__always)
private func clear(_ p: UnsafeMutablePointer<Float>, _ count: Int) {
  var i = 0
  while i < count {
    store(Vector(repeating: 0), p + i)
    i &+= 16
  }
}
