import Files
import Networks

extension Training {
  /// Takes one step, and ends a training whose loss is no finite number any more.
  ///
  /// - Parameter method: what is trained, for the sentence.
  /// - Throws: `LabError` of kind `.failed`, which names the method, the step and the first part of
  ///   the loss that broke.
  package mutating func takeCheckedStep(of method: String) throws(LabError) {
    let (step, loss) = (moment.step, takeStep())
    let total = loss.total.value.scalar
    guard !total.isFinite else { return }
    let part = loss.parts.first { !$0.value.isFinite }
    throw LabError(
      .failed,
      "\(method) broke in step \(step + 1) of its training: "
        + (part.map { "the part “\($0.name)” of its loss is \($0.value)" } ?? "its loss is \(total)")
        + "; lower the rate, or look at what it was given.")
  }
}
