import COpenBLAS

/// What the products of this build run on, for reports.
public enum Kernels {
  /// The kernels of products.
  public static var description: String {
    BLAS.hasWideVectors ? "the lab's own, AVX-512" : "OpenBLAS \(blas)"
  }

  /// The kernels that OpenBLAS has chosen for this processor.
  public static var blas: String {
    BLAS.prepare()
    return String(cString: openblas_get_corename())
  }
}
