import Lanes

extension ConvolutionGeometry {
  /// The images' cotangent: a row of tiles of sixteen images at a time, top to bottom.
  ///
  /// Tiles add to two lines that the next row of tiles adds to as well; these wait for it.
  func spreadByTiles(
    _ dz: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, tile: Tile
  ) {
    let kernels = TransformedFilters(
      weight, rows: channels, depth: filters, rowStep: window, depthStep: depth, tile: tile)
    let columns = 16 * tileColumns
    let layout = PlaceLayout(columns: columns)
    // Few images are shared between two pieces, each with half of the channels.
    let parts = blocks < 8 ? 2 : 1
    let size = ((channels + parts - 1) / parts + tile.height - 1) / tile.height * tile.height
    Parallel.forEach(blocks * parts) { piece in
      let (block, part) = piece.quotientAndRemainder(dividingBy: parts)
      let own = min(channels, part * size)..<min(channels, (part + 1) * size)
      guard !own.isEmpty else { return }
      let (line, cotangentSize) = (16 * frameWidth, 256 * tileColumns)
      BufferPool.withScratch(
        (filters + own.count) * layout.row + cotangentSize + (6 + 2 * own.count) * line
          + LanePlanes.scratch
      ) { e in
        let d = e + filters * layout.row
        let cotangents = d + own.count * layout.row
        let frame = cotangents + cotangentSize
        let waiting = frame + 6 * line
        let square = waiting + 2 * own.count * line
        clear(cotangents, cotangentSize)
        clear(waiting, 2 * own.count * line)
        for row in 0..<tileRows {
          for filter in 0..<filters {
            let first = filter * batch + block * Winograd.lanes
            bringCotangents(
              images(block, outputHeight, outputWidth), dz + first * area, tileRow: row,
              into: cotangents, square)
            Winograd.transformCotangents(
              cotangents, tiles: tileColumns, into: e + filter * layout.row,
              steps: (16, layout.place), square)
          }
          kernels.multiply(rows: own, e, columns: columns, layout, into: d)
          let (needed, first) = lines(ofTileRow: row)
          let isLast = row == tileRows - 1
          // All six lines of the last row of tiles are complete, four of another.
          let top = needed.lowerBound - first
          let end = min(needed.upperBound, top + (isLast ? 6 : Winograd.tile))
          let complete = needed.lowerBound..<max(needed.lowerBound, end)
          for channel in own {
            let index = channel - own.lowerBound
            let rest = waiting + 2 * index * line
            frame.update(from: rest, count: 2 * line)
            clear(frame + 2 * line, 4 * line)
            Winograd.addImages(
              d + index * layout.row, steps: (16, layout.place), to: frame, width: frameWidth,
              tiles: tileColumns, square)
            rest.update(from: frame + 4 * line, count: 2 * line)
            let plane = dx + (channel * batch + block * Winograd.lanes) * height * width
            images(block, height, width).bringBack(
              frame + first * line + 16 * padding, frameWidth: frameWidth, rows: complete,
              into: plane, square)
          }
        }
      }
    }
  }

  /// The weights' cotangents: sixteen channels, and sixteen filters, in the lanes.
  ///
  /// The sums run over tiles and images, so these are the rows of both factors here, and no sum has
  /// to be added up from lanes. Each piece writes a copy of its own, `[pieces, o·c·3·3]`.
  func correlateByTiles(
    _ x: UnsafePointer<Float>, _ dz: UnsafePointer<Float>, tile: Tile
  ) -> Tensor {
    let size = (batch + 7) / 8
    let pieces = (batch + size - 1) / size
    let result = Tensor(uninitialized: [pieces, filters * depth])
    let dw = result.freshPointer
    let vLayout = PlaceLayout(columns: (channels + 15) / 16 * 16)
    let eLayout = PlaceLayout(columns: (filters + 15) / 16 * 16)
    let pairs = filters * channels
    let uStep = ((pairs + 15) / 16 | 1) * 16
    let perStrip = (vLayout.row + eLayout.row) * tileColumns
    Parallel.forEachRange(batch, by: size) { piece in
      let all = piece.lowerBound * tileRows..<piece.upperBound * tileRows
      let group = min(all.count, max(1, ConvolutionGeometry.cacheSize / perStrip))
      let tiles = group * tileColumns
      let (frameSize, cotangentSize) = (96 * frameWidth, 256 * tileColumns)
      BufferPool.withScratch(
        tiles * (vLayout.row + eLayout.row) + Winograd.places * uStep + frameSize + cotangentSize
          + LanePlanes.scratch
      ) { v in
        let e = v + tiles * vLayout.row
        let u = e + tiles * eLayout.row
        let frame = u + Winograd.places * uStep
        let cotangents = frame + frameSize
        let square = cotangents + cotangentSize
        clear(frame, frameSize + cotangentSize)
        for start in stride(from: all.lowerBound, to: all.upperBound, by: group) {
          let strips = start..<min(all.upperBound, start + group)
          for strip in strips {
            let (image, row) = strip.quotientAndRemainder(dividingBy: tileRows)
            let first = (strip - start) * tileColumns
            for channel in stride(from: 0, to: channels, by: 16) {
              let planes = LanePlanes(
                count: min(16, channels - channel), distance: batch * height * width, width: width)
              bringTiles(
                planes, x + (channel * batch + image) * height * width, tileRow: row, into: frame,
                square)
              Winograd.transformImages(
                frame, width: frameWidth, tiles: tileColumns,
                into: v + first * vLayout.row + channel, steps: (vLayout.row, vLayout.place), square
              )
            }
            for filter in stride(from: 0, to: filters, by: 16) {
              let planes = LanePlanes(
                count: min(16, filters - filter), distance: batch * area, width: outputWidth)
              bringCotangents(
                planes, dz + (filter * batch + image) * area, tileRow: row, into: cotangents,
                square)
              Winograd.transformCotangents(
                cotangents, tiles: tileColumns, into: e + first * eLayout.row + filter,
                steps: (eLayout.row, eLayout.place), square)
            }
          }
          for place in 0..<Winograd.places {
            let left = LeftFactor(
              e + place * eLayout.place, rows: filters, depth: strips.count * tileColumns,
              rowStride: 1, step: eLayout.row, tile: tile)
            left.multiply(
              rows: 0..<filters, v + place * vLayout.place, stride: vLayout.row, columns: channels,
              into: u + place * uStep, stride: channels, adding: start > all.lowerBound)
          }
        }
        let copy = dw + piece.lowerBound / size * filters * depth
        for pair in stride(from: 0, to: pairs, by: 16) {
          Winograd.gatherFilters(u + pair, placeStep: uStep, into: square + 512, square)
          transpose(square + 512, distance: 16, count: 9, into: square)
          for lane in 0..<min(16, pairs - pair) {
            (copy + 9 * (pair + lane)).update(from: square + 16 * lane, count: 9)
          }
        }
      }
    }
    return result
  }
}
