import Notebook

extension Page {
  /// Gives `key.1000.validation` of some arms: the error on validation at full length, on one draw.
  ///
  /// What is best at a third of the length need not be best at the whole of it. Where labels alone are
  /// trained at two rates, this says on the draw of the choice which of them validation prefers.
  package func giveValidation(
    _ arms: [(key: String, outcomes: [Study.Outcome])], labels: Int, draw: Int
  ) {
    for arm in arms {
      value(
        "\(arm.key).\(labels).validation", arm.outcomes[draw].validation.last!, tolerance: 0.7,
        unit: "%")
    }
  }
}
