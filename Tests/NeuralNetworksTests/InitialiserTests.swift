import NeuralNetworks
import Tensors
import Testing

/// Parameters start as Keras starts them, by a function of the seed and the parameter's index alone.
@Suite struct InitialiserTests {
  private func article(seed: UInt64, capacity: Int = 1) throws -> (ParameterLayout, Buffer<Float>) {
    let network = try Network(
      Model.named("article", input: [28, 28, 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10),
      capacity: capacity)
    let parameters = Buffer<Float>(count: network.layout.count)
    // Whatever was there before must not matter, except in the gaps, which stay zero for ever.
    for range in network.layout.ranges { parameters[range].fill(.nan) }
    network.initialise(parameters, seed: seed)
    return (network.layout, parameters)
  }

  @Test func dependsOnTheSeedAlone() throws {
    let first = bits(try article(seed: 0).1)
    let again = try bits(article(seed: 0, capacity: 65).1)
    let others = try [1, 1 << 32].map { try bits(article(seed: $0).1) }
    // Compared outside #expect, which would work out the difference of two long arrays for minutes.
    let isSame = again == first
    let differ = !others.contains(first)
    #expect(isSame)
    #expect(differ)
  }

  /// Pinned, because runs are compared across machines and resumed across versions. The script that made the numbers, from the
  /// generator's paper and Glorot & Bengio's formula:
  ///
  ///     import numpy as np
  ///     f = np.float32
  ///     def first(seed, purpose, stream, limit):      # Salmon et al. 2011; three floats of the first block
  ///         c, k, mask = [0, purpose, stream, 0], [seed, 0], 0xFFFFFFFF
  ///         for _ in range(10):
  ///             a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
  ///             c = [(b >> 32) ^ c[1] ^ k[0], b & mask, (a >> 32) ^ c[3] ^ k[1], a & mask]
  ///             k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
  ///         return [(f(2) * f((w >> 8) * 2.0**-24) - f(1)) * limit for w in c[:3]]
  ///     for seed, index, inputs, outputs in (0, 0, 9, 288), (0, 2, 5408, 10), (1, 0, 9, 288):
  ///         print(*first(seed, 1, index, np.sqrt(f(6) / f(inputs + outputs))))
  @Test func firstValuesStayWhatTheyAre() throws {
    let (layout, parameters) = try article(seed: 0)
    #expect(parameters[layout.ranges[0]].array.prefix(3) == [-0.023523696, 0.117858045, -0.013722595])
    #expect(parameters[layout.ranges[2]].array.prefix(3) == [-0.032729916, -0.020961966, -0.017769592])
    #expect(try article(seed: 1).1.array.prefix(3) == [0.0036087309, -0.103977926, -0.10308028])
  }

  @Test func glorotUniform() throws {
    let (layout, parameters) = try article(seed: 3)
    // √(6 / (9·1 + 9·32)) and √(6 / (5408 + 10)).
    for (index, limit) in [(0, 0.142134), (2, 0.033278)] {
      let values = parameters[layout.ranges[index]].array.map(Double.init)
      let count = Double(values.count)
      let largest = values.map(abs).max() ?? 0
      #expect(largest <= limit * 1.00001 && largest > limit * 0.97)
      // Five deviations of the mean of uniform numbers, and of the mean of their squares.
      #expect(abs(values.reduce(0, +) / count) < 5 * limit / (3 * count).squareRoot())
      let square = values.reduce(0) { $0 + $1 * $1 } / count
      #expect(abs(square - limit * limit / 3) < 5 * limit * limit * (4 / (45 * count)).squareRoot())
    }
    for index in [1, 3] { #expect(parameters[layout.ranges[index]].array.allSatisfy { $0 == 0 }) }
    // Two parameters of one shape differ by their index.
    let pair = [0, 1].map { index in
      let values = Buffer<Float>(count: 20)
      Initialiser.glorotUniform(fanIn: 4, fanOut: 5).fill(values, seed: 3, index: index)
      return bits(values)
    }
    #expect(pair[0] != pair[1])
  }

  @Test func ones() {
    let values = Buffer<Float>(count: 5)
    Initialiser.ones.fill(values, seed: 1, index: 2)
    #expect(values.array == [1, 1, 1, 1, 1])
  }

  /// Pinned as the uniform numbers are; after that script's functions, the first block's four words w:
  ///
  ///     for seed, index in (0, 0), (5, 3):
  ///         u = [(v >> 8) * 2.0**-24 for v in w]
  ///         for i in (0, 2):
  ///             r, a = float(f(0.02)) * math.sqrt(-2 * math.log(1 - u[i])), 2 * math.pi * u[i + 1]
  ///             print(f(r * math.cos(a)), f(r * math.sin(a)))
  @Test func normal() {
    let values = Buffer<Float>(count: 20_001)
    Initialiser.normal(deviation: 0.02).fill(values, seed: 0, index: 0)
    #expect(values.array.prefix(4) == [0.017863596, -0.010624825, 0.021577127, 0.0039003063])
    let odd = Buffer<Float>(count: 3)
    Initialiser.normal(deviation: 0.02).fill(odd, seed: 5, index: 3)
    #expect(odd.array == [0.027848419, -0.023440236, -0.013270034])
    // Five deviations of the mean, of the mean square, and of the share beyond two deviations.
    let scaled = values.array.map { Double($0) / 0.02 }
    let count = Double(scaled.count)
    #expect(abs(scaled.reduce(0, +) / count) < 5 / count.squareRoot())
    #expect(abs(scaled.reduce(0) { $0 + $1 * $1 } / count - 1) < 5 * (2 / count).squareRoot())
    let far = Double(scaled.count { abs($0) > 2 }) / count
    #expect(abs(far - 0.0455) < 5 * (0.0455 * 0.9545 / count).squareRoot())
  }
}
