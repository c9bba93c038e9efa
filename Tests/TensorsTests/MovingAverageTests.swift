import Tensors
import Testing

@Suite struct MovingAverageTests {
  /// Two averages, one of which shares its memory with the tensor at first.
  @Test(arguments: [1, 100, 5000, 40_000])
  func averagesMoveInThePassToTheBitsOfTwo(count: Int) {
    var stream = RandomStream(seed: 1, "averages")
    let start = stream.normal([count])
    let gradient = stream.normal([count])
    let other = stream.normal([count])
    var (θ, v) = (start, Tensor(repeating: 0, [count]))
    var averages = [MovingAverage(start, decay: 0.9), MovingAverage(other, decay: 0.25)]
    Tensor.update(&θ, &v, by: gradient, averages: &averages) { θ, v, g in
      (θ - (v + g) * 0.1, v + g)
    }
    #expect(θ == start.zip(gradient) { $0 - (0 + $1) * 0.1 })
    #expect(averages[0].value == start.zip(θ) { $0 + ($1 - $0) * (1 - 0.9) })
    #expect(averages[1].value == other.zip(θ) { $0 + ($1 - $0) * (1 - 0.25) })
    var (m, s) = (v, v)
    Tensor.update(&θ, &m, &s, by: gradient, averages: &averages) { θ, m, s, g in
      (θ - m * g + s, m, s)
    }
    let wanted = start.zip(gradient) { $0 - (0 + $1) * 0.1 }.zip(v) { $0 + $1 }
    #expect((θ - (wanted - v * gradient)).maximumMagnitude() < 1e-5)
  }

  /// What nobody else holds is written where it stands.
  @Test func anUpdateNeedsNoFurtherMemory() {
    var (θ, v) = (Tensor(repeating: 1, [1000]), Tensor(repeating: 0, [1000]))
    var averages = [MovingAverage(Tensor(repeating: 2, [1000]), decay: 0.5)]
    let places = [θ.pointer, v.pointer, averages[0].value.pointer]
    let held = Tensor(repeating: 3, [1000])
    Tensor.update(&θ, &v, by: held, averages: &averages) { θ, v, g in (θ + g, v + g) }
    #expect([θ.pointer, v.pointer, averages[0].value.pointer] == places)
    #expect(θ[999] == 4 && averages[0].value[999] == 3)
  }
}
