import Notebook

extension Page {
  /// Gives `key.1000.validation` of some arms: the error on validation at full length, a mean over the
  /// draws.
  ///
  /// What is best at a third of the length on one draw need not be best at the whole of it. Where labels
  /// alone are trained at two rates, this says which of them validation prefers.
  package func giveValidation(
    _ arms: [(key: String, outcomes: [Study.Outcome])], labels: Int
  ) {
    for arm in arms {
      value(
        "\(arm.key).\(labels).validation", Self.finalValidation(of: arm.outcomes), tolerance: 0.5,
        unit: "%")
    }
  }

  /// The error on validation at the end, a mean over the draws of the outcomes, in percent.
  package static func finalValidation(of outcomes: [Study.Outcome]) -> Double {
    Spread(outcomes.map { $0.validation.last! }).mean
  }

  /// The place of the setting that validation prefers at full length.
  ///
  /// - Parameter validation: of each setting, the error on validation, and nothing of the test.
  package static func preferred(_ validation: [Double]) -> Int {
    validation.indices.min { validation[$0] < validation[$1] }!
  }
}
