import Tensors

/// Grey images of 28 × 28 pixels with their labels, one byte a pixel.
public struct ImageSet: Sendable {
  /// The rows and columns of an image.
  public static let side = 28
  /// The pixels of an image.
  public static let pixelsPerImage = side * side
  /// The mean of all pixels of the training images, as values 0…1.
  public static let mean: Float = 0.1307
  /// Their deviation.
  public static let deviation: Float = 0.3081
  /// The number of classes: the digits 0 to 9.
  public static let classCount = 10

  /// The pixels, image after image, row after row: 0 is paper, 255 is ink.
  public let pixels: [UInt8]
  /// The digit of each image.
  public let labels: [UInt8]

  /// A set from `count` × 784 pixels and `count` labels, each below 10.
  public init(pixels: [UInt8], labels: [UInt8]) {
    precondition(
      pixels.count == labels.count * Self.pixelsPerImage,
      "\(pixels.count) pixels do not make \(labels.count) images")
    precondition(labels.allSatisfy { $0 < Self.classCount }, "a label is a digit")
    self.pixels = pixels
    self.labels = labels
  }

  /// The number of images.
  public var count: Int { labels.count }

  /// The images at some indices, in that order, as a batch `[1, n, 28, 28]` of values 0…1.
  public func images(_ indices: some Collection<Int>) -> Tensor {
    Self.batch(of: pixels, indices)
  }

  /// The images at some indices as a type of their own, which has no labels.
  public func withoutLabels(_ indices: [Int]) -> UnlabelledImages {
    UnlabelledImages(pixels: pixels, indices: indices)
  }

  /// The digits of the images at some indices, in that order.
  public func labels(_ indices: some Collection<Int>) -> [Int] {
    indices.map { Int(labels[$0]) }
  }

  /// Images out of a long row of bytes, as values 0…1.
  fileprivate static func batch(of pixels: [UInt8], _ indices: some Collection<Int>) -> Tensor {
    let size = pixelsPerImage
    return Tensor(uninitialized: [1, indices.count, side, side]) { values in
      pixels.withUnsafeBufferPointer { pixels in
        for (place, index) in indices.enumerated() {
          precondition(
            index >= 0 && (index + 1) * size <= pixels.count, "there is no image \(index)")
          scale(pixels.baseAddress! + index * size, to: values.baseAddress! + place * size)
        }
      }
    }
  }

  /// Writes one image's bytes as values 0…1.
  private static func scale(
    _ bytes: UnsafePointer<UInt8>, to values: UnsafeMutablePointer<Float>
  ) {
    for pixel in 0..<pixelsPerImage { values[pixel] = Float(bytes[pixel]) / 255 }
  }

  /// The pixels of a file of images.
  static func pixels(of file: IDX) throws(Malformed) -> [UInt8] {
    guard file.dimensions.count == 3 else {
      throw Malformed("has \(file.dimensions.count) dimensions instead of the 3 of images")
    }
    guard file.dimensions[1...] == [side, side] else {
      throw Malformed(
        "holds images of \(file.dimensions[1]) × \(file.dimensions[2]) pixels instead of 28 × 28")
    }
    return file.bytes
  }

  /// The labels of a file that must hold one for each image.
  static func labels(of file: IDX, imageCount: Int) throws(Malformed) -> [UInt8] {
    guard file.dimensions == [imageCount] else {
      throw Malformed(
        "holds \(file.bytes.count.grouped) labels for \(imageCount.grouped) images")
    }
    if let wrong = file.bytes.firstIndex(where: { $0 >= classCount }) {
      throw Malformed("gives image \(wrong.grouped) the label \(file.bytes[wrong]), not a digit")
    }
    return file.bytes
  }
}

/// Images without labels: that nobody looks at those is a fact of the type.
public struct UnlabelledImages: Sendable {
  private let pixels: [UInt8]
  private let indices: [Int]

  fileprivate init(pixels: [UInt8], indices: [Int]) {
    (self.pixels, self.indices) = (pixels, indices)
  }

  /// The number of images.
  public var count: Int { indices.count }

  /// The images at some places `0 ..< count`, in that order, as a batch `[1, n, 28, 28]` of values
  /// 0…1.
  public func callAsFunction(_ places: some Collection<Int>) -> Tensor {
    ImageSet.batch(of: pixels, places.map { indices[$0] })
  }
}
