import Tensors

/// Inverted dropout: each unit kept with probability p and divided by p, else 0.
///
/// y = x ⊙ m with m = Bernoulli(p)/p; pullback x̄ = ȳ ⊙ m. `keep` is p, the probability to keep, as
/// in Srivastava et al. 2014; dividing here leaves the weights alone at test.
public func dropout(_ x: Variable, keep p: Float, using stream: inout RandomStream) -> Variable {
  precondition(p > 0 && p <= 1, "a probability to keep lies in (0, 1]: \(p)")
  let mask = stream.bernoulli(x.shape, probability: p, value: 1 / p)
  return x.tape.record(.dropout, x.value * mask, from: [x]) { ȳ in [ȳ * mask] }
}

/// Dropout of whole channels of images: neighbouring pixels share their fate.
///
/// Shapes: `[c, n, h, w]`; one trial for each channel of each image (Tompson et al. 2015, sec. 3.2).
public func channelDropout(
  _ x: Variable, keep p: Float, using stream: inout RandomStream
) -> Variable {
  precondition(p > 0 && p <= 1, "a probability to keep lies in (0, 1]: \(p)")
  let (planes, area) = (x.shape[0] * x.shape[1], x.shape[2] * x.shape[3])
  let mask = stream.bernoulli([planes], probability: p, value: 1 / p)
  let y = x.value.scaledRows(mask, length: area)
  return x.tape.record(.channelDropout, y, from: [x]) { ȳ in
    [ȳ.scaledRows(mask, length: area)]
  }
}

/// Masking noise: each element 0 with a probability, else as it is.
///
/// y = x ⊙ m; pullback x̄ = ȳ ⊙ m. Unlike dropout it divides by nothing: it is the corruption that a
/// denoising auto-encoder undoes. One trial for each element, where Vincent, Larochelle, Lajoie,
/// Bengio & Manzagol 2010 blank a fixed share of each example's.
public func maskingNoise(
  _ x: Variable, probability: Float, using stream: inout RandomStream
) -> Variable {
  precondition((0...1).contains(probability), "a probability lies in [0, 1]: \(probability)")
  let mask = stream.bernoulli(x.shape, probability: 1 - probability)
  return x.tape.record(.maskingNoise, x.value * mask, from: [x]) { ȳ in [ȳ * mask] }
}

/// Normal noise, added: y = x + n with n of mean 0 and a deviation; pullback x̄ = ȳ.
///
/// What a ladder network adds to each layer (Rasmus et al. 2015, algorithm 1), and a denoising
/// auto-encoder to its input.
public func gaussianNoise(
  _ x: Variable, deviation: Float, using stream: inout RandomStream
) -> Variable {
  let y = stream.addNoise(to: x.value, deviation: deviation)
  return x.tape.record(.gaussianNoise, y, from: [x]) { ȳ in [ȳ] }
}
