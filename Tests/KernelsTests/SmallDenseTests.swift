import Kernels
import Testing

/// The dense layer of few outputs against three plain loops in Double.
@Suite struct SmallDenseTests {
  /// Odd and even numbers of lanes; 86 lanes are one block of weights, so that 87 and 259 leave a rest of one and of an odd number.
  private static let inputs = [1, 2, 3, 4, 5, 87, 259].map { $0 * laneCount }
  private static let samples = [1, 2, 3, 4, 5, 8, 31, 32, 33]

  @Test(arguments: 1...12)
  func forward(outputs: Int) {
    for inputs in Self.inputs {
      for samples in Self.samples {
        let x = noise(samples * inputs, seed: 1)
        let w = noise(outputs * inputs, seed: 2)
        let b = noise(outputs, seed: 3)
        let y = filled(samples * outputs)
        smallDense(
          x, weights: w, bias: b, into: y, samples: samples, scratch: filled(samples * outputs * laneCount))
        let expected = (0..<samples * outputs).map { at in
          let (i, j) = (at / outputs, at % outputs)
          return (0..<inputs).reduce(Double(b[j])) { $0 + Double(x[i * inputs + $1]) * Double(w[j * inputs + $1]) }
        }
        // Sums of up to 4144 products of numbers below 1, in 16 chains or more.
        #expect(distance(y, expected) < 2e-5, "\(samples) × \(inputs)")
      }
    }
  }

  @Test(arguments: 1...12)
  func weightsGradient(outputs: Int) {
    for inputs in Self.inputs.prefix(5) {
      for samples in Self.samples {
        let x = noise(samples * inputs, seed: 1)
        let g = noise(samples * outputs, seed: 2)
        let d = filled(outputs * inputs)
        let b = filled(outputs)
        smallDenseWeightsGradient(g, input: x, into: d, bias: b, samples: samples, .replace)
        let expected = (0..<outputs * inputs).map { at in
          let (j, k) = (at / inputs, at % inputs)
          return (0..<samples).reduce(0.0) { $0 + Double(g[$1 * outputs + j]) * Double(x[$1 * inputs + k]) }
        }
        #expect(distance(d, expected) < 5e-6, "\(samples) × \(inputs)")
        let bias = (0..<outputs).map { j in (0..<samples).reduce(0.0) { $0 + Double(g[$1 * outputs + j]) } }
        #expect(distance(b, bias) < 5e-6, "\(samples) × \(inputs)")
      }
    }
  }

  @Test(arguments: 1...12)
  func inputGradient(outputs: Int) {
    for inputs in Self.inputs.prefix(5) {
      for samples in Self.samples {
        let w = noise(outputs * inputs, seed: 1)
        let g = noise(samples * outputs, seed: 2)
        let d = filled(samples * inputs)
        smallDenseInputGradient(g, weights: w, into: d, samples: samples, outputs: outputs)
        let expected = (0..<samples * inputs).map { at in
          let (i, k) = (at / inputs, at % inputs)
          return (0..<outputs).reduce(0.0) { $0 + Double(g[i * outputs + $1]) * Double(w[$1 * inputs + k]) }
        }
        #expect(distance(d, expected) < 3e-6, "\(samples) × \(inputs)")
      }
    }
  }

  /// A sample's output is a function of that sample alone, to the bit: evaluation may slice the data as it likes.
  @Test func companyDoesNotChangeBits() {
    let (inputs, outputs) = (87 * laneCount, 10)
    let x = noise(33 * inputs, seed: 1)
    let w = noise(outputs * inputs, seed: 2)
    let b = noise(outputs, seed: 3)
    let together = filled(33 * outputs)
    smallDense(x, weights: w, bias: b, into: together, samples: 33, scratch: filled(33 * outputs * laneCount))
    for i in 0..<33 {
      let alone = filled(outputs)
      smallDense(
        x[i * inputs..<(i + 1) * inputs], weights: w, bias: b, into: alone, samples: 1,
        scratch: filled(outputs * laneCount))
      #expect(bits(alone) == bits(together[i * outputs..<(i + 1) * outputs]))
    }
  }
}
