import Kernels
import Testing

@Suite struct AdamStepTests {
  /// One step from any state, on whole lanes and the rest, against the same formulas in Double.
  @Test(arguments: [1, 7, 8, 16, 19, 50])
  func againstDouble(count: Int) {
    let c = AdamCoefficients(
      gradientScale: 1 / 32, beta1: 0.9, beta2: 0.999, stepSize: 0.004, secondMomentCorrection: 7, epsilon: 1e-3)
    let theta = noise(count, seed: 1)
    let g = noise(count, seed: 2)
    let m = noise(count, seed: 3)
    let v = noise(count, seed: 4)
    for k in 0..<count {
      g[k] *= 100
      v[k] = abs(v[k])
    }
    let first = (0..<count).map {
      Double(c.beta1) * Double(m[$0]) + (1 - Double(c.beta1)) * Double(g[$0]) * Double(c.gradientScale)
    }
    let second = (0..<count).map {
      let scaled = Double(g[$0]) * Double(c.gradientScale)
      return Double(c.beta2) * Double(v[$0]) + (1 - Double(c.beta2)) * scaled * scaled
    }
    let stepped = (0..<count).map {
      let denominator = second[$0].squareRoot() * Double(c.secondMomentCorrection) + Double(c.epsilon)
      return Double(theta[$0]) - Double(c.stepSize) * first[$0] / denominator
    }
    let gradient = g.array
    adamStep(parameters: theta, gradient: g, firstMoment: m, secondMoment: v, c)
    #expect(distance(m, first) < 3e-7)
    #expect(distance(v, second) < 3e-7)
    #expect(distance(theta, stepped) < 3e-7)
    #expect(g.array == gradient)
  }

  @Test(arguments: Array(1...40) + [1_000, 3_001])
  func `What is shown has the same bits, and nothing is written beside it`(count: Int) {
    let c = AdamCoefficients(
      gradientScale: 1 / 32, beta1: 0.9, beta2: 0.999, stepSize: 0.004, secondMomentCorrection: 7, epsilon: 1e-3)
    for keeping in [nil, 0.9] as [Float?] {
      func step(showing shown: Buffer<Float>?) -> [[UInt32]] {
        let buffers = (1...4).map { noise(count, seed: UInt64($0)) }
        for k in 0..<count { buffers[3][k] = abs(buffers[3][k]) }
        adamStep(
          parameters: buffers[0], gradient: buffers[1], firstMoment: buffers[2], secondMoment: buffers[3], c,
          keeping: keeping, showing: shown)
        return buffers.map(bits)
      }
      let room = Buffer<Float>(count: count + 5)
      room.fill(.infinity)
      let expected = step(showing: nil)
      #expect(step(showing: room[3..<3 + count]) == expected)
      #expect(bits(room[3..<3 + count]) == expected[0])
      #expect((room.array.prefix(3) + room.array.suffix(2)).allSatisfy { $0 == .infinity })
    }
  }

  /// The gaps between parameters stay zero for ever.
  @Test func zeroStaysZero() {
    let buffers = (0..<4).map { _ in Buffer<Float>(count: 21) }
    for _ in 0..<3 {
      adamStep(
        parameters: buffers[0], gradient: buffers[1], firstMoment: buffers[2], secondMoment: buffers[3],
        AdamCoefficients(
          gradientScale: 1, beta1: 0.9, beta2: 0.999, stepSize: 1, secondMomentCorrection: 1, epsilon: 1e-8))
    }
    #expect(buffers.allSatisfy { bits($0).allSatisfy { $0 == 0 } })
  }
}
