import BuiltFor
import Foundation

/// The part of a product that stays in registers while it is summed; on it hangs how work is cut.
///
/// The tiles of our own add the same products in the same order, so both give the same bits: a
/// result does not tell which of them made it.
public enum Tile: String, CaseIterable, Sendable {
  /// 8 × 48 sums in 24 of the 32 registers of AVX-512, sixteen floats each.
  case wide
  /// 6 × 16 sums in 12 of the 16 registers of AVX2, eight floats each.
  case narrow
  /// No tile of ours: OpenBLAS multiplies, where a processor has neither, and in tests.
  case openBLAS = "openblas"

  /// Rows of a tile.
  var height: Int {
    switch self {
    case .wide, .openBLAS: WideTile.height
    case .narrow: NarrowTile.height
    }
  }

  /// Columns of a tile.
  var width: Int {
    switch self {
    case .wide, .openBLAS: WideTile.width
    case .narrow: NarrowTile.width
    }
  }

  /// The scalar products that are summed at a time: rows of the left factor, rows of the right.
  var scalarProducts: (rows: Int, columns: Int) {
    switch self {
    case .wide, .openBLAS: (WideDots.rows, WideDots.columns)
    case .narrow: (NarrowDots.rows, NarrowDots.columns)
    }
  }

  /// Whether this was built for a processor with the registers that the tile needs.
  public var isPossible: Bool {
    switch self {
    case .wide: lab_built_for_avx512
    case .narrow: lab_built_for_avx2
    case .openBLAS: true
    }
  }

  /// What a processor must have for the tile.
  fileprivate var need: String {
    switch self {
    case .wide: "AVX-512"
    case .narrow: "AVX2 and FMA"
    case .openBLAS: "nothing"
    }
  }
}

extension Kernels {
  /// The tile of products: what `LAB_TILE` asks for, else the largest that is possible.
  ///
  /// Chosen once for the process; `Kernels.$tile.withValue(.narrow) { … }` has another for a while,
  /// on the calling thread and where it hands work to others from there.
  @TaskLocal public static var tile = choice.tile

  /// What is wrong with `LAB_TILE`, in one sentence; nil when nothing is.
  public static var complaint: String? { choice.complaint }

  private static let choice = choose(ProcessInfo.processInfo.environment["LAB_TILE"]) {
    $0.isPossible
  }

  /// The tile for a name, which may be missing, and what is wrong with the name.
  static func choose(
    _ name: String?, where isPossible: (Tile) -> Bool
  ) -> (tile: Tile, complaint: String?) {
    let best = Tile.allCases.first(where: isPossible)!
    guard let name, !name.isEmpty else { return (best, nil) }
    let names = Tile.allCases.filter(isPossible).map(\.rawValue)
    let advice =
      names.count > 1
      ? "set it to \(names.dropLast().joined(separator: ", ")) or \(names.last!), or not at all."
      : "leave it out."
    guard let tile = Tile(rawValue: name) else {
      return (best, "There is no tile “\(name)” for LAB_TILE; \(advice)")
    }
    guard isPossible(tile) else {
      return (
        best, "LAB_TILE=\(name) needs \(tile.need), which this was not built for; \(advice)"
      )
    }
    return (tile, nil)
  }
}
