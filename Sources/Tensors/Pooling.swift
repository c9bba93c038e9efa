extension Tensor {
  /// The largest of each 2×2 block, and where it stood: its switch.
  ///
  /// Shapes: `[c, n, h, w]` → twice `[c, n, ⌊h/2⌋, ⌊w/2⌋]`. A switch is 0 … 3, row by row in the
  /// block; the first of equals wins. The pair is the "what" and "where" of Zhao et al. 2015.
  public func maximumPool() -> (what: Tensor, switches: Tensor) {
    precondition(shape.rank == 4, "images wanted: \(shape)")
    let (planes, h, w) = (shape[0] * shape[1], shape[2], shape[3])
    let (oh, ow) = (h / 2, w / 2)
    let pooled: Shape = [shape[0], shape[1], oh, ow]
    let (what, switches) = (Tensor(uninitialized: pooled), Tensor(uninitialized: pooled))
    let (x, y, s) = (pointer, what.freshPointer, switches.freshPointer)
    Parallel.forEachRange(planes, by: max(1, 32_768 / max(1, h * w))) { range in
      for plane in range {
        for row in 0..<oh {
          let start = plane &* h &* w &+ 2 &* row &* w
          let top = x + start
          let bottom = top + w
          let place = (plane &* oh &+ row) &* ow
          for column in 0..<ow {
            let (a, b) = (top[2 &* column], top[2 &* column &+ 1])
            let (c, d) = (bottom[2 &* column], bottom[2 &* column &+ 1])
            let (upper, upperSwitch): (Float, Float) = b > a ? (b, 1) : (a, 0)
            let (lower, lowerSwitch): (Float, Float) = d > c ? (d, 3) : (c, 2)
            y[place &+ column] = lower > upper ? lower : upper
            s[place &+ column] = lower > upper ? lowerSwitch : upperSwitch
          }
        }
      }
    }
    return (what, switches)
  }

  /// Puts each element back to the place in its 2×2 block that a switch names; 0 elsewhere.
  ///
  /// Shapes: self and switches `[c, n, ⌊h/2⌋, ⌊w/2⌋]` → `[c, n, h, w]`. It is the pullback of
  /// `maximumPool` and the unpooling of a what-where auto-encoder (Zhao et al. 2015).
  public func unpooled(_ switches: Tensor, to shape: Shape) -> Tensor {
    let (planes, h, w) = (shape[0] * shape[1], shape[2], shape[3])
    let (oh, ow) = (h / 2, w / 2)
    precondition(
      self.shape == [shape[0], shape[1], oh, ow] && switches.shape == self.shape,
      "\(self.shape) with switches \(switches.shape) does not unpool to \(shape)")
    let result = Tensor(uninitialized: shape)
    let (x, y, s) = (pointer, result.freshPointer, switches.pointer)
    Parallel.forEachRange(planes, by: max(1, 32_768 / max(1, h * w))) { range in
      for plane in range {
        let target = y + plane &* h &* w
        if h % 2 != 0 || w % 2 != 0 { target.update(repeating: 0, count: h * w) }
        for row in 0..<oh {
          let start = 2 &* row &* w
          let top = target + start
          let bottom = top + w
          let place = (plane &* oh &+ row) &* ow
          for column in 0..<ow {
            let (value, code) = (x[place &+ column], s[place &+ column])
            top[2 &* column] = code == 0 ? value : 0
            top[2 &* column &+ 1] = code == 1 ? value : 0
            bottom[2 &* column] = code == 2 ? value : 0
            bottom[2 &* column &+ 1] = code == 3 ? value : 0
          }
        }
      }
    }
    return result
  }

  /// The elements that the switches name: what `unpooled` does, transposed.
  ///
  /// Shapes: `[c, n, h, w]` and switches `[c, n, ⌊h/2⌋, ⌊w/2⌋]` → the latter.
  public func pooled(by switches: Tensor) -> Tensor {
    let (planes, h, w) = (shape[0] * shape[1], shape[2], shape[3])
    let (oh, ow) = (h / 2, w / 2)
    precondition(
      switches.shape == [shape[0], shape[1], oh, ow], "\(switches.shape) is not half \(shape)")
    let result = Tensor(uninitialized: switches.shape)
    let (x, y, s) = (pointer, result.freshPointer, switches.pointer)
    Parallel.forEachRange(planes, by: max(1, 32_768 / max(1, h * w))) { range in
      for plane in range {
        for row in 0..<oh {
          for column in 0..<ow {
            let place = (plane &* oh &+ row) &* ow &+ column
            let code = Int(s[place])
            let line = plane &* h &+ 2 &* row &+ code / 2
            y[place] = x[line &* w &+ 2 &* column &+ code % 2]
          }
        }
      }
    }
    return result
  }
}
