import Tensors

/// Logarithms of numbers with the distribution Gamma(α, 1), for a Dirichlet distribution: these numbers divided by their sum.
///
/// A number of Gamma(α + 1), by Cheng's algorithm GB, times u^(1/α) has that distribution. It may be too small for a Double where α is
/// small, hence the logarithm. ``portableLog(_:)`` and ``portableExp(_:)`` give a draw the same bits everywhere.
///
/// Sources: Cheng, "The generation of gamma variables with non-integral shape parameter", Applied Statistics 26(1), 1977; Stuart 1962 for
/// the step from α + 1 to α.
package struct GammaDraws {
  package let alpha: Double

  /// Draws for this α, above 0.
  package init(alpha: Double) { self.alpha = alpha }

  /// The logarithm of the next number, from as many of `words` as it takes.
  package func log(from words: inout Philox) -> Double {
    let shape = alpha + 1
    let a = 1 / (2 * shape - 1).squareRoot()
    let b = shape - portableLog(4)
    let c = shape + 1 / a
    while true {
      let (u, v) = (Self.next(&words), Self.next(&words))
      let exponent = a * portableLog(u / (1 - u))
      let x = shape * portableExp(exponent)
      if b + c * exponent - x >= portableLog(u * u * v) {
        return portableLog(shape) + exponent + portableLog(Self.next(&words)) / alpha
      }
    }
  }

  /// The next number between 0 and 1, neither of them: the middle of one of 2³² equal parts.
  private static func next(_ words: inout Philox) -> Double { (Double(words.next()) + 0.5) * 0x1p-32 }
}
