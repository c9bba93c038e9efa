import Notebook

/// The slope of a function's Taylor remainder, by the relative error put into its derivative.
package struct RemainderSlopes {
  private let name: String
  private let slope: (_ error: Double) -> Double

  /// The slopes of a function by its name.
  package init(_ name: String, slope: @escaping (_ error: Double) -> Double) {
    (self.name, self.slope) = (name, slope)
  }

  /// Checks that the slope tells right from wrong, and gives it for smaller and smaller errors.
  package func report(on page: Page) {
    let errors = [
      ("right", 0), ("wrong", 0.03), ("tenThousandth", 1e-4), ("hundredThousandth", 1e-5),
      ("millionth", 1e-6),
    ]
    let slopes = errors.map { slope($0.1) }
    page.check("\(name): slope of the Taylor remainder", slopes[0], near: 2, tolerance: 1.6e-4)
    page.check(
      "\(name), 3 % too steep: slope of the remainder", slopes[1], near: 1, tolerance: 9e-3)
    let key = "remainder.\(name.lowercased())"
    for (error, slope) in zip(errors, slopes) {
      page.value("\(key).\(error.0)", slope, tolerance: 1e-3)
    }
    let smallest = limit
    page.value("\(key).limit", smallest, tolerance: 0.02 * smallest)
  }

  /// The smallest error that is seen, if a slope below 1.95 is what is called wrong.
  private var limit: Double {
    var (seen, unseen) = (0.03, 0.0)
    for _ in 0..<40 {
      let middle = (seen + unseen) / 2
      if slope(middle) < 1.95 { seen = middle } else { unseen = middle }
    }
    return seen
  }
}
