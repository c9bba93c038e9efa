import Digits
import Foundation
import Methods
import Notebook
import Tensors

/// What M2 draws when the style of an image is kept and its digit is changed.
package struct StyleLook: MeasuredResult, Sendable {
  /// The part of the changed digits that the model's own q(y|x) reads as what they were to be, in
  /// percent.
  package private(set) var read = 0.0
  /// Rows of an image and its ten changes, a byte a pixel.
  private var bytes = Data()

  /// The number: bytes of pictures are another list on another processor.
  package var measures: [Double] { [read] }

  /// The rows that are shown, and the images that are changed.
  package static let (shown, counted) = (8, 500)

  /// The pictures, row by row.
  package var pictures: [[Float]] {
    let size = ImageSet.pixelsPerImage
    return stride(from: 0, to: bytes.count, by: size).map { start in
      bytes[start..<start + size].map { Float($0) / 255 }
    }
  }

  /// Changes labelled images of a task: z is the mean of q(z|x, y) at the image's own digit.
  init(of model: SemiSupervisedAutoencoder, _ task: Study.Task) {
    let images = Array(task.labelled.prefix(Self.counted))
    // snippet.style
    let pixels = task.set.images(images).flattenedImages()
    let z = model.style(pixels, labels: task.set.labels(images))
    let changed = (0..<ImageSet.classCount).map { digit in
      model.decoded(z, labels: [Int](repeating: digit, count: images.count))
    }
    // snippet.end
    let right = changed.enumerated().reduce(0) { sum, pair in
      sum
        + model.logits(of: pair.element.reshaped([1, images.count, ImageSet.side, ImageSet.side]))
        .predictions.count { $0 == pair.offset }
    }
    read = 100 * Double(right) / Double(changed.count * images.count)
    let labels = task.set.labels(images)
    for row in (0..<Self.shown).compactMap({ labels.firstIndex(of: $0) }) {
      for source in [pixels] + changed {
        bytes.append(
          contentsOf: source.rows(row..<row + 1).values.map { UInt8(($0 * 255).rounded()) })
      }
    }
  }
}

/// Where the pictures of M2 alone are kept, which its training on a draw leaves.
package struct StyleLooks: Sendable {
  private let keep: KeptResults

  /// The pictures of a chapter.
  package init(_ page: Page) { keep = page.kept }

  /// The pictures of a setting, kept or made now.
  func kept(
    _ setting: GenerativeArms.Setting, _ task: Study.Task, _ make: () throws -> StyleLook
  ) throws -> StyleLook {
    try keep("styles of M2, \(task.streams): \(setting)", tolerance: 5, committed: .always) {
      try make()
    }
  }

  /// The pictures on a draw; the model is trained again where they are not kept.
  package func callAsFunction(
    _ page: Page, _ setting: GenerativeArms.Setting, _ data: MNIST, on draw: LabelDraw
  ) throws -> StyleLook {
    let split = try draw.split(data.train, page)
    let others = page.isQuick ? Array(split.withoutLabels.prefix(2000)) : split.withoutLabels
    let task = Study.Task(
      set: data.train, labelled: split.labelled, unlabelled: data.train.withoutLabels(others),
      seed: page.seed, streams: "\(page.id)/\(draw.name)", flag: SideBySide.Flag(), share: 1,
      points: 1, isQuick: page.isQuick)
    return try kept(setting, task) {
      StyleLook(of: try GenerativeArms.alone(setting, task) { _, _ in }, task)
    }
  }
}
