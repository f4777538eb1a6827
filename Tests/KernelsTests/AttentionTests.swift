import Glibc
import Kernels
import Testing

/// The weights of an attention head against their formulas in Double.
@Suite struct AttentionTests {
  /// Rows of scores, 4 times as far apart as noise, and behind the keys what must not be read.
  private func scores(_ queries: Int, _ keys: Int, seed: UInt64, behind: Float = .nan) -> Buffer<Float> {
    let length = wholeVectors(keys)
    let values = noise(queries * keys, seed: seed)
    return Buffer(
      (0..<queries * length).map { $0 % length < keys ? 4 * values[$0 / length * keys + $0 % length] : behind })
  }

  private func rows(_ buffer: Buffer<Float>, _ keys: Int) -> [Buffer<Float>] {
    let length = wholeVectors(keys)
    return stride(from: 0, to: buffer.count, by: length).map { buffer[$0..<$0 + keys] }
  }

  @Test(arguments: [(1, 1), (3, 5), (8, 8), (16, 16), (17, 17), (50, 50)], [false, true])
  func weightsAndTheirGradient(_ size: (Int, Int), isCausal: Bool) {
    let (queries, keys) = size
    let given = rows(scores(queries, keys, seed: 1), keys).map { $0.array.map(Double.init) }
    let weights = scores(queries, keys, seed: 1)
    attentionWeights(weights, keys: keys, scale: 0.3, isCausal: isCausal)
    let gradient = scores(queries, keys, seed: 2)
    let outer = rows(scores(queries, keys, seed: 2), keys).map { $0.array.map(Double.init) }
    attentionWeightsGradient(gradient, weights: weights, keys: keys, scale: 0.3)
    for i in 0..<queries {
      let visible = isCausal ? i + 1 : keys
      let exponentials = (0..<keys).map { $0 < visible ? exp(0.3 * given[i][$0]) : 0 }
      let exact = exponentials.map { $0 / exponentials.reduce(0, +) }
      #expect(distance(rows(weights, keys)[i], exact) < 3e-7)
      #expect(rows(weights, keys)[i].array.dropFirst(visible).allSatisfy { $0 == 0 })
      let mean = zip(exact, outer[i]).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(distance(rows(gradient, keys)[i], (0..<keys).map { exact[$0] * (outer[i][$0] - mean) * 0.3 }) < 1e-6)
    }
  }

  /// A block of queries has the rows of all queries, to the bit; the keys behind its last are left out.
  @Test(arguments: [(0, 5), (3, 9), (16, 33), (40, 41)])
  func blocksOfQueries(first: Int, end: Int) {
    let all = scores(50, 50, seed: 3)
    attentionWeights(all, keys: 50, scale: 0.3, isCausal: true)
    let given = rows(scores(50, 50, seed: 3), 50)
    let block = filled((end - first) * wholeVectors(end))
    for query in first..<end {
      let start = (query - first) * wholeVectors(end)
      block[start..<start + end].copy(from: given[query].prefix(end))
    }
    attentionWeights(block, keys: end, scale: 0.3, isCausal: true, from: first)
    for query in first..<end {
      #expect(bits(rows(block, end)[query - first]) == bits(rows(all, 50)[query].prefix(end)), "query \(query)")
    }
  }

  /// What lies behind the keys changes no bit, not even once it is no number.
  @Test func nothingBehindTheKeysIsRead() {
    let results = [Float.nan, .infinity, 0, 1e30].map { behind in
      let weights = scores(6, 6, seed: 1, behind: behind)
      attentionWeights(weights, keys: 6, scale: 1, isCausal: false)
      let gradient = scores(6, 6, seed: 2, behind: behind)
      attentionWeightsGradient(gradient, weights: weights, keys: 6, scale: 1)
      return (rows(weights, 6) + rows(gradient, 6)).map { bits($0) }
    }
    #expect(results.allSatisfy { $0 == results[2] })
  }

  @Test func farScores() {
    let scores = filled(wholeVectors(3))
    for (values, expected) in [
      ([1e4, -1e4, 0], [1, 0, 0]), ([-1e4, -1e4, -1e4], [1, 1, 1].map { $0 / 3 }), ([3e38, -3e38, 0], [1, 0, 0]),
      ([0, -.infinity, 0], [0.5, 0, 0.5]),
    ] as [([Float], [Double])] {
      for (k, value) in values.enumerated() { scores[k] = value }
      attentionWeights(scores, keys: 3, scale: 1, isCausal: false)
      #expect(distance(scores.prefix(3), expected) < 1e-7, "\(values)")
    }
    for broken in [Float.nan, .infinity] {
      for (k, value) in [0, broken, 1].enumerated() { scores[k] = value }
      attentionWeights(scores, keys: 3, scale: 1, isCausal: false)
      #expect(scores.prefix(3).array.allSatisfy { $0.isNaN })
    }
  }
}
