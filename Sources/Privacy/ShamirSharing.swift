/// A secret of 32 bytes in shares: any `threshold` of them give it, and fewer tell nothing.
///
/// The secret is eight words of 32 bits. Each is the value at 0 of a polynomial of degree threshold − 1 over the integers modulo
/// 2⁶¹ − 1 whose other coefficients are random, and a share is the values of the eight at a point of its own. Fewer shares fit
/// every secret equally well. Source: Shamir, "How to share a secret", CACM 22(11), 1979.
package enum ShamirSharing {
  /// The values of the eight polynomials at one point, each below 2⁶¹ − 1.
  package typealias Share = SIMD8<UInt64>

  /// A share for each of `points`, which must differ and not be 0.
  package static func shares(
    of secret: [UInt8], threshold: Int, points: [UInt32], words: inout SecretWords
  ) -> [Share] {
    let secret = SIMD8<UInt32>(littleEndian: secret)
    precondition(threshold >= 1 && !points.contains(0), "\(threshold) of \(points.count) shares")
    var shares = [Share](repeating: Share(), count: points.count)
    for word in 0..<8 {
      let others = (1..<threshold).map { _ in FieldElement.random(&words) }
      for (index, point) in points.enumerated() {
        let x = FieldElement(small: point)
        // Horner's rule, from the highest coefficient down.
        let value = others.reversed().reduce(FieldElement.zero) { ($0 + $1) * x } + FieldElement(small: secret[word])
        shares[index][word] = value.value
      }
    }
    return shares
  }

  /// The secret of which `shares`, at different points, are some. nil if they are no shares of one secret, as far as can be
  /// seen: the words that they give are not below 2³². Too few give nil too, or nonsense.
  package static func secret(from shares: [(point: UInt32, share: Share)]) -> [UInt8]? {
    let points = shares.map { FieldElement(small: $0.point) }
    // Lagrange's interpolation at 0: a share counts Π xⱼ / (xⱼ − xᵢ) over the other points xⱼ.
    let factors = points.indices.map { i in
      var (above, below) = (FieldElement.one, FieldElement.one)
      for j in points.indices where j != i {
        above = above * points[j]
        below = below * (points[j] - points[i])
      }
      return above * below.inverse
    }
    var secret: [UInt8] = []
    for word in 0..<8 {
      var sum = FieldElement.zero
      for (factor, share) in zip(factors, shares) {
        guard let value = FieldElement(share.share[word]) else { return nil }
        sum = sum + factor * value
      }
      guard sum.value < 1 << 32 else { return nil }
      secret += (0..<4).map { UInt8(truncatingIfNeeded: sum.value >> (8 * UInt64($0))) }
    }
    return secret
  }

  /// ``shares(of:threshold:points:words:)`` with random words of `key`, for tests.
  package static func shares(of secret: [UInt8], threshold: Int, points: [UInt32], key: [UInt8]) -> [Share] {
    var words = SecretWords(key: key)
    return shares(of: secret, threshold: threshold, points: points, words: &words)
  }

  /// ``secret(from:)``, for tests.
  package static func secret(points: [UInt32], shares: [Share]) -> [UInt8]? {
    secret(from: Array(zip(points, shares)).map { (point: $0.0, share: $0.1) })
  }
}
