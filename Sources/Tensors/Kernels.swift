import COpenBLAS

/// What the products of this process run on.
public enum Kernels {
  /// The instructions and the tile of products, for reports: `AVX-512, 8 × 48`.
  public static var description: String {
    switch tile {
    case .wide: "AVX-512, \(tile.height) × \(tile.width)"
    case .narrow: "AVX2, \(tile.height) × \(tile.width)"
    case .openBLAS: "OpenBLAS \(blas)"
    }
  }

  /// The kernels that OpenBLAS has chosen for this processor.
  public static var blas: String {
    BLAS.prepare()
    return String(cString: openblas_get_corename())
  }
}
