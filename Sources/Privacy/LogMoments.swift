import Glibc

extension SubsampledGaussian {
  /// ln A(α) at an integer α, for 0 < q < 1.
  ///
  /// The paper's sum, A = Σ C(α,k)·(1−q)^(α−k)·q^k·exp((k²−k)/2σ²) for k = 0…α, without the binomial sum of the same
  /// coefficients, which is 1:
  ///
  ///     A − 1 = Σ C(α,k)·(1−q)^(α−k)·q^k·(exp((k²−k)/2σ²) − 1)   for k = 2…α
  ///
  /// All terms are positive, so that also a tiny moment keeps all its digits.
  func logMoment(integerOrder order: Int, sigma: Double) -> Double {
    let (logRate, logRest) = (log(sampleRate), log1p(-sampleRate))
    let scale = 1 / (2 * sigma * sigma)
    var logBinomial = log(Double(order))
    var logExcess = -Double.infinity
    for k in stride(from: 2, through: order, by: 1) {
      logBinomial += log(Double(order - k + 1)) - log(Double(k))
      let exponent = Double(k) * Double(k - 1) * scale
      let logGrowth = exponent + log(-expm1(-exponent))
      let logWeight = logBinomial + Double(k) * logRate + Double(order - k) * logRest
      logExcess = logSum(logExcess, logWeight + logGrowth)
    }
    return logSum(0, logExcess)
  }

  /// ln A(α) at an α that is no integer, for 0 < q < 1: two infinite sums for the two sides of
  /// z = σ²·ln(1/q − 1) + ½, where one of the two Gaussians begins to outweigh the other. With j = α − i,
  ///
  ///     A = Σ C(α,i)·(1−q)^j·q^i·exp((i²−i)/2σ²)·½·erfc((i − z)/√2σ)
  ///       + Σ C(α,i)·(1−q)^i·q^j·exp((j²−j)/2σ²)·½·erfc((z − j)/√2σ)     for i = 0, 1, …
  ///
  /// Behind i = ⌈α⌉ the terms alternate in sign and fall in size, as slowly as i^(−α−2). So half of the last term is
  /// taken back, and the error is about the difference of the last two. The sums end when that is below 2⁻⁶⁰ of A.
  func logMoment(fractionalOrder order: Double, sigma: Double) -> Double {
    let (logRate, logRest) = (log(sampleRate), log1p(-sampleRate))
    let boundary = sigma * sigma * (logRest - logRate) + 0.5
    let (scale, width) = (1 / (2 * sigma * sigma), 2.0.squareRoot() * sigma)
    func terms(_ i: Double, _ logBinomial: Double) -> Double {
      let j = order - i
      let below = i * logRate + j * logRest + (i * i - i) * scale + logErfc((i - boundary) / width)
      let above = j * logRate + i * logRest + (j * j - j) * scale + logErfc((boundary - j) / width)
      return logBinomial + logSum(below, above) - naturalLogOf2
    }
    let head = order.rounded(.up)
    var (i, logBinomial) = (0.0, 0.0)
    var logHead = -Double.infinity
    while i <= head {
      logHead = logSum(logHead, terms(i, logBinomial))
      logBinomial += log(abs((order - i) / (i + 1)))
      i += 1
    }
    var (tail, sign) = (0.0, -1.0)
    while true {
      let term = exp(terms(i, logBinomial) - logHead)
      tail += sign * term
      if term * (order + 2) < i * 0x1p-60 {
        tail -= sign * term / 2
        break
      }
      sign = -sign
      logBinomial += log((i - order) / (i + 1))
      i += 1
    }
    return logHead + log1p(tail)
  }
}

private let naturalLogOf2 = log(2.0)

/// ln(eˣ + eʸ). Either may be infinite.
func logSum(_ x: Double, _ y: Double) -> Double {
  let (low, high) = (min(x, y), max(x, y))
  return high.isInfinite ? high : high + log1p(exp(low - high))
}

/// ln erfc(x), also where erfc(x) would be no normal number.
///
/// From 25 on by the asymptotic series erfc(x) = exp(−x²)/(x√π) · (1 − 1/2x² + 3/4x⁴ − …): with seven terms what is
/// left out is below 10⁻¹⁷.
package func logErfc(_ x: Double) -> Double {
  guard x >= 25 else { return log(erfc(x)) }
  let y = 1 / (2 * x * x)
  var series = 1.0
  for k in stride(from: 11.0, through: 1, by: -2) { series = 1 - k * y * series }
  return -x * x - log(x * Double.pi.squareRoot()) + log(series)
}
