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
  /// Weights of one filter: the rows of the unrolled images.
  var depth: Int { channels * kernelHeight * kernelWidth }
  /// The shape of the result: `[filters, batch, oh, ow]`.
  public var output: Shape { [filters, batch, outputHeight, outputWidth] }

  /// Images unrolled at a time: as many as keep the unrolled matrix within half a megabyte.
  var groupSize: Int { min(batch, max(1, 131_072 / max(1, depth * area))) }
  /// Images in a piece of a parallel loop; at most eight pieces, whatever the number of threads.
  var pieceSize: Int { max(1, (batch + 7) / 8) }
}

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
    let (x, w, y, b) = (pointer, weight.pointer, result.freshPointer, bias?.pointer)
    let stride = g.batch * g.area
    Parallel.forEachRange(g.batch, by: g.pieceSize) { piece in
      BufferPool.withScratch(g.depth * g.groupSize * g.area) { columns in
        for images in piece.groups(of: g.groupSize) {
          let width = images.count * g.area
          g.unroll(x, images, into: columns)
          let target = y + images.lowerBound * g.area
          BLAS.multiply(
            g.filters, width, g.depth, w, stride: g.depth, columns, stride: width,
            into: target, stride: stride)
          guard b != nil || activation != .identity else { continue }
          for filter in 0..<g.filters {
            finish(target + filter * stride, width, bias: b?[filter] ?? 0, activation)
          }
        }
      }
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
    let input = needsInput ? Tensor(repeating: 0, shape) : nil
    // Each piece adds into a copy of its own; the copies are added in the order of the pieces.
    let pieces = (g.batch + g.pieceSize - 1) / g.pieceSize
    var weights = Tensor(uninitialized: [pieces, g.filters * g.depth])
    var biases = Tensor(uninitialized: [pieces, g.filters])
    let (x, w, dx) = (pointer, weight.pointer, input?.freshPointer)
    let (dy, y) = (cotangent.pointer, output.pointer)
    let (dw, db) = (weights.freshPointer, biases.freshPointer)
    let stride = g.batch * g.area
    Parallel.forEachRange(g.batch, by: g.pieceSize) { piece in
      let index = piece.lowerBound / g.pieceSize
      let (ownWeight, ownBias) = (dw + index * g.filters * g.depth, db + index * g.filters)
      ownBias.update(repeating: 0, count: g.filters)
      let most = g.groupSize * g.area
      BufferPool.withScratch(g.depth * most) { columns in
        BufferPool.withScratch((g.filters + 1) * most) { dz in
          for images in piece.groups(of: g.groupSize) {
            let width = images.count * g.area
            let offset = images.lowerBound * g.area
            for filter in 0..<g.filters {
              let place = filter * stride + offset
              ownBias[filter] += undo(
                dy + place, y + place, width, activation, into: dz + filter * width)
            }
            g.unroll(x, images, into: columns)
            BLAS.multiply(
              g.filters, g.depth, width, dz, stride: width, columns, stride: width,
              transposingSecond: true, into: ownWeight, stride: g.depth,
              adding: images.lowerBound > piece.lowerBound)
            guard let dx else { continue }
            BLAS.multiply(
              g.depth, width, g.filters, w, stride: g.depth, transposingFirst: true, dz,
              stride: width,
              into: columns, stride: width)
            g.rollUp(columns, images, into: dx)
          }
        }
      }
    }
    weights = weights.sumOfRows()
    biases = biases.sumOfRows()
    return (input, weights.reshaped(weight.shape), biases)
  }
}

extension Range<Int> {
  /// The range in successive parts of at most `size`.
  func groups(of size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min(upperBound, $0 + size) }
  }
}

/// Adds the bias to a row and applies the activation.
private func finish(
  _ row: UnsafeMutablePointer<Float>, _ count: Int, bias: Float, _ activation: Activation
) {
  var i = 0
  let shift = Vector(repeating: bias)
  while i &+ 16 <= count {
    store(activation(load(row + i) + shift), row + i)
    i &+= 16
  }
  if i < count {
    var last = Vector(repeating: 0)
    for lane in 0..<count - i { last[lane] = row[i + lane] + bias }
    last = activation(last)
    for lane in 0..<count - i { row[i + lane] = last[lane] }
  }
}

/// Multiplies a row of cotangents by the activation's derivative; returns the sum of the row.
private func undo(
  _ dy: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int, _ activation: Activation,
  into dz: UnsafeMutablePointer<Float>
) -> Float {
  var i = 0
  var sum = Vector(repeating: 0)
  while i &+ 16 <= count {
    let value = load(dy + i) * activation.derivative(fromOutput: load(y + i))
    store(value, dz + i)
    sum += value
    i &+= 16
  }
  var rest: Float = 0
  while i < count {
    let slope = activation.derivative(fromOutput: Vector(repeating: y[i]))[0]
    dz[i] = dy[i] * slope
    rest += dz[i]
    i &+= 1
  }
  return sum.sum() + rest
}

extension ConvolutionGeometry {
  /// Unrolls images into a matrix `[c·kh·kw, images·oh·ow]`: a column for each output pixel.
  ///
  /// Rows of a line are copied in whole vectors; what a copy writes beyond its line, the next line
  /// overwrites, and the last one's surplus falls into the padding of the buffer.
  func unroll(
    _ x: UnsafePointer<Float>, _ images: Range<Int>, into columns: UnsafeMutablePointer<Float>
  ) {
    let (oh, ow) = (outputHeight, outputWidth)
    var target = columns
    for channel in 0..<channels {
      for ky in 0..<kernelHeight {
        for kx in 0..<kernelWidth {
          // Columns of the output whose pixel lies inside the image.
          let (from, to) = (max(0, padding - kx), min(ow, width + padding - kx))
          for image in images {
            let plane = x + (channel &* batch &+ image) &* height &* width
            for row in 0..<oh {
              let line = row &+ ky &- padding
              if line >= 0 && line < height && from < to {
                let source = plane + (line &* width &+ kx &- padding)
                if padding > 0 {
                  for column in 0..<from { target[column] = 0 }
                  for column in to..<ow { target[column] = 0 }
                  for column in from..<to { target[column] = source[column] }
                } else {
                  var column = 0
                  while column < ow {
                    store(load(source + column), target + column)
                    column &+= 16
                  }
                }
              } else {
                for column in 0..<ow { target[column] = 0 }
              }
              target += ow
            }
          }
        }
      }
    }
  }

  /// Adds the columns of `unroll` back to the pixels they came from.
  func rollUp(
    _ columns: UnsafePointer<Float>, _ images: Range<Int>, into x: UnsafeMutablePointer<Float>
  ) {
    let (oh, ow) = (outputHeight, outputWidth)
    var source = columns
    for channel in 0..<channels {
      for ky in 0..<kernelHeight {
        for kx in 0..<kernelWidth {
          let (from, to) = (max(0, padding - kx), min(ow, width + padding - kx))
          for image in images {
            let plane = x + (channel &* batch &+ image) &* height &* width
            for row in 0..<oh {
              let line = row &+ ky &- padding
              if line >= 0 && line < height && from < to {
                let target = plane + (line &* width &+ kx &- padding)
                var column = from
                while column &+ 16 <= to {
                  store(load(target + column) + load(source + column), target + column)
                  column &+= 16
                }
                if column &+ 8 <= to {
                  store8(load8(target + column) + load8(source + column), target + column)
                  column &+= 8
                }
                while column < to {
                  target[column] += source[column]
                  column &+= 1
                }
              }
              source += ow
            }
          }
        }
      }
    }
  }
}

@inline(__always)
private func load(_ p: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func load(_ p: UnsafeMutablePointer<Float>) -> Vector {
  UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: value, as: Vector.self)
}

@inline(__always)
private func load8(_ p: UnsafePointer<Float>) -> SIMD8<Float> {
  UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always)
private func load8(_ p: UnsafeMutablePointer<Float>) -> SIMD8<Float> {
  UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always)
private func store8(_ value: SIMD8<Float>, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: value, as: SIMD8<Float>.self)
}
