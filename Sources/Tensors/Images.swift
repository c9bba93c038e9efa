extension Tensor {
  /// Images `[c, n, h, w]` as rows `[n, c·h·w]`, the order in which a fully connected layer reads.
  public func flattenedImages() -> Tensor {
    precondition(shape.rank == 4, "images wanted: \(shape)")
    let (c, n, pixels) = (shape[0], shape[1], shape[2] * shape[3])
    return Tensor(uninitialized: [n, c * pixels]) { y in
      for image in 0..<n {
        for channel in 0..<c {
          (y.baseAddress! + (image * c + channel) * pixels).update(
            from: pointer + (channel * n + image) * pixels, count: pixels)
        }
      }
    }
  }

  /// Rows `[n, c·h·w]` as images `[c, n, h, w]`: what `flattenedImages` does, undone.
  public func unflattenedImages(_ shape: Shape) -> Tensor {
    let (c, n, pixels) = (shape[0], shape[1], shape[2] * shape[3])
    precondition(self.shape == [n, c * pixels], "\(self.shape) does not hold images \(shape)")
    return Tensor(uninitialized: shape) { y in
      for image in 0..<n {
        for channel in 0..<c {
          (y.baseAddress! + (channel * n + image) * pixels).update(
            from: pointer + (image * c + channel) * pixels, count: pixels)
        }
      }
    }
  }

  /// Images in a frame of zeros: `[c, n, h, w] → [c, n, h + 2·width, w + 2·width]`.
  public func padded(by width: Int) -> Tensor {
    precondition(shape.rank == 4 && width >= 0, "a frame of \(width) around \(shape)")
    let (h, w) = (shape[2], shape[3])
    let (high, wide) = (h + 2 * width, w + 2 * width)
    return Tensor(uninitialized: [shape[0], shape[1], high, wide]) { y in
      y.update(repeating: 0)
      for plane in 0..<shape[0] * shape[1] {
        for row in 0..<h {
          (y.baseAddress! + (plane * high + row + width) * wide + width).update(
            from: pointer + (plane * h + row) * w, count: w)
        }
      }
    }
  }

  /// Images without their outermost `width` pixels: `[c, n, h, w] → [c, n, h − 2·width, …]`.
  public func cropped(by width: Int) -> Tensor {
    precondition(
      shape.rank == 4 && width >= 0 && min(shape[2], shape[3]) >= 2 * width,
      "\(shape) has no frame of \(width)")
    let (high, wide) = (shape[2], shape[3])
    let (h, w) = (high - 2 * width, wide - 2 * width)
    return Tensor(uninitialized: [shape[0], shape[1], h, w]) { y in
      for plane in 0..<shape[0] * shape[1] {
        for row in 0..<h {
          (y.baseAddress! + (plane * h + row) * w).update(
            from: pointer + (plane * high + row + width) * wide + width, count: w)
        }
      }
    }
  }
}
