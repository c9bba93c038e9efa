extension [Double] {
  /// The middle one of the values, of an even number the mean of the two in the middle.
  ///
  /// There must be one.
  package var median: Double {
    let values = sorted()
    return (values[(count - 1) / 2] + values[count / 2]) / 2
  }
}
