import Lanes

extension FeatureMapping {
  /// From the cotangent of y to that of x; with it the sums that those of s and t are made of.
  ///
  /// With z̄ = ȳ ⊙ f′ at the places that the switches name, 0 elsewhere, and m samples of a feature:
  /// `sum` = Σz̄, `product` = Σz̄(x − center). x̄ = s·z̄ where s and t do not depend on x, and where
  /// they normalise it, x̄ = s·(z̄ − Σz̄/m − x̂·Σz̄x̂/m) with x̂ = (x − μ)/√(σ² + ε).
  public func pullback(
    _ ȳ: Tensor, needsInput: Bool = true
  ) -> (input: Tensor?, sum: Tensor, product: Tensor) {
    precondition(ȳ.shape == output.shape, "\(ȳ.shape) is not \(output.shape)")
    let layout = FeatureLayout(x.shape)
    let input = needsInput ? Tensor(uninitialized: x.shape) : nil
    let (sum, product) = (Tensor(repeating: 0, scale.shape), Tensor(repeating: 0, scale.shape))
    let (s, m, i) = (scale.pointer, center.pointer, inverse?.pointer)
    let (p, dx) = (x.pointer, input?.freshPointer)
    let (total, weighted) = (sum.freshPointer, product.freshPointer)
    let samples = Float(layout.samples)
    /// b and c of x̄ = s·z̄ + b·(x − μ) + c.
    func coefficients(_ feature: Int) -> (b: Float, c: Float) {
      guard let i else { return (0, 0) }
      let share = s[feature] * (-1 / samples)
      return (share * i[feature] * i[feature] * weighted[feature], share * total[feature])
    }
    layout.forEachBlock { block in
      guard layout.isContiguous else {
        // z̄ of the block, 64 floats a row; behind it b and c of its columns.
        BufferPool.withScratch(layout.samples * 64 + 128) { z̄ in
          let bc = z̄ + layout.samples * 64
          undoColumns(layout, block, ȳ, into: z̄)
          sumColumns(layout, block, p, z̄, m, into: total, weighted)
          guard let dx else { return }
          for feature in block {
            (bc[feature - block.lowerBound], bc[64 + feature - block.lowerBound]) =
              coefficients(feature)
          }
          combineColumns(layout, block, p, z̄, s, m, bc, into: dx)
        }
        return
      }
      for feature in block {
        let start = feature &* layout.samples
        BufferPool.withScratch(dx == nil ? layout.samples : 0) { scratch in
          let z̄ = dx.map { $0 + start } ?? scratch
          (total[feature], weighted[feature]) = undo(layout, feature, ȳ, into: z̄)
          guard dx != nil else { return }
          combine(p + start, z̄, layout.samples, s[feature], m[feature], coefficients(feature))
        }
      }
    }
    return (input, sum, product)
  }

  /// Writes z̄ of a feature of images, and returns Σz̄ and Σz̄(x − center): a few planes at a time,
  /// which are summed while the first cache has them.
  private func undo(
    _ layout: FeatureLayout, _ feature: Int, _ ȳ: Tensor, into z̄: UnsafeMutablePointer<Float>
  ) -> (sum: Float, product: Float) {
    let start = feature &* layout.samples
    let (x, dy, center) = (x.pointer + start, ȳ.pointer, center.pointer[feature])
    var (sum, product) = (Vector(repeating: 0), Vector(repeating: 0))
    guard let switches else {
      for i in stride(from: 0, to: layout.samples, by: 2048) {
        let count = min(2048, layout.samples &- i)
        undoRun(
          x + i, dy + (start &+ i), z̄ + i, count, scale.pointer[feature],
          shift.pointer[feature], activation)
        addProducts(x + i, z̄ + i, count, center, &sum, &product)
      }
      return (sum.sum(), product.sum())
    }
    let blocks = Blocks(of: self.x.shape)
    let planes = blocks.planes / layout.features
    let few = max(1, 2048 / max(1, blocks.area))
    BufferPool.withScratch(few &* blocks.pooledArea) { pooled in
      for plane in stride(from: 0, to: planes, by: few) {
        let count = min(few, planes &- plane)
        let place = (feature &* planes &+ plane) &* blocks.pooledArea
        let target = z̄ + plane &* blocks.area
        undoPooled(
          output.pointer + place, dy + place, pooled, count &* blocks.pooledArea, activation)
        blocks.unpool(count, pooled, switches: switches.pointer + place, into: target)
        addProducts(
          x + plane &* blocks.area, target, count &* blocks.area, center, &sum, &product)
      }
    }
    return (sum.sum(), product.sum())
  }

  /// Writes z̄ of some columns, 64 floats a row.
  private func undoColumns(
    _ layout: FeatureLayout, _ block: Range<Int>, _ ȳ: Tensor,
    into z̄: UnsafeMutablePointer<Float>
  ) {
    let (x, dy, s, t) = (x.pointer, ȳ.pointer, scale.pointer, shift.pointer)
    activation.specialisedSlope { slope in
      for row in 0..<layout.samples {
        let start = row &* layout.features
        for i in stride(from: block.lowerBound, to: block.upperBound, by: 16) {
          let z = load(x + (start &+ i)) * load(s + i) + load(t + i)
          store(
            load(dy + (start &+ i)) * slope(z), z̄ + (row &* 64 &+ i &- block.lowerBound))
        }
      }
    }
  }
}

/// z̄ = ȳ·f′(f(s·x + t)) of a run.
private func undoRun(
  _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ z̄: UnsafeMutablePointer<Float>,
  _ count: Int, _ s: Float, _ t: Float, _ activation: Activation
) {
  activation.specialisedSlope { slope in
    var i = 0
    while i < count {
      store(load(dy + i) * slope(load(x + i) * s + t), z̄ + i, first: count &- i)
      i &+= 16
    }
  }
}

/// ȳ·f′ of a run of what was pooled, whose f′ is read off y; up to fifteen floats more are written.
private func undoPooled(
  _ y: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ z̄: UnsafeMutablePointer<Float>,
  _ count: Int, _ activation: Activation
) {
  activation.specialisedDerivative { slope in
    var i = 0
    while i < count {
      store(load(dy + i) * slope(load(y + i)), z̄ + i)
      i &+= 16
    }
  }
}

/// Adds z̄ and z̄(x − center) of a run to two sums of lanes.
private func addProducts(
  _ x: UnsafePointer<Float>, _ z̄: UnsafePointer<Float>, _ count: Int, _ center: Float,
  _ sum: inout Vector, _ product: inout Vector
) {
  var (total, weighted) = (sum, product)
  var i = 0
  while i &+ 16 <= count {
    let here = load(z̄ + i)
    total += here
    weighted.addProduct(here, load(x + i) - center)
    i &+= 16
  }
  if i < count {
    let here = first(count &- i, of: load(z̄ + i))
    total += here
    weighted.addProduct(here, first(count &- i, of: load(x + i) - center))
  }
  (sum, product) = (total, weighted)
}

/// x̄ = s·z̄ + b·(x − μ) + c of a run, in the place of z̄.
private func combine(
  _ x: UnsafePointer<Float>, _ z̄: UnsafeMutablePointer<Float>, _ count: Int, _ s: Float,
  _ μ: Float, _ rest: (b: Float, c: Float)
) {
  var i = 0
  while i < count {
    store(
      load(z̄ + i) * s + (load(x + i) - μ) * rest.b + rest.c, z̄ + i, first: count &- i)
    i &+= 16
  }
}

/// Adds up z̄ and z̄(x − μ) of some columns on top of zeros; behind the last stands padding.
private func sumColumns(
  _ layout: FeatureLayout, _ block: Range<Int>, _ x: UnsafePointer<Float>,
  _ z̄: UnsafePointer<Float>, _ μ: UnsafePointer<Float>,
  into sum: UnsafeMutablePointer<Float>, _ product: UnsafeMutablePointer<Float>
) {
  for row in 0..<layout.samples {
    let start = row &* layout.features
    for i in stride(from: block.lowerBound, to: block.upperBound, by: 16) {
      let here = load(z̄ + (row &* 64 &+ i &- block.lowerBound))
      store(load(sum + i) + here, sum + i)
      let distance = load(x + (start &+ i)) - load(μ + i)
      store(load(product + i).addingProduct(here, distance), product + i)
    }
  }
}

/// x̄ = s·z̄ + b·(x − μ) + c of some columns; b and c stand one after the other, 64 floats each.
private func combineColumns(
  _ layout: FeatureLayout, _ block: Range<Int>, _ x: UnsafePointer<Float>,
  _ z̄: UnsafePointer<Float>, _ s: UnsafePointer<Float>, _ μ: UnsafePointer<Float>,
  _ bc: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>
) {
  for row in 0..<layout.samples {
    let start = row &* layout.features
    for i in stride(from: block.lowerBound, to: block.upperBound, by: 16) {
      let place = i &- block.lowerBound
      let distance = load(x + (start &+ i)) - load(μ + i)
      store(
        load(z̄ + (row &* 64 &+ place)) * load(s + i) + distance * load(bc + place)
          + load(bc + (64 &+ place)), dx + (start &+ i), first: block.upperBound &- i)
    }
  }
}
