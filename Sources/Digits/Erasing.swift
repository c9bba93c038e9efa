import Foundation
import Tensors

/// A rectangle of an image that is painted over, so that no stroke alone decides.
public enum Erasing: Sendable, Equatable {
  /// A square of paper whose centre is any pixel; it may reach over the edge (DeVries & Taylor 2017).
  case cutout(side: Int)
  /// With a probability, a rectangle inside the image filled with noise, uniform on 0…1.
  ///
  /// Its area is uniform between two shares of the image's, its height divided by its width
  /// log-uniform between `aspect` and 1/`aspect` (Zhong et al. 2017; they draw the ratio uniformly).
  case random(probability: Float, area: ClosedRange<Float>, aspect: Float)

  /// The random erasing of its paper: half of the images, 2 to 40 % of them, aspect .3 to 3.3.
  public static let zhong = Erasing.random(probability: 0.5, area: 0.02...0.4, aspect: 0.3)

  /// Paints over a rectangle of each image `[1, n, h, w]`.
  func apply(_ images: inout Tensor, using stream: inout RandomStream) {
    let (n, h, w) = (images.shape[1], images.shape[2], images.shape[3])
    let draws = stream.uniform([n, 5])
    let noise: Tensor? =
      if case .random = self { stream.uniform(images.shape) } else { nil }
    images.withUnsafeMutableBufferPointer { pixels in
      for image in 0..<n {
        let draw = (0..<5).map { draws[image * 5 + $0] }
        guard let (rows, columns) = rectangle(draw, h, w) else { continue }
        for row in rows {
          for pixel in (image * h + row) * w + columns.lowerBound..<(image * h + row) * w
            + columns.upperBound
          { pixels[pixel] = noise?[pixel] ?? 0 }
        }
      }
    }
  }

  /// The rows and columns that five uniform numbers choose; nil for none.
  private func rectangle(_ draw: [Float], _ h: Int, _ w: Int) -> (Range<Int>, Range<Int>)? {
    switch self {
    case .cutout(let side):
      let (top, left) = (Int(draw[0] * Float(h)) - side / 2, Int(draw[1] * Float(w)) - side / 2)
      return (
        max(0, top)..<max(0, min(h, top + side)), max(0, left)..<max(0, min(w, left + side))
      )
    case .random(let probability, let area, let aspect):
      guard draw[0] < probability else { return nil }
      let share = area.lowerBound + draw[1] * (area.upperBound - area.lowerBound)
      let ratio = pow(aspect, 2 * draw[2] - 1)
      let size = (share * Float(h * w)).squareRoot()
      let height = min(h, max(1, Int((size * ratio.squareRoot()).rounded())))
      let width = min(w, max(1, Int((size / ratio.squareRoot()).rounded())))
      let top = Int(draw[3] * Float(h - height + 1))
      let left = Int(draw[4] * Float(w - width + 1))
      return (top..<top + height, left..<left + width)
    }
  }
}
