import COpenBLAS

/// Products of matrices on one thread: the kernel below every layer.
enum BLAS {
  /// Done once, before the first product.
  ///
  /// One thread, because OpenBLAS would start threads of its own inside the pieces of a parallel
  /// loop.
  private static let isPrepared: Void = {
    lab_choose_blas_kernels()
    openblas_set_num_threads(1)
  }()

  /// Chooses kernels and one thread, if that was not done.
  static func prepare() { _ = isPrepared }

  /// `c ← op(a)·op(b) + β·c` for row-major matrices; op transposes when asked.
  ///
  /// - Parameters:
  ///   - m: rows of `op(a)` and c.
  ///   - n: columns of `op(b)` and c.
  ///   - k: columns of `op(a)`, rows of `op(b)`.
  static func multiply(
    _ m: Int, _ n: Int, _ k: Int,
    _ a: UnsafePointer<Float>, stride lda: Int, transposingFirst: Bool = false,
    _ b: UnsafePointer<Float>, stride ldb: Int, transposingSecond: Bool = false,
    into c: UnsafeMutablePointer<Float>, stride ldc: Int, adding: Bool = false
  ) {
    guard m > 0, n > 0 else { return }
    _ = isPrepared
    cblas_sgemm(
      CblasRowMajor, transposingFirst ? CblasTrans : CblasNoTrans,
      transposingSecond ? CblasTrans : CblasNoTrans,
      blasint(m), blasint(n), blasint(k), 1, a, blasint(max(1, lda)), b, blasint(max(1, ldb)),
      adding ? 1 : 0, c, blasint(ldc))
  }
}

/// Which factor of a product is read transposed.
public enum Transposition: Sendable {
  /// `a·b`.
  case none
  /// `aᵀ·b`.
  case first
  /// `a·bᵀ`.
  case second
}

extension Tensor {
  /// Work below which a product is not shared among threads, in multiply-adds.
  private static let grainOfProduct = 1 << 20

  /// Whether the right factor of a·bᵀ is transposed strip by strip for tiles; where it is not, the
  /// product is made of scalar products of rows.
  private static func transposes(rows: Int, columns: Int) -> Bool { rows >= 32 && columns >= 48 }

  /// The product of two matrices, one of them transposed if asked.
  ///
  /// Shapes: `[m, k]·[k, n] → [m, n]`; `.first` takes `[k, m]`, `.second` takes `[n, k]`.
  public func product(_ other: Tensor, transposing: Transposition = .none) -> Tensor {
    precondition(
      shape.rank == 2 && other.shape.rank == 2, "matrices wanted: \(shape) and \(other.shape)")
    let (m, k) = transposing == .first ? (shape[1], shape[0]) : (shape[0], shape[1])
    let (k2, n) =
      transposing == .second
      ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
    precondition(k == k2, "\(shape) and \(other.shape) do not match (transposing \(transposing))")
    let result = Tensor(uninitialized: [m, n])
    let (lda, ldb) = (shape[1], other.shape[1])
    let (a, b, c) = (pointer, other.pointer, result.freshPointer)
    // The longer side of the result is cut, between tiles, or the columns where each of them has to
    // be laid out anew; the sum over k stays whole, so bits stay the same.
    let tile = Kernels.tile
    let isWhole = m * n * k < Self.grainOfProduct
    /// A fourth of the rows, in whole tiles.
    func fourth(_ count: Int, _ step: Int) -> Int {
      isWhole ? max(1, count) : (count / 4 + step - 1) / step * step
    }
    // Few rows are not worth a transposed right factor. That is decided by extents alone: it
    // decides the order of the sum.
    guard transposing != .second || Self.transposes(rows: m, columns: n) else {
      func part(_ rows: Range<Int>, _ columns: Range<Int>) {
        multiplyRows(
          rows.count, columns.count, k, a + rows.lowerBound * lda, stride: lda,
          b + columns.lowerBound * ldb, stride: ldb,
          into: c + rows.lowerBound * n + columns.lowerBound, stride: n, tile: tile)
      }
      let step = tile.scalarProducts
      if m >= n {
        Parallel.forEachRange(m, by: fourth(m, 4 * step.rows)) { part($0, 0..<n) }
      } else {
        Parallel.forEachRange(n, by: fourth(n, 2 * step.columns)) { part(0..<m, $0) }
      }
      return result
    }
    let left = LeftFactor(
      a, rows: m, depth: k, rowStride: transposing == .first ? 1 : lda,
      step: transposing == .first ? lda : 1, tile: tile)
    let isTransposed = transposing == .second
    if m >= n && !isTransposed {
      Parallel.forEachRange(m, by: fourth(m, 2 * tile.height)) { rows in
        left.multiply(rows: rows, b, stride: ldb, columns: n, into: c, stride: n)
      }
    } else {
      // One strip of the wide tile, or three of the narrow one.
      let strip = max(tile.width, WideTile.width / tile.width * tile.width)
      Parallel.forEachRange(n, by: isWhole ? max(1, n) : strip) {
        left.multiply(
          rows: 0..<m, b + $0.lowerBound * (isTransposed ? ldb : 1), stride: ldb,
          columns: $0.count, isTransposed: isTransposed, into: c + $0.lowerBound, stride: n)
      }
    }
    return result
  }
}
