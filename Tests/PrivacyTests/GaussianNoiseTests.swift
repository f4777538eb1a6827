import Glibc
import Privacy
import Statistics
import Testing

@Suite struct GaussianNoiseTests {
  /// mpmath 1.4.1 with 40 digits on the words of the script in `PoissonSamplingTests`:
  ///
  ///     def normals(source, step, pair):
  ///         r, a = word(source, 41, step, 2 * pair), word(source, 41, step, 2 * pair + 1)
  ///         l = mp.sqrt(-2 * mp.log((mp.mpf(r) + .5) / 2**64))
  ///         t = (mp.mpf(a >> 12) + .5) / 2**52 * mp.pi / 4
  ///         x, y = l * mp.cos(t), l * mp.sin(t)
  ///         if a & 1: x, y = y, x
  ///         return (-x if a & 2 else x), (-y if a & 4 else y)
  @Test func goldenValues() {
    let large: UInt64 = 1 << 40 + 3
    let golden: [(source: Int, step: UInt64, element: UInt64, value: Double)] = [
      (0, 0, 0, 0.32830752918201342), (0, 1, 1, 0.26303207841818339), (0, 7, 12345, 0.1756302861076802),
      (0, large, 1 << 36 + 2, 0.71967295310010468), (0, large, 1 << 36 + 3, -1.4149631157523737),
      (0, 5, 99, -1.2215138171861019), (1, 0, 0, 0.50298391517628797), (1, 1, 1, 0.55771807802853987),
      (1, 7, 12345, 1.570898094243412), (1, large, 1 << 36 + 2, 0.81251167285243324),
      (1, large, 1 << 36 + 3, -0.4410010930242359), (1, 5, 99, 1.1587083374049115),
    ]
    for (source, step, element, value) in golden {
      let noise = GaussianNoise(source: sources[source])
      #expect(abs(noise.standardNormal(step: step, element: element) - value) < 1e-15, "\(step), \(element)")
    }
  }

  /// The transform against the C library's functions, at its ends and where its formula changes.
  @Test func transform() {
    var generator = SystemRandomNumberGenerator()
    let edges: [UInt64] = [0, 1, 1 << 63 - 1, 1 << 63, 0xB504_F333_F9DE_6483, 0xB504_F333_F9DE_6484, .max - 1, .max]
    for radius in edges + (0..<2000).map({ _ in generator.next() }) {
      for angle in edges + (0..<4).map({ _ in generator.next() }) {
        let pair = normalPair(radius: radius, angle: angle)
        let v = (Double(~radius) + 0.5) * 0x1p-64
        let length = (-2 * (radius >> 63 == 1 ? log1p(-v) : log((Double(radius) + 0.5) * 0x1p-64))).squareRoot()
        let theta = Double((angle >> 12) << 1 | 1) * 0x1p-53 * .pi / 4
        let (c, s) = (length * cos(theta), length * sin(theta))
        let (x, y) = angle & 1 == 0 ? (c, s) : (s, c)
        #expect(abs(pair.x - (angle & 2 == 0 ? x : -x)) <= 0x1p-50 * length)
        #expect(abs(pair.y - (angle & 4 == 0 ? y : -y)) <= 0x1p-50 * length)
      }
    }
    let (largest, least) = (normalPair(radius: 0, angle: 0), normalPair(radius: .max, angle: 0))
    #expect(abs(largest.x - 9.4926) < 1e-4 && abs(least.x - 2.3283e-10) < 1e-14)
  }

  private func draws(_ source: Int, _ count: Int, step: UInt64) -> [Double] {
    let noise = GaussianNoise(source: sources[source])
    return (0..<count).map { noise.standardNormal(step: step, element: UInt64($0)) }
  }

  /// Distribution, moments, tails and independence of neighbours.
  @Test(arguments: sources.indices)
  func numbersAreNormal(_ source: Int) {
    let count = 200_000
    let values = draws(source, count, step: 3)
    #expect(normalDistance(values) < 2.6)
    #expect(normalDistance(stride(from: 1, to: count, by: 2).map { values[$0] }) < 2.6)
    func mean(_ term: (Int) -> Double) -> Double { (0..<count).reduce(0) { $0 + term($1) } / Double(count) }
    // Each bound is five deviations: those of x, x², x³, x⁴ and of products are 1, √2, √15, √96 and 1, over √n.
    let unit = 5 / Double(count).squareRoot()
    #expect(abs(mean { values[$0] }) < unit)
    #expect(abs(mean { pow(values[$0], 2) } - 1) < 2.0.squareRoot() * unit)
    #expect(abs(mean { pow(values[$0], 3) }) < 15.0.squareRoot() * unit)
    #expect(abs(mean { pow(values[$0], 4) } - 3) < 96.0.squareRoot() * unit)
    let next = draws(source, count, step: 4)
    for lag in 1...8 { #expect(abs(mean { values[$0] * values[($0 + lag) % count] }) < unit) }
    #expect(abs(mean { values[$0] * next[$0] }) < unit)
    // The squares of the two of a pair are independent too.
    #expect(abs(mean { (pow(values[$0], 2) - 1) * (pow(values[$0 ^ 1], 2) - 1) }) < 2 * unit * 2.0.squareRoot())
    for bound in [2.0, 3, 4] {
      let expected = 2 * normalProbability(below: -bound) * Double(count)
      #expect(abs(Double(values.count { abs($0) > bound }) - expected) < 5 * expected.squareRoot())
    }
  }

  /// Values of noise in equally likely cells, as a vector gets it.
  @Test(arguments: sources.indices)
  func addedNoiseIsNormal(_ source: Int) {
    let count = 100_000
    var vector = [Float](repeating: 7, count: count)
    GaussianNoise(source: sources[source]).add(to: &vector, standardDeviation: 0.3, step: 1)
    let values = vector.map { (Double($0) - 7) / 0.3 }
    #expect(normalDistance(values) < 2.6)
    var cells = [Int](repeating: 0, count: 64)
    for value in values { cells[min(63, Int(normalProbability(below: value) * 64))] += 1 }
    let test = chiSquare(cells, expected: [Double](repeating: Double(count) / 64, count: 64))
    #expect(test.statistic < test.bound)
  }

  /// Any cut of a vector over ranks has the same bits, and those of the formula.
  @Test(arguments: sources.indices)
  func slicesAgree(_ source: Int) {
    let noise = GaussianNoise(source: sources[source])
    let vector = (0..<101).map { Float($0) - 50.25 }
    var whole = vector
    noise.add(to: &whole, standardDeviation: 1.5, step: 9, offset: 1000)
    for (k, value) in whole.enumerated() {
      let sum = Double(vector[k]) + 1.5 * noise.standardNormal(step: 9, element: UInt64(1000 + k))
      #expect(value == Float((sum * 0x1p20).rounded(.toNearestOrEven) * 0x1p-20))
    }
    for cuts in [[0, 1, 2, 101], [0, 50, 101], [0, 33, 33, 34, 67, 101], Array(0...101)] {
      var joined: [Float] = []
      for (start, end) in zip(cuts, cuts.dropFirst()) {
        var slice = Array(vector[start..<end])
        noise.add(to: &slice, standardDeviation: 1.5, step: 9, offset: UInt64(1000 + start))
        joined += slice
      }
      #expect(joined == whole)
    }
    var other = vector
    noise.add(to: &other, standardDeviation: 1.5, step: 10, offset: 1000)
    #expect(zip(other, whole).allSatisfy { $0 != $1 })
  }

  /// The sums lie on one grid, whatever the values: their lowest bits say nothing.
  @Test(arguments: [1e-6, 0.7, 1, 1.99, 3e4])
  func sumsLieOnAGrid(deviation: Double) {
    let noise = GaussianNoise(source: .secret(SecretKey()))
    let spacing = exp2((log2(deviation)).rounded(.down) - 20)
    for scale in [0, 1e-5, 0.1, 1] as [Float] {
      var vector = (0..<200).map { scale * Float(deviation) * (Float($0) / 3 - 20) }
      noise.add(to: &vector, standardDeviation: deviation, step: 2)
      for value in vector {
        let multiple = Double(value) / spacing
        #expect(multiple == multiple.rounded())
      }
    }
  }

  @Test func edges() {
    let noise = GaussianNoise(source: sources[0])
    var vector: [Float] = [1.1, .nan, .infinity, -3e38]
    noise.add(to: &vector, standardDeviation: 0, step: 1)
    #expect(vector[0] == 1.1 && vector[3] == -3e38)
    noise.add(to: &vector, standardDeviation: 1, step: 1)
    #expect(vector[1].isNaN && vector[2] == .infinity && vector[3] == -3e38)
    var empty: [Float] = []
    noise.add(to: &empty, standardDeviation: 1, step: 1, offset: 7)
    #expect(empty.isEmpty)
  }
}
