import Digits
import Methods

/// An image that a network takes for another digit, and how sure it is of that.
package struct Misreading: Codable, Sendable {
  package let image, label, read: Int
  package let confidence: Float

  package init(image: Int, label: Int, read: Int, confidence: Float) {
    (self.image, self.label, self.read) = (image, label, read)
    self.confidence = confidence
  }
}

extension Evaluation {
  /// What is misread, in the order of the images.
  ///
  /// - Parameter images: the indices of the images in their set.
  package func misreadings(of images: [Int]) -> [Misreading] {
    labels.indices.filter { predictions[$0] != labels[$0] }.map {
      Misreading(
        image: images[$0], label: labels[$0], read: predictions[$0], confidence: confidences[$0])
    }
  }
}

/// What several networks misread of the same images.
package struct Misreadings {
  /// How many networks there are.
  package let networks: Int
  /// The misreadings of each image that any network misreads, in the order of the images.
  package let byImage: [[Misreading]]

  /// The misreadings of some networks.
  package init(_ networks: [[Misreading]]) {
    self.networks = networks.count
    byImage = Dictionary(grouping: networks.joined(), by: \.image).sorted { $0.key < $1.key }.map(
      \.value)
  }

  /// How many images are misread when each network has a vote; of equal counts the smaller digit
  /// wins.
  package var countByVote: Int {
    byImage.count { misreadings in
      var votes = [Int](repeating: 0, count: ImageSet.classCount)
      // Who did not misread the image voted for its label.
      votes[misreadings[0].label] = networks - misreadings.count
      for misreading in misreadings { votes[misreading.read] += 1 }
      return votes.firstIndex(of: votes.max()!)! != misreadings[0].label
    }
  }
}
