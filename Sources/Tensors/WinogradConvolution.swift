import Lanes

// The convolution of 3 × 3 filters by Winograd's transforms: in each direction the images are brought
// into lanes and transformed, multiplied in 36 products, and transformed back, a few tiles at a time.

extension ConvolutionGeometry {
  var tileRows: Int { (outputHeight + Winograd.tile - 1) / Winograd.tile }
  var tileColumns: Int { (outputWidth + Winograd.tile - 1) / Winograd.tile }
  /// Groups of images that share vectors; the last one may be smaller.
  var blocks: Int { (batch + Winograd.lanes - 1) / Winograd.lanes }
  /// Vectors in a line of a frame of pixels: of the tiles, and two that the last one needs more.
  var frameWidth: Int { Winograd.tile * tileColumns + 2 }

  /// The way that is taken: Winograd's transforms where they save more than they cost.
  ///
  /// Transforms of images and results cost by channels and by filters, and what they save grows with
  /// the product of both. Those of the filters are done once, and want tiles enough that use them.
  /// Much is lost where tiles reach far beyond the results, or lanes beyond the batch.
  /// Benchmarks/README.md has the shapes that were measured.
  var method: ConvolutionMethod {
    guard kernelHeight == 3, kernelWidth == 3, min(channels, filters) >= 16 else { return .direct }
    let tiles = tileRows * tileColumns
    let results = batch * outputHeight * outputWidth
    let computed = blocks * Winograd.lanes * tiles * Winograd.tile * Winograd.tile
    return batch * tiles >= 96 && 10 * results >= 6 * computed ? .winograd : .direct
  }

  /// One channel of the images of a block: the planes that its vectors hold.
  func images(_ block: Int, _ height: Int, _ width: Int) -> LanePlanes {
    LanePlanes(
      count: min(Winograd.lanes, batch - block * Winograd.lanes), distance: height * width,
      width: width)
  }

  /// The lines of an image that a row of tiles reads, and where in the tiles' frame they begin.
  func lines(ofTileRow row: Int) -> (rows: Range<Int>, first: Int) {
    let top = Winograd.tile * row - padding
    let first = min(max(0, top), height)
    return (first..<max(first, min(height, top + 6)), first - top)
  }

  /// Brings what a row of tiles reads into their frame, whose sides have their zeros already.
  func bringTiles(
    _ planes: LanePlanes, _ x: UnsafePointer<Float>, tileRow: Int,
    into frame: UnsafeMutablePointer<Float>, _ square: UnsafeMutablePointer<Float>
  ) {
    let (rows, first) = lines(ofTileRow: tileRow)
    let line = 16 * frameWidth
    if rows.count < 6 { clear(frame, 6 * line) }
    planes.bring(
      x, rows: rows, into: frame + first * line + 16 * padding, frameWidth: frameWidth, square)
  }

  /// Brings the cotangents of a row of tiles into their frame, whose right side is zeros already.
  func bringCotangents(
    _ planes: LanePlanes, _ dz: UnsafePointer<Float>, tileRow: Int,
    into frame: UnsafeMutablePointer<Float>, _ square: UnsafeMutablePointer<Float>
  ) {
    let line = Winograd.tile * tileColumns
    let first = Winograd.tile * tileRow
    let rows = first..<min(outputHeight, first + Winograd.tile)
    if rows.count < Winograd.tile { clear(frame, 16 * Winograd.tile * line) }
    planes.bring(dz, rows: rows, into: frame, frameWidth: line, square)
  }
}

// MARK: - Filters

/// Filters in the 36 places, each a left factor of a product.
struct TransformedFilters {
  /// What the factors were laid out from, and BLAS reads.
  private let values: Tensor
  private let factors: [LeftFactor]

  /// The matrix of `rows` × `depth` whose element (i, k) is the filter at `w[i·rowStep + k·depthStep]`.
  init(
    _ w: UnsafePointer<Float>, rows: Int, depth: Int, rowStep: Int, depthStep: Int, tile: Tile
  ) {
    // Column by column, as panels are laid out.
    let layout = PlaceLayout(columns: (rows + 15) / 16 * 16)
    let values = Tensor(uninitialized: [depth * layout.row])
    let u = values.freshPointer
    Parallel.forEachRange(depth, by: 8) { columns in
      BufferPool.withScratch(512 + Winograd.scratch) { square in
        for k in columns {
          for row in stride(from: 0, to: rows, by: 16) {
            transpose(
              w + (row &* rowStep &+ k &* depthStep), distance: rowStep,
              count: min(16, rows &- row), into: square)
            Winograd.transformFilters(
              square, into: u + (k &* layout.row &+ row), placeStep: layout.place, square + 512)
          }
        }
      }
    }
    self.values = values
    factors = Array(unsafeUninitializedCapacity: Winograd.places) { factors, count in
      let target = factors.baseAddress!
      Parallel.forEach(Winograd.places) { place in
        (target + place).initialize(
          to: LeftFactor(
            u + place * layout.place, rows: rows, depth: depth, rowStride: 1, step: layout.row,
            tile: tile))
      }
      count = Winograd.places
    }
  }

  /// The product of each place with a matrix of its own: some rows of the result.
  func multiply(
    rows: Range<Int>, _ b: UnsafePointer<Float>, columns: Int, _ layout: PlaceLayout,
    into c: UnsafeMutablePointer<Float>
  ) {
    withExtendedLifetime(values) {
      for place in 0..<Winograd.places {
        factors[place].multiply(
          rows: rows, b + place * layout.place, stride: layout.row, columns: columns,
          into: c + place * layout.place - rows.lowerBound * layout.row, stride: layout.row)
      }
    }
  }
}

// MARK: - Forward

extension ConvolutionGeometry {
  /// y = f(x ∗ W + b), a row of tiles of sixteen images at a time.
  func convolveByTiles(
    _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    _ activation: Activation, into y: UnsafeMutablePointer<Float>, tile: Tile
  ) {
    let kernels = TransformedFilters(
      weight, rows: filters, depth: channels, rowStep: depth, depthStep: window, tile: tile)
    let part = 16 * tileColumns
    // Narrow images take several rows of tiles at a time, for a product of one column of tiles is
    // slow.
    Parallel.forEachRange(blocks * tileRows, by: max(1, 3 / tileColumns)) { strips in
      let columns = strips.count * part
      let layout = PlaceLayout(columns: columns)
      let (frameSize, resultSize) = (96 * frameWidth, 256 * tileColumns)
      BufferPool.withScratch(
        (channels + filters) * layout.row + frameSize + resultSize + LanePlanes.scratch
      ) { v in
        let m = v + channels * layout.row
        let frame = m + filters * layout.row
        let results = frame + frameSize
        let square = results + resultSize
        clear(frame, frameSize)
        for channel in 0..<channels {
          for strip in strips {
            let (block, row) = strip.quotientAndRemainder(dividingBy: tileRows)
            let first = channel * batch + block * Winograd.lanes
            bringTiles(
              images(block, height, width), x + first * height * width, tileRow: row, into: frame,
              square)
            Winograd.transformImages(
              frame, width: frameWidth, tiles: tileColumns,
              into: v + channel * layout.row + (strip - strips.lowerBound) * part,
              steps: (16, layout.place), square)
          }
        }
        kernels.multiply(rows: 0..<filters, v, columns: columns, layout, into: m)
        for filter in 0..<filters {
          for strip in strips {
            let (block, row) = strip.quotientAndRemainder(dividingBy: tileRows)
            let first = filter * batch + block * Winograd.lanes
            Winograd.transformResults(
              m + filter * layout.row + (strip - strips.lowerBound) * part,
              steps: (16, layout.place), into: results, tiles: tileColumns, square)
            if bias != nil || activation != .identity {
              finish(results, resultSize, bias: bias?[filter] ?? 0, activation)
            }
            let line = Winograd.tile * row
            images(block, outputHeight, outputWidth).bringBack(
              results, frameWidth: Winograd.tile * tileColumns,
              rows: line..<min(outputHeight, line + Winograd.tile), into: y + first * area, square)
          }
        }
      }
    }
  }
}
