import Kernels
import Testing

/// All heads of some samples against the products and weights that they are made of, head by head: the same bits.
@Suite struct AttentionHeadsTests {
  private struct Sizes: CustomStringConvertible {
    var samples = 2
    var tokens: Int
    var heads: Int
    /// The columns of a head.
    var size: Int
    var isCausal: Bool
    var width: Int { heads * size }
    var description: String { "\(tokens) tokens, \(heads) heads of \(size), causal \(isCausal)" }
  }

  private static let sizes = [
    (1, 1, 1), (5, 2, 3), (16, 1, 16), (17, 3, 16), (50, 4, 16), (49, 2, 24), (65, 1, 40), (130, 2, 16), (33, 2, 32),
  ].flatMap { (tokens, heads, size) in
    [false, true].map { Sizes(tokens: tokens, heads: heads, size: size, isCausal: $0) }
  }

  /// The columns of one head of one sample, by themselves.
  private func part(_ buffer: Buffer<Float>, _ sizes: Sizes, _ sample: Int, _ head: Int, of part: Int, parts: Int)
    -> Buffer<Float>
  {
    let row = parts * sizes.width
    return Buffer(
      (0..<sizes.tokens * sizes.size).map {
        let (token, column) = $0.quotientAndRemainder(dividingBy: sizes.size)
        return buffer[(sample * sizes.tokens + token) * row + part * sizes.width + head * sizes.size + column]
      })
  }

  private func product(_ left: Matrix, _ right: Matrix, _ sizes: (m: Int, k: Int, n: Int)) -> Buffer<Float> {
    let (packed, result) = (PackedMatrix(rows: sizes.k, columns: sizes.n), filled(sizes.m * sizes.n))
    packed.pack(right)
    multiply(left, packed, into: Matrix(result, rows: sizes.m, columns: sizes.n))
    return result
  }

  /// Rows of `tokens` floats with room for whole vectors, and back.
  private func widened(_ rows: Buffer<Float>, _ tokens: Int) -> Buffer<Float> {
    let length = wholeVectors(tokens)
    return Buffer((0..<tokens * length).map { $0 % length < tokens ? rows[$0 / length * tokens + $0 % length] : 0 })
  }

  private func narrowed(_ rows: Buffer<Float>, _ tokens: Int) -> Buffer<Float> {
    let length = wholeVectors(tokens)
    return Buffer((0..<tokens * tokens).map { rows[$0 / tokens * length + $0 % tokens] })
  }

  private func rounded(_ values: Buffer<Float>, _ precision: ProductPrecision) -> Buffer<Float> {
    let copy = Buffer(values.array)
    if precision == .bf16 { roundToBFloat16(copy, into: copy) }
    return copy
  }

  @Test(arguments: sizes, ProductPrecision.allCases)
  private func headsAreWhatTheyAreMadeOf(_ sizes: Sizes, precision: ProductPrecision) {
    let (tokens, size) = (sizes.tokens, sizes.size)
    let all = sizes.samples * tokens * sizes.width
    // Two samples in room for three, twice: what forward keeps is of the last pass.
    let heads = AttentionHeads(
      tokens: tokens, width: sizes.width, heads: sizes.heads, isCausal: sizes.isCausal, capacity: sizes.samples + 1)
    heads.forward(noise(3 * all, seed: 9), into: filled(all), precision)
    let (projected, outer) = (noise(3 * all, seed: 1), noise(all, seed: 2))
    let (attended, gradient) = (filled(all), filled(3 * all))
    heads.forward(projected, into: attended, precision)
    heads.backward(outer, projected: projected, into: gradient, precision)
    let scale = 1 / Float(size).squareRoot()
    for sample in 0..<sizes.samples {
      for head in 0..<sizes.heads {
        let (q, k, v) = (
          part(projected, sizes, sample, head, of: 0, parts: 3), part(projected, sizes, sample, head, of: 1, parts: 3),
          part(projected, sizes, sample, head, of: 2, parts: 3)
        )
        func rows(_ values: Buffer<Float>) -> Matrix { Matrix(values, rows: tokens, columns: size) }
        func square(_ values: Buffer<Float>) -> Matrix { Matrix(values, rows: tokens, columns: tokens) }
        let weights = widened(product(rows(q), rows(k).transposed, (tokens, size, tokens)), tokens)
        attentionWeights(weights, keys: tokens, scale: scale, isCausal: sizes.isCausal)
        let factors = narrowed(rounded(weights, precision), tokens)
        let result = product(square(factors), rows(v), (tokens, tokens, size))
        #expect(bits(part(attended, sizes, sample, head, of: 0, parts: 1)) == bits(result), "\(sizes)")

        let own = part(outer, sizes, sample, head, of: 0, parts: 1)
        let slope = widened(product(rows(own), rows(v).transposed, (tokens, size, tokens)), tokens)
        attentionWeightsGradient(slope, weights: weights, keys: tokens, scale: scale)
        let slopes = narrowed(rounded(slope, precision), tokens)
        let expected = [
          product(square(slopes), rows(k), (tokens, tokens, size)),
          product(square(slopes).transposed, rows(q), (tokens, tokens, size)),
          product(square(factors).transposed, rows(own), (tokens, tokens, size)),
        ]
        for (index, name) in ["q", "k", "v"].enumerated() {
          let here = part(gradient, sizes, sample, head, of: index, parts: 3)
          // Blocks of queries are added to one another, which rounds otherwise than one sum, and leave products with zero out.
          if sizes.isCausal && tokens > 64 {
            #expect(distance(here, expected[index].array.map(Double.init)) < 1e-4, "\(name) of \(sizes)")
          } else {
            #expect(bits(here) == bits(expected[index]), "\(name) of \(sizes)")
          }
        }
      }
    }
  }

  /// What lies in other samples and heads changes no bit of a head.
  @Test func aHeadIsByItself() {
    let (tokens, width) = (20, 32)
    let heads = AttentionHeads(tokens: tokens, width: width, heads: 2, isCausal: true, capacity: 2)
    let one = noise(2 * tokens * 3 * width, seed: 1)
    let other = Buffer<Float>(one.array)
    // The second head of the first sample, and all of the second sample.
    for at in 0..<other.count where at >= other.count / 2 || at % width >= width / 2 { other[at] = 3 }
    let results = [one, other].map { projected in
      let attended = filled(2 * tokens * width)
      heads.forward(projected, into: attended, .fp32)
      return (0..<tokens).map { bits(attended[$0 * width..<$0 * width + width / 2]) }
    }
    #expect(results[0] == results[1])
  }
}
