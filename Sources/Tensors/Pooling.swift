import Lanes

extension Tensor {
  /// The largest of each 2×2 block, and where it stood: its switch.
  ///
  /// Shapes: `[c, n, h, w]` → twice `[c, n, ⌊h/2⌋, ⌊w/2⌋]`. A switch is 0 … 3, row by row in the
  /// block; the first of equals wins. The pair is the "what" and "where" of Zhao et al. 2015.
  public func maximumPool() -> (what: Tensor, switches: Tensor) {
    let blocks = Blocks(of: shape)
    let (what, switches) = (
      Tensor(uninitialized: blocks.pooled), Tensor(uninitialized: blocks.pooled)
    )
    let (x, y, s) = (pointer, what.freshPointer, switches.freshPointer)
    blocks.forEachPiece { planes in
      let place = planes.lowerBound &* blocks.pooledArea
      blocks.pool(
        planes.count, x + planes.lowerBound &* blocks.area, into: y + place, switches: s + place)
    }
    return (what, switches)
  }

  /// Puts each element back to the place in its 2×2 block that a switch names; 0 elsewhere.
  ///
  /// Shapes: self and switches `[c, n, ⌊h/2⌋, ⌊w/2⌋]` → `[c, n, h, w]`. It is the pullback of
  /// `maximumPool` and the unpooling of a what-where auto-encoder (Zhao et al. 2015).
  public func unpooled(_ switches: Tensor, to shape: Shape) -> Tensor {
    let blocks = Blocks(of: shape)
    precondition(
      self.shape == blocks.pooled && switches.shape == self.shape,
      "\(self.shape) with switches \(switches.shape) does not unpool to \(shape)")
    let result = Tensor(uninitialized: shape)
    let (x, y, s) = (pointer, result.freshPointer, switches.pointer)
    blocks.forEachPiece { planes in
      let place = planes.lowerBound &* blocks.pooledArea
      blocks.unpool(
        planes.count, x + place, switches: s + place, into: y + planes.lowerBound &* blocks.area)
    }
    return result
  }

  /// The elements that the switches name: what `unpooled` does, transposed.
  ///
  /// Shapes: `[c, n, h, w]` and switches `[c, n, ⌊h/2⌋, ⌊w/2⌋]` → the latter.
  public func pooled(by switches: Tensor) -> Tensor {
    let blocks = Blocks(of: shape)
    precondition(switches.shape == blocks.pooled, "\(switches.shape) is not half \(shape)")
    let result = Tensor(uninitialized: switches.shape)
    let (x, y, s) = (pointer, result.freshPointer, switches.pointer)
    blocks.forEachPiece { planes in
      for plane in planes {
        for row in 0..<blocks.rows {
          for column in 0..<blocks.columns {
            let place = (plane &* blocks.rows &+ row) &* blocks.columns &+ column
            let code = Int(s[place])
            let line = plane &* blocks.height &+ 2 &* row &+ code / 2
            y[place] = x[line &* blocks.width &+ 2 &* column &+ code % 2]
          }
        }
      }
    }
    return result
  }
}

/// Images as blocks of 2 × 2 pixels; an odd last row or column belongs to none.
struct Blocks {
  /// Images of one channel each, and their pixels.
  let planes, height, width: Int
  /// Rows and columns of blocks.
  var rows: Int { height / 2 }
  var columns: Int { width / 2 }
  /// The shape with a pixel for each block.
  let pooled: Shape

  init(of shape: Shape) {
    precondition(shape.rank == 4, "images wanted: \(shape)")
    (planes, height, width) = (shape[0] * shape[1], shape[2], shape[3])
    pooled = [shape[0], shape[1], height / 2, width / 2]
  }

  /// Pixels of a plane.
  var area: Int { height &* width }
  /// Blocks of a plane.
  var pooledArea: Int { rows &* columns }

  /// Calls `body` with ranges of planes.
  func forEachPiece(_ body: (Range<Int>) -> Void) {
    Parallel.forEachRange(planes, by: max(1, 32_768 / max(1, area)), body)
  }

  /// The largest of scale·x + shift in each block of some planes, and its switch.
  func pool(
    _ planes: Int, _ x: UnsafePointer<Float>, scale: Float = 1, shift: Float = 0,
    into y: UnsafeMutablePointer<Float>, switches: UnsafeMutablePointer<Float>
  ) {
    let end = planes &* pooledArea
    for plane in 0..<planes {
      for row in 0..<rows {
        let upper = x + (plane &* height &+ 2 &* row) &* width
        let start = (plane &* rows &+ row) &* columns
        var column = 0
        while column < columns {
          let block = maximaOfBlocks(
            load(upper + 2 &* column) * scale + shift,
            load(upper + (width &+ 2 &* column)) * scale + shift)
          // What is too much, the next row overwrites; what stands behind the last is another's.
          let (place, room) = (start &+ column, end &- start &- column)
          store(block.what, y + place, first: room)
          store(block.switches, switches + place, first: room)
          column &+= 8
        }
      }
    }
  }

  /// The values of the blocks of some planes at the places that the switches name; 0 elsewhere.
  func unpool(
    _ planes: Int, _ x: UnsafePointer<Float>, switches: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    let end = planes &* area
    for plane in 0..<planes {
      for row in 0..<height {
        let start = (plane &* height &+ row) &* width
        let source = (plane &* rows &+ row / 2) &* columns
        // An odd last row or column belongs to no block.
        let columns = row / 2 < rows ? columns : 0
        var column = 0
        while 2 &* column < width {
          var value = Vector(repeating: 0)
          if column < columns {
            value = rowOfBlocks(
              row & 1, loadEight(x + (source &+ column)), loadEight(switches + (source &+ column)),
              first: columns &- column)
          }
          let place = start &+ 2 &* column
          store(value, y + place, first: end &- place)
          column &+= 8
        }
      }
    }
  }
}
