import Foundation

/// Whether two counts of networks that learnt differ by more than chance.
package enum Counts {
  /// The chance of counts at least as unlikely as these, when both groups have the same chance.
  ///
  /// Fisher's exact test, both sides: of all ways to share the a + b successes among n and m, those
  /// that are no likelier than the one seen. Source: Fisher 1935, "The design of experiments".
  package static func chance(_ a: Int, of n: Int, and b: Int, of m: Int) -> Double {
    func logChoices(_ n: Int, _ k: Int) -> Double {
      lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1))
    }
    func likelihood(_ k: Int) -> Double {
      exp(logChoices(n, k) + logChoices(m, a + b - k) - logChoices(n + m, a + b))
    }
    let seen = likelihood(a)
    return (max(0, a + b - m)...min(n, a + b)).map(likelihood)
      // Equal ones may differ in their last bits.
      .filter { $0 <= seen * (1 + 1e-9) }.reduce(0, +)
  }
}
