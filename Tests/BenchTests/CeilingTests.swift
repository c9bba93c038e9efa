@testable import Bench
import Foundation
import Gradients
import Networks
import Tensors
import Testing

@Suite struct CeilingTests {
  /// Multiply-adds of an image forward, by hand.
  ///
  /// mlp-1200: 784·1200 + 1200² + 12,000 = 2,392,800; the kit's network: 460,800 + 1,843,200 +
  /// 2,359,296 + 294,912 + 51,200 + 1,000 = 5,010,408. Training takes three times as many, less the
  /// first layer's for the images' gradient.
  @Test(arguments: [
    ("mlp-1200", 1_596_825_600),  // 2 · 128 · (3 · 2,392,800 − 940,800)
    ("kit-cnn", 2_914_084_800),  // 2 · 100 · (3 · 5,010,408 − 460,800)
    ("infer", 100_208_160_000),  // 2 · 10,000 · 5,010,408
    ("fixmatch", 7_331_292_000),  // twice kit-cnn's, and 2 · 150 · 5,010,408
  ])
  func aShareIsOperationsASecondOfThePeak(_ name: String, _ operations: Int) throws {
    let workload = try #require(Workload.all.first { $0.name == name })
    #expect(workload.operations == Double(operations))
    // Half as many units a second as the peak allows.
    let share = try #require(workload.share(of: 400, at: 200e9 / Double(operations)))
    #expect(abs(share - 0.5) < 1e-12)
    #expect(workload.share(of: 0, at: 1) == nil)
  }

  @Test func whatHasNoOperationsHasNoShare() throws {
    for name in ["augment", "start"] {
      let workload = try #require(Workload.all.first { $0.name == name })
      #expect(workload.share(of: 400, at: 1) == nil)
    }
  }

  @Test func thePeakIsTheLargerOfBothProducts() {
    var ceilings = Ceilings(own: 300, openBLAS: 200, stream: 10)
    #expect(ceilings.peak == 300)
    ceilings.raise(to: Ceilings(own: 250, openBLAS: 350, stream: 9))
    #expect(ceilings == Ceilings(own: 300, openBLAS: 350, stream: 10) && ceilings.peak == 350)
  }

  @Test func allThreeAreMeasured() {
    let ceilings = Ceilings.measured(times: 1, side: 64, streamed: 1000)
    #expect(ceilings.own > 0 && ceilings.openBLAS > 0 && ceilings.stream > 0)
  }

  /// A thousand weights and ten numbers that nobody trains: 5 or 7 passes of 4,000 bytes.
  @Test func anUpdateMovesWhatTheRuleReadsAndWrites() {
    let parameters = [
      Parameter("weight", Tensor(repeating: 1, [1000])),
      Parameter("mean", Tensor(repeating: 1, [10]), isTrainable: false),
    ]
    func steps<Rule: Optimiser>(_ rule: Rule) -> (watch: UpdateWatch, weights: Tensor) {
      let watch = UpdateWatch()
      parameters[0].value = Tensor(repeating: 1, [1000])
      var watched = Watched(rule, watch)
      for _ in 0..<2 {
        let tape = Tape()
        let gradients = tape.backward(
          from: tape(parameters[0]), cotangent: Tensor(repeating: 0.5, [1000]))
        watched.begin(parameters, at: Moment(step: 0, epoch: 0))
        watched.step(parameters, gradients, rate: 0.1)
      }
      #expect(watched.steps == 2 && watched.memory.count == rule.memoriesPerParameter)
      return (watch, parameters[0].value)
    }
    let (momentum, weights) = steps(Momentum(momentum: 0.9))
    #expect(momentum.bytes == 2 * 20_000 && momentum.seconds > 0)
    #expect(momentum.gigabytesPerSecond == 1e-9 * 40_000 / momentum.seconds)
    // v: −0.05, −0.095.
    #expect(abs(weights[0] - 0.855) < 1e-6 && weights[999] == weights[0])
    let adam = steps(Adam()).watch
    #expect(adam.bytes == 2 * 28_000)
    adam.forget()
    #expect(adam.bytes == 0 && adam.gigabytesPerSecond == nil)
  }
}
