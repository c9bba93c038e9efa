import Tensors

// Of two operands one may be repeated over the other, as `+` of tensors has it: a number, `[]` or
// `[1]`, beside anything; features `[c]` over the rows of `[n, c]` or the pixels of `[c, n, h, w]`.
// The pullback to what was repeated is a sum: written Σ below, nothing where shapes are the same.

extension Variable {
  /// z = x + y; pullback x̄ = Σz̄, ȳ = Σz̄.
  public static func + (x: Variable, y: Variable) -> Variable {
    let (s, t) = (x.shape, y.shape)
    let (needsX, needsY) = (x.needsGradient, y.needsGradient)
    return x.tape.record(.add, x.value + y.value, from: [x, y]) { z̄ in
      [needsX ? z̄.summed(to: s) : nil, needsY ? z̄.summed(to: t) : nil]
    }
  }

  /// z = x − y; pullback x̄ = Σz̄, ȳ = −Σz̄.
  public static func - (x: Variable, y: Variable) -> Variable {
    let (s, t) = (x.shape, y.shape)
    let (needsX, needsY) = (x.needsGradient, y.needsGradient)
    return x.tape.record(.subtract, x.value - y.value, from: [x, y]) { z̄ in
      [needsX ? z̄.summed(to: s) : nil, needsY ? z̄.summed(to: t) * -1 : nil]
    }
  }

  /// z = x ⊙ y; pullback x̄ = Σ z̄ ⊙ y, ȳ = Σ z̄ ⊙ x.
  public static func * (x: Variable, y: Variable) -> Variable {
    let (a, b) = (x.value, y.value)
    let (needsX, needsY) = (x.needsGradient, y.needsGradient)
    return x.tape.record(.multiply, a * b, from: [x, y]) { z̄ in
      [
        needsX ? (z̄ * b).summed(to: a.shape) : nil,
        needsY ? (z̄ * a).summed(to: b.shape) : nil,
      ]
    }
  }

  /// z = x/y, element by element; pullback x̄ = Σ z̄/y, ȳ = −Σ z̄ ⊙ z/y.
  public static func / (x: Variable, y: Variable) -> Variable {
    let (s, b, z) = (x.shape, y.value, x.value / y.value)
    let (needsX, needsY) = (x.needsGradient, y.needsGradient)
    return x.tape.record(.divide, z, from: [x, y]) { z̄ in
      let x̄ = z̄ / b
      return [
        needsX ? x̄.summed(to: s) : nil,
        needsY ? (x̄ * z).summed(to: b.shape) * -1 : nil,
      ]
    }
  }

  /// y = c·x for a number c; pullback x̄ = c·ȳ.
  public static func * (x: Variable, factor: Float) -> Variable {
    x.tape.record(.scale, x.value * factor, from: [x]) { ȳ in [ȳ * factor] }
  }

  /// c·x for a number c.
  public static func * (factor: Float, x: Variable) -> Variable { x * factor }

  /// −x.
  public static prefix func - (x: Variable) -> Variable { x * -1 }

  /// x + c for a number c.
  public static func + (x: Variable, number: Float) -> Variable { x + constant(number, beside: x) }

  /// c + x for a number c.
  public static func + (number: Float, x: Variable) -> Variable { x + number }

  /// x − c for a number c.
  public static func - (x: Variable, number: Float) -> Variable { x - constant(number, beside: x) }

  /// c − x for a number c.
  public static func - (number: Float, x: Variable) -> Variable { constant(number, beside: x) - x }

  /// x/c for a number c.
  public static func / (x: Variable, number: Float) -> Variable { x / constant(number, beside: x) }

  /// c/x for a number c.
  public static func / (number: Float, x: Variable) -> Variable { constant(number, beside: x) / x }

  private static func constant(_ number: Float, beside x: Variable) -> Variable {
    x.tape.constant(Tensor(number))
  }
}

/// y = Σᵢ xᵢ, a scalar; pullback x̄ᵢ = ȳ.
public func sum(_ x: Variable) -> Variable {
  let shape = x.shape
  return x.tape.record(.sum, Tensor(x.value.sum()), from: [x]) { ȳ in
    [Tensor(repeating: ȳ.scalar, shape)]
  }
}

/// y = (1/n) Σᵢ xᵢ, a scalar; pullback x̄ᵢ = ȳ/n.
public func mean(_ x: Variable) -> Variable { sum(x) * (1 / Float(x.value.count)) }

/// The same elements under another shape; the pullback reshapes back.
public func reshape(_ x: Variable, _ shape: Shape) -> Variable {
  let old = x.shape
  return x.tape.record(.reshape, x.value.reshaped(shape), from: [x]) { ȳ in [ȳ.reshaped(old)] }
}
