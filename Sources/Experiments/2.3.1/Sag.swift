import Foundation
import Methods
import Notebook
import Tensors

extension SignalSizes {
  /// Rectifiers under He's rule, by themselves and on a scale that shows what is left to happen.
  package static func showTheSag(_ page: Page) {
    var panels: [Panel] = []
    for (width, networks) in [(100, page.isQuick ? 64 : 512), (400, page.isQuick ? 4 : 128)] {
      var stream = RandomStream(seed: page.seed, page.id, "sag", "\(width)")
      let profile = profile(
        .deep(width: width, inputs: width, outputs: width), networks: networks, deviation: 1,
        using: &stream)
      let typical = profile.typical(\.forward)
      let steps = Double(typical.count - 1)
      // The mean of ln of a mean of n terms with mean 1 and variance 5, to first order.
      let drift = -5 / (2 * Double(width))
      // Each step of each network is one draw, of deviation √(5/n).
      let error = (5 / (Double(width) * steps * Double(networks))).squareRoot()
      page.check(
        "width \(width): drift of the logarithm under He, ReLU", profile.drift, near: drift,
        tolerance: 3.5 * error)
      page.value("sag.\(width).drift", -profile.drift, tolerance: 0.006)
      page.value("sag.\(width)", typical.last! / typical[0], tolerance: 0.06)
      page.value("sag.\(width).formula", exp(drift * steps / 2))
      let layers = typical.indices.map { Double($0 + 1) }
      let whole = profile.whole(\.forward)
      let (low, high) = (profile.quantile(0.25, \.forward), profile.quantile(0.75, \.forward))
      panels.append(
        Panel(
          title: "\(width) units a layer", x: Axis("layer"),
          y: Axis("root mean square, of the first layer's", range: 0...1.6),
          marks: [
            .band(
              "", typical.indices.map { (layers[$0], low[$0] / whole[0], high[$0] / whole[0]) },
              colour: 0),
            .line("mean", zip(layers, whole).map { ($0, $1 / whole[0]) }, colour: 1),
            .line("typical", zip(layers, typical).map { ($0, $1 / whole[0]) }, colour: 0),
            .guide(layers.map { ($0, exp(drift * ($0 - 1) / 2)) }),
          ]))
    }
    page.figure(
      Figure(
        "sag",
        title: "Under He's rule the mean holds, and the typical network shrinks; width mends it",
        size: (width: 760, height: 340), columns: 2, panels: panels))
  }
}
