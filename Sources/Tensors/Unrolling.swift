import Lanes

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
func clear(_ p: UnsafeMutablePointer<Float>, _ count: Int) {
  var i = 0
  while i < count {
    store(Vector(repeating: 0), p + i)
    i &+= 16
  }
}
