import Kernels
import ReductionReference
import Testing

@Suite struct DenseTests {
  // At 16 lanes 784, 48 and 1296 are odd numbers of vectors, the second of them the least. Beyond 1024 inputs forward takes them in
  // blocks of 256, of which 1296 leaves one vector and 1536 nothing.
  private static let sizes = [
    (32, 4), (64, 8), (96, 36), (784, 12), (512, 44), (48, 8), (32, 1000), (1296, 12), (1536, 8),
  ]

  @Test(arguments: sizes)
  func forward(inputs: Int, outputs: Int) {
    let w = noise(inputs * outputs, seed: 2)
    let b = noise(outputs, seed: 3)
    var alone: [Float] = []
    for samples in [1, 2, 3, 4, 5, 8, 31, 32] {
      let x = noise(samples * inputs, seed: 1)
      let y = filled(samples * outputs)
      let scratch = filled(denseForwardScratch(samples: samples, inputs: inputs, outputs: outputs))
      denseForward(x, weights: w, bias: b, into: y, samples: samples, scratch: scratch)
      var worst = 0.0
      for i in 0..<samples {
        for j in 0..<outputs {
          let exact = (0..<inputs).reduce(Double(b[j])) { $0 + Double(x[i * inputs + $1]) * Double(w[j * inputs + $1]) }
          worst = max(worst, abs(exact - Double(y[i * outputs + j])))
        }
      }
      #expect(worst < 2e-5)
      // The same sample first in every batch: its bits do not depend on the others.
      let first = y.prefix(outputs).array
      if alone.isEmpty { alone = first }
      #expect(zip(first, alone).count { $0 != $1 } == 0)
    }
  }

  @Test(arguments: sizes)
  func weightsGradient(inputs: Int, outputs: Int) {
    for samples in [1, 2, 7, 32] {
      let x = noise(samples * inputs, seed: 1)
      let g = noise(samples * outputs, seed: 4)
      let scratch = filled(denseWeightsGradientScratch(samples: samples, outputs: outputs))
      func add(into d: Buffer<Float>, _ accumulation: Accumulation) {
        denseWeightsGradient(
          g, input: x, into: d, samples: samples, microbatch: samples, scratch: scratch, accumulation)
      }
      let d = filled(inputs * outputs)
      add(into: d, .replace)
      var worst = 0.0
      for j in 0..<outputs {
        for k in 0..<inputs {
          let exact = (0..<samples).reduce(0.0) { $0 + Double(g[$1 * outputs + j]) * Double(x[$1 * inputs + k]) }
          worst = max(worst, abs(exact - Double(d[j * inputs + k])))
        }
      }
      #expect(worst < 5e-6)
      let held = noise(d.count, seed: 5)
      let added = Buffer(held.array)
      add(into: added, .add)
      #expect((0..<d.count).count { added[$0] != held[$0] + d[$0] } == 0)
    }
  }

  /// What one call gives for several microbatches is what the tree gives of a call for each.
  @Test(arguments: sizes)
  func severalMicrobatches(inputs: Int, outputs: Int) {
    for (samples, microbatch) in [(8, 4), (9, 4), (32, 8), (31, 8), (21, 3), (16, 1), (40, 16), (130, 32)] {
      let x = noise(samples * inputs, seed: 1)
      let g = noise(samples * outputs, seed: 4)
      let scratch = filled(denseWeightsGradientScratch(samples: samples, outputs: outputs))
      let leaves = stride(from: 0, to: samples, by: microbatch).map { start in
        let end = min(start + microbatch, samples)
        let d = filled(inputs * outputs)
        denseWeightsGradient(
          g[start * outputs..<end * outputs], input: x[start * inputs..<end * inputs], into: d, samples: end - start,
          microbatch: end - start, scratch: scratch, .replace)
        return d.array
      }
      let expected = LeafGradients(gradients: leaves).treeSum
      let held = noise(inputs * outputs, seed: 5)
      for accumulation in [Accumulation.replace, .add] {
        let d = Buffer(held.array)
        denseWeightsGradient(
          g, input: x, into: d, samples: samples, microbatch: microbatch, scratch: scratch, accumulation)
        let differing = expected.indices.count {
          d[$0] != (accumulation == .add ? held[$0] + expected[$0] : expected[$0])
        }
        #expect(differing == 0, "\(samples) samples in microbatches of \(microbatch)")
      }
    }
  }

  @Test(arguments: sizes)
  func inputGradient(inputs: Int, outputs: Int) {
    let w = noise(inputs * outputs, seed: 2)
    let scratch = filled(denseInputGradientScratch(outputs: outputs))
    var alone: [UInt32] = []
    for samples in [1, 3, 4, 6, 32] {
      let g = noise(samples * outputs, seed: 4)
      let d = filled(samples * inputs)
      denseInputGradient(g, weights: w, into: d, samples: samples, outputs: outputs, scratch: scratch)
      let expected = (0..<samples * inputs).map { at in
        let (i, k) = (at / inputs, at % inputs)
        return (0..<outputs).reduce(0.0) { $0 + Double(g[i * outputs + $1]) * Double(w[$1 * inputs + k]) }
      }
      #expect(distance(d, expected) < 5e-5)
      let first = bits(d.prefix(inputs))
      if alone.isEmpty { alone = first }
      #expect(first == alone)
    }
  }
}
