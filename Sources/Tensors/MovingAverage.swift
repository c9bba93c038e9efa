import Lanes

/// An exponential average of a tensor that changes from step to step.
public struct MovingAverage: Sendable {
  /// The average as it stands.
  public var value: Tensor
  /// The weight of the past in a step, in 0…1.
  public let decay: Float

  /// An average that stands at a value.
  public init(_ value: Tensor, decay: Float) {
    self.value = value
    self.decay = decay
  }

  /// Moves a part of the way to a value: a ← a + (1 − decay)(x − a).
  public mutating func move(to x: Tensor) {
    let share = 1 - decay
    value.merge(x) { a, x in a + (x - a) * share }
  }

  /// Moves averages towards a tensor while it is being made: `make` writes a range of its vectors,
  /// which are still in the first cache when the averages read them.
  @usableFromInline static func move(
    _ averages: inout [MovingAverage], with x: Tensor, make: (Range<Int>) -> Void
  ) {
    for average in averages {
      precondition(
        average.value.shape == x.shape, "an average \(average.value.shape) of \(x.shape)")
    }
    let fresh = averages.indices.map { averages[$0].value.forWriting() }
    let places = Swift.zip(averages, fresh).map { average, fresh in
      (
        old: average.value.vectorPointer, new: fresh.vectorPointer, share: 1 - average.decay
      )
    }
    let p = x.vectorPointer
    Parallel.forEachRange(Tensor.vectors(x.count), by: Tensor.grain / 16) { range in
      // Without an average at once, else as many vectors at a time as leave room for the others.
      let step = places.isEmpty ? range.count : 64
      for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
        let part = start..<min(range.upperBound, start &+ step)
        make(part)
        for place in places {
          for i in part {
            let a = place.old[i]
            place.new[i] = a + (p[i] - a) * place.share
          }
        }
      }
    }
    for (index, value) in fresh.enumerated() { averages[index].value = value }
  }
}
