import Glibc
import Kernels
import Testing

@Suite struct ProbabilitiesTests {
  @Test(arguments: [1, 2, 3, 10, 17])
  func softmaxOfRows(classes: Int) {
    let rows = 4
    let logits = noise(rows * classes, seed: 1)
    for k in 0..<logits.count { logits[k] *= 6 }
    let probabilities = filled(logits.count)
    softmax(logits, into: probabilities, classes: classes)
    for row in 0..<rows {
      let range = row * classes..<(row + 1) * classes
      let exponentials = range.map { exp(Double(logits[$0])) }
      let total = exponentials.reduce(0, +)
      #expect(distance(probabilities[range], exponentials.map { $0 / total }) < 3e-7)
      #expect(abs(Double(logSumExp(logits[range])) - log(total)) < 2e-6)
    }
  }

  /// What `expf` alone would overflow on, or lose.
  @Test func farLogits() {
    let probabilities = filled(3)
    let cases: [([Float], [Float], Float)] = [
      ([1e4, -1e4, 0], [1, 0, 0], 1e4), ([-1e4, -1e4, -1e4], [1, 1, 1].map { $0 / 3 }, -1e4 + 1.0986123),
      ([1e4, 1e4, -1e4], [0.5, 0.5, 0], 1e4 + 0.6931472), ([3e38, -3e38, 0], [1, 0, 0], 3e38),
      // Impossible, but not broken: what is masked.
      ([0, -.infinity, 0], [0.5, 0, 0.5], 0.6931472),
    ]
    for (logits, expected, sum) in cases {
      softmax(Buffer(logits), into: probabilities, classes: 3)
      #expect(distance(probabilities, expected.map(Double.init)) < 1e-7, "\(logits)")
      #expect(abs(logSumExp(Buffer(logits)) - sum) <= 1e-7 * abs(sum) + 1e-7, "\(logits)")
    }
  }

  /// A row with +∞ or a NaN, wherever in it, is NaN from end to end, and so is its sum; other rows are untouched.
  @Test(arguments: [Float.nan, .infinity])
  func brokenLogits(value: Float) {
    for place in 0..<3 {
      let logits = Buffer([0, 1, 2, 0, 0, 0] as [Float])
      logits[place] = value
      let probabilities = filled(6, with: 0)
      softmax(logits, into: probabilities, classes: 3)
      #expect(probabilities.array[0..<3].allSatisfy { $0.isNaN })
      #expect(distance(probabilities[3..<6], [1, 1, 1].map { $0 / 3 }) < 1e-7)
      #expect(logSumExp(logits[0..<3]).isNaN)
    }
  }

  @Test func sigmoidAndSoftplus() {
    for k in -120...120 {
      let x = Float(k) / 4
      let exact = 1 / (1 + exp(-Double(x)))
      #expect(abs(Double(sigmoid(x)) - exact) <= 3e-7 * exact, "\(x)")
      let soft = max(Double(x), 0) + log1p(exp(-abs(Double(x))))
      #expect(abs(Double(softplus(x)) - soft) <= 3e-7 * soft, "\(x)")
    }
    // Small values on the left stay what they are: e⁻⁸⁰ is no zero.
    #expect(abs(sigmoid(-80) / 1.804851e-35 - 1) < 1e-6)
    #expect(abs(softplus(-80) / 1.804851e-35 - 1) < 1e-6)
    for far in [1e4, 3e38, Float.infinity] {
      #expect(sigmoid(far) == 1)
      #expect(sigmoid(-far) == 0)
      #expect(softplus(far) == far)
      #expect(softplus(-far) == 0)
    }
    #expect(sigmoid(Float.nan).isNaN)
    #expect(softplus(.nan).isNaN)
  }

  @Test func sigmoidOfBuffers() {
    let x = noise(21, seed: 1)
    let y = filled(21)
    sigmoid(x, into: y)
    #expect(y.array == x.array.map { sigmoid($0) })
    let g = noise(21, seed: 2)
    let d = filled(21)
    sigmoidGradient(g, output: y, into: d)
    #expect(distance(d, (0..<21).map { Double(g[$0]) * Double(y[$0]) * (1 - Double(y[$0])) }) < 1e-7)
  }
}
