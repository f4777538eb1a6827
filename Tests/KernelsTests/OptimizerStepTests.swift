import Kernels
import Testing

/// One step from any state, on whole lanes and the rest, against the same formulas in Double.
@Suite struct OptimizerStepTests {
  @Test(arguments: [1, 7, 8, 16, 19, 50])
  func adamWAgainstDouble(count: Int) {
    let c = AdamCoefficients(
      gradientScale: 1 / 32, beta1: 0.9, beta2: 0.999, stepSize: 0.004, secondMomentCorrection: 7, epsilon: 1e-3)
    let buffers = (1...4).map { noise(count, seed: $0) }
    let v = buffers[3]
    for k in 0..<count { v[k] = abs(v[k]) }
    let before = buffers.map { $0.array }
    adamStep(parameters: buffers[0], gradient: buffers[1], firstMoment: buffers[2], secondMoment: v, c, keeping: 0.75)
    let same = before.map { Buffer($0) }
    adamStep(parameters: same[0], gradient: same[1], firstMoment: same[2], secondMoment: same[3], c)
    for k in 1...3 { #expect(bits(buffers[k]) == bits(same[k])) }
    let expected = (0..<count).map { 0.75 * Double(before[0][$0]) - (Double(before[0][$0]) - Double(same[0][$0])) }
    #expect(distance(buffers[0], expected) < 1e-6)
  }

  @Test(arguments: [1, 7, 8, 16, 19, 50], [Float(0), 0.1])
  func gradientDescentAgainstDouble(count: Int, weightDecay: Float) {
    for (momentum, isNesterov) in [(nil, false), (0.9, false), (0.9, true)] as [(Float?, Bool)] {
      let (theta, g, b) = (noise(count, seed: 1), noise(count, seed: 2), noise(count, seed: 3))
      let gradient = g.array
      let c = SGDCoefficients(
        gradientScale: 0.25, weightDecay: weightDecay, momentum: momentum ?? 0, isNesterov: isNesterov, stepSize: 0.5)
      let slope = (0..<count).map { Double(g[$0]) * 0.25 + Double(weightDecay) * Double(theta[$0]) }
      let rest = Double(momentum ?? 0)
      let speed = (0..<count).map { rest * Double(b[$0]) + slope[$0] }
      let direction = (0..<count).map { isNesterov ? slope[$0] + rest * speed[$0] : speed[$0] }
      let expected = (0..<count).map { Double(theta[$0]) - 0.5 * direction[$0] }
      if momentum == nil {
        sgdStep(parameters: theta, gradient: g, c)
      } else {
        momentumStep(parameters: theta, gradient: g, momentum: b, c)
        #expect(distance(b, speed) < 3e-7)
      }
      #expect(distance(theta, expected) < 3e-7, "\(String(describing: momentum)) \(isNesterov)")
      #expect(g.array == gradient)
    }
  }

  /// A moment without a gradient shrinks by a tenth a step. It ends at zero and not among the numbers below 2⁻¹²⁶, which many
  /// processors multiply a hundred times slower; and afterwards such numbers are numbers again.
  @Test func momentsEndAtZero() {
    let count = 50
    let least = Float.leastNormalMagnitude
    let zeros = Buffer<Float>(count: count)
    func moments() -> Buffer<Float> { Buffer([Float](repeating: least, count: count)) }
    let adam = AdamCoefficients(
      gradientScale: 1, beta1: 0.9, beta2: 0.999, stepSize: 0.004, secondMomentCorrection: 7, epsilon: 1e-3)
    let kept = (0..<6).map { _ in moments() }
    adamStep(
      parameters: Buffer(count: count), gradient: zeros, firstMoment: kept[0], secondMoment: kept[1], adam)
    adamStep(
      parameters: Buffer(count: count), gradient: zeros, firstMoment: kept[2], secondMoment: kept[3], adam,
      keeping: 0.75)
    lambDirection(
      zeros, gradient: zeros, firstMoment: kept[4], secondMoment: kept[5], into: Buffer(count: count), adam,
      weightDecay: 0)
    let momentum = moments()
    momentumStep(
      parameters: Buffer(count: count), gradient: zeros, momentum: momentum,
      SGDCoefficients(gradientScale: 1, weightDecay: 0, momentum: 0.9, isNesterov: false, stepSize: 0.1))
    for moments in kept + [momentum] { #expect(bits(moments).allSatisfy { $0 == 0 }) }
    let half = [least].map { $0 / 2 }
    #expect(half[0] > 0)
  }

  /// An element's bits do not depend on whether it lies in a whole vector or in the rest: slices may be cut anywhere.
  @Test func anyCutMakesTheSameBits() {
    let count = 50
    let adam = AdamCoefficients(
      gradientScale: 1 / 3, beta1: 0.9, beta2: 0.999, stepSize: 0.004, secondMomentCorrection: 7, epsilon: 1e-3)
    let sgd = SGDCoefficients(gradientScale: 1 / 3, weightDecay: 0.3, momentum: 0.7, isNesterov: true, stepSize: 0.1)
    let steps: [(Buffer<Float>, Buffer<Float>, Buffer<Float>, Buffer<Float>) -> Void] = [
      { adamStep(parameters: $0, gradient: $1, firstMoment: $2, secondMoment: $3, adam) },
      { adamStep(parameters: $0, gradient: $1, firstMoment: $2, secondMoment: $3, adam, keeping: 0.9) },
      { theta, g, m, v in
        let direction = Buffer<Float>(count: theta.count)
        lambDirection(
          theta, gradient: g, firstMoment: m, secondMoment: v, into: direction, adam, weightDecay: 0.3)
        subtract(direction, times: 0.1, from: theta)
      },
      { theta, g, _, _ in sgdStep(parameters: theta, gradient: g, sgd) },
      { theta, g, b, _ in momentumStep(parameters: theta, gradient: g, momentum: b, sgd) },
    ]
    for step in steps {
      func stepped(_ cuts: [Int]) -> [[UInt32]] {
        let buffers = (1...4).map { noise(count, seed: $0) }
        for k in 0..<count { buffers[3][k] = abs(buffers[3][k]) }
        for (start, end) in zip(cuts, cuts.dropFirst()) {
          step(buffers[0][start..<end], buffers[1][start..<end], buffers[2][start..<end], buffers[3][start..<end])
        }
        return buffers.map(bits)
      }
      let whole = stepped([0, count])
      for cut in 1..<count { #expect(stepped([0, cut, count]) == whole, "cut at \(cut)") }
    }
  }
}
