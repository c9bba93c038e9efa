import Tensors

/// y = f(x ∗ W + b): a convolution with stride 1, its bias and its activation in one operation.
///
/// Shapes: x `[c, n, h, w]`, weight `[o, c, kh, kw]`, bias `[o]` → `[o, n, oh, ow]`. Pullback, with
/// z̄ = ȳ ⊙ f′(y): W̄ correlates z̄ with x, x̄ spreads z̄ through W, b̄ sums z̄.
public func convolution(
  _ x: Variable, _ weight: Variable, _ bias: Variable, padding: Int = 0,
  activation: Activation = .identity
) -> Variable {
  let (a, w) = (x.value, weight.value)
  let needsX = x.needsGradient
  let y = a.convolution(w, bias: bias.value, padding: padding, activation: activation)
  return x.tape.record(.convolution, y, from: [x, weight, bias]) { ȳ in
    let parts = a.convolutionPullback(
      w, cotangent: ȳ, output: y, padding: padding, activation: activation,
      needsInput: needsX)
    return [parts.input, parts.weight, parts.bias]
  }
}

/// y = f(x ∗ᵀ W + b): the adjoint of a convolution, by that convolution's weights (tied weights).
///
/// Shapes: x `[o, n, oh, ow]`, weight `[o, c, kh, kw]`, bias `[c]` → images `[c, n, h, w]` with
/// h = oh + kh − 1 − 2·padding, w likewise: what `convolution` with this padding was given. Pullback,
/// with z̄ = ȳ ⊙ f′(y): x̄ = z̄ ∗ W, W̄ correlates x with z̄, b̄ sums z̄. Sources: Zeiler, Krishnan,
/// Taylor & Fergus 2010; Masci, Meier, Cireşan & Schmidhuber 2011.
public func transposedConvolution(
  _ x: Variable, _ weight: Variable, _ bias: Variable, padding: Int = 0,
  activation: Activation = .identity
) -> Variable {
  let (a, w) = (x.value, weight.value)
  let needs = (x: x.needsGradient, weight: weight.needsGradient, bias: bias.needsGradient)
  let ones = Tensor(repeating: 1, bias.shape)
  let y = FeatureMapping(
    a.transposedConvolution(w, padding: padding), scale: ones, shift: bias.value,
    activation: activation
  ).output
  return x.tape.record(.transposedConvolution, y, from: [x, weight, bias]) { ȳ in
    let z̄ =
      activation == .identity ? ȳ : ȳ.zip(y) { $0 * activation.derivative(fromOutput: $1) }
    return [
      needs.x ? z̄.convolution(w, bias: nil, padding: padding) : nil,
      // The convolution's own pullback, with the parts of image and cotangent exchanged.
      needs.weight
        ? z̄.convolutionPullback(
          w, cotangent: a, output: a, padding: padding, needsInput: false
        ).weight : nil,
      needs.bias ? z̄.sumOfFeatures() : nil,
    ]
  }
}

/// The largest of each 2×2 block; the pullback returns each cotangent to the winner's place.
///
/// Shapes: `[c, n, h, w]` → `[c, n, ⌊h/2⌋, ⌊w/2⌋]`, and the switches beside it.
public func maximumPool(_ x: Variable) -> (what: Variable, switches: Tensor) {
  let shape = x.shape
  let (what, switches) = x.value.maximumPool()
  let y = x.tape.record(.maximumPool, what, from: [x]) { ȳ in
    [ȳ.unpooled(switches, to: shape)]
  }
  return (y, switches)
}

/// Each element back at the place that its switch names; the pullback gathers.
///
/// The unpooling of a what-where auto-encoder (Zhao, Mathieu, Goroshin & LeCun 2015).
/// Shapes: `[c, n, ⌊h/2⌋, ⌊w/2⌋]` → `[c, n, h, w]`.
public func unpool(_ x: Variable, _ switches: Tensor, to shape: Shape) -> Variable {
  x.tape.record(.unpool, x.value.unpooled(switches, to: shape), from: [x]) { ȳ in
    [ȳ.pooled(by: switches)]
  }
}

/// Images `[c, n, h, w]` as rows `[n, c·h·w]`; the pullback lays the rows out as images again.
public func flatten(_ x: Variable) -> Variable {
  let shape = x.shape
  return x.tape.record(.flatten, x.value.flattenedImages(), from: [x]) { ȳ in
    [ȳ.unflattenedImages(shape)]
  }
}

/// Images in a frame of zeros, `width` pixels wide on each side; the pullback cuts it off.
///
/// Shapes: `[c, n, h, w]` → `[c, n, h + 2·width, w + 2·width]`.
public func padded(_ x: Variable, by width: Int) -> Variable {
  x.tape.record(.padded, x.value.padded(by: width), from: [x]) { ȳ in [ȳ.cropped(by: width)] }
}
