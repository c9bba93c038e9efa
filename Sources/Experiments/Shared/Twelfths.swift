import Networks

extension Training {
  /// Trains for some epochs of a task, and shows each twelfth of them, so that a third and two thirds
  /// of the length are among the points; a choice and a quick run show the end alone.
  ///
  /// - Parameter method: what is trained, for the sentence that a broken training ends with.
  /// - Throws: `LabError` of kind `.failed` when the loss is no finite number; `CancellationError`.
  package mutating func followByTwelfths(
    _ method: String, epochs: Int, in task: Study.Task, show: (_ epoch: Int) throws -> Void
  ) throws {
    guard task.points > 1, epochs >= 12 else {
      return try follow(method, epochs: epochs, in: task) {
        if task.isQuick || $0 == epochs { try show($0) }
      }
    }
    for twelfth in 1...12 {
      let end = epochs * twelfth / 12
      try follow(method, epochs: end, in: task) { if $0 == end { try show($0) } }
    }
  }
}
