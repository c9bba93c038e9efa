import Digits
import Notebook

/// What the images say of a training of networks that label for each other; errors in percent.
package struct CrossOutcome: MeasuredResult, Sendable {
  /// What a job looks at.
  package enum Reading: String, Codable, Sendable {
    /// The labelled and the validation images at the end: enough for a choice.
    case validation
    /// The same, and further views of the validation images.
    case views
    /// The course of the training, and the test images at the end.
    case test
    /// The test images in the course of the training too, and distorted at its end.
    case everything
  }

  /// Predictions that are about as sure as each other.
  package struct Bin: Codable, Sendable {
    /// How many, and how many are right.
    package var count = 0, right = 0
    /// Their mean probability.
    package var sureness = 0.0
  }

  /// Steps done at each point.
  package var steps: [Int] = []
  /// Errors at each point, of each network by the average of its weights, and of all together last.
  package var (train, validation, test): ([[Double]], [[Double]], [[Double]]) = ([], [], [])
  /// Of the validation images, which are among those without labels: the share in percent whose label
  /// counts at each point for each network, and the share of those whose label is wrong.
  package var (kept, wrong): ([[Double]], [[Double]]) = ([], [])
  /// The error of all networks together on validation before statistics are estimated anew.
  package var noisy = 0.0
  /// Errors on validation of the mean over the views of each set of `CrossLook.views`.
  package var views: [Double] = []
  /// Errors on the test images under each of `CrossLook.distortions`.
  package var distorted: [Double] = []
  /// The test images that are misread at the end.
  package var mistakes: [Misreading] = []
  /// The predictions of the test images at the end by their probability: see `CrossLook.edges`.
  package var sureness: [Bin] = []
  /// How long it took.
  package var seconds = 0.0

  /// The error of all networks together on validation, at the end.
  package var validationError: Double { validation.last!.last! }
  /// The error of all networks together on the test images, at the end.
  package var testError: Double { test.last!.last! }

  /// The errors: which images are misread, and how long it takes, is another each time.
  package var measures: [[Double]] {
    [train, validation, test].map { $0.last ?? [] } + [[noisy], views, distorted]
  }
}
