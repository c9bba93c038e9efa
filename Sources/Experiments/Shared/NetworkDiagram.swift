import Notebook

/// The picture of a network: columns of units, a line for each weight, words above and below.
package enum NetworkDiagram {
  /// A column of units.
  package struct Layer {
    let name: String
    let words: String
    let units: Int
    let hollow: Set<Int>
    let isJoined: Bool

    /// A column.
    ///
    /// - Parameters:
    ///   - name: above it; `words` stand below it.
    ///   - hollow: units that are drawn in another colour, as masked ones.
    ///   - isJoined: whether each unit reads all of the column on its left; else the one beside it.
    package init(
      _ name: String, _ words: String, units: Int, hollow: Set<Int> = [], isJoined: Bool = true
    ) {
      (self.name, self.words, self.units) = (name, words, units)
      (self.hollow, self.isJoined) = (hollow, isJoined)
    }
  }

  /// The columns side by side.
  package static func panel(_ title: String?, _ layers: [Layer]) -> Panel {
    func places(_ layer: Int) -> [(x: Double, y: Double)] {
      let count = layers[layer].units
      return (0..<count).map { (Double(layer), Double(count - 1) / 2 - Double($0)) }
    }
    let height = Double(layers.map(\.units).max()!) / 2
    var marks: [Mark] = []
    for layer in layers.indices.dropFirst() {
      for (unit, place) in places(layer).enumerated() {
        for (other, origin) in places(layer - 1).enumerated()
        where layers[layer].isJoined || other == unit {
          marks.append(.guide([origin, place]))
        }
      }
    }
    for (index, layer) in layers.enumerated() {
      let units = places(index)
      marks.append(
        .points(
          "", units.indices.filter { !layer.hollow.contains($0) }.map { units[$0] }, colour: 0))
      if !layer.hollow.isEmpty {
        marks.append(.points("", layer.hollow.sorted().map { units[$0] }, colour: 1))
      }
      for (words, y) in [(layer.name, height + 0.4), (layer.words, -height - 0.4)] {
        if !words.isEmpty {
          marks.append(.text(words, at: (x: Double(index), y: y), isCentred: true))
        }
      }
    }
    return Panel(
      title: title, x: .hidden(range: -0.6...Double(layers.count) - 0.4),
      y: .hidden(range: -height - 1...height + 1), marks: marks)
  }
}
