/// The handwritten digits: 60,000 images to train on and 10,000 to test on.
///
/// Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document
/// recognition".
public struct MNIST: Sendable {
  /// The images to train on, in the order of the published file.
  public let train: ImageSet
  /// The images to test on, in the order of the published file.
  public let test: ImageSet

  /// A data set from its two parts.
  public init(train: ImageSet, test: ImageSet) {
    self.train = train
    self.test = test
  }
}
