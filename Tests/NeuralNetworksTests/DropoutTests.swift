import NeuralNetworks
import Tensors
import Testing

@Suite struct DropoutTests {
  private func dropped(
    _ probability: Float, samples: Int, count: Int = 1000, noise: Noise = Noise(seed: 5, step: 3, firstPosition: 0)
  ) throws -> Buffer<Float> {
    let layer = try Dropout(probability).makeLayer(input: [count], capacity: samples, needsInputGradient: true)
    let input = Buffer<Float>(Array(repeating: 1, count: samples * count))
    let output = Buffer<Float>(count: input.count)
    layer.forward(input, Buffer(count: 0), into: output, Pass(samples: samples, noise: noise))
    // Backward multiplies by what forward did.
    let gradient = Buffer<Float>(count: input.count)
    layer.backward(
      input, input: input, output: output, parameters: Buffer(count: 0), into: gradient, gradient: Buffer(count: 0),
      .replace,
      Pass(samples: samples, noise: noise))
    #expect(gradient.array == output.array)
    return output
  }

  @Test(arguments: [0, 0.25, 0.5, 0.9] as [Float])
  func dropsAsOftenAsAskedAndKeepsTheMean(_ probability: Float) throws {
    let output = try dropped(probability, samples: 100).array
    let share = Double(output.count { $0 == 0 }) / Double(output.count)
    // Five deviations of 100,000 throws.
    #expect(abs(share - Double(probability)) < 5 * (0.25 / 100_000).squareRoot())
    #expect(output.allSatisfy { $0 == 0 || $0 == 1 / (1 - probability) })
  }

  @Test func evaluationChangesNothing() throws {
    let layer = try Dropout(0.5).makeLayer(input: [7], capacity: 2, needsInputGradient: true)
    let input = noise(14, seed: 1)
    let output = Buffer<Float>(count: 14)
    layer.forward(input, Buffer(count: 0), into: output, Pass(samples: 2))
    #expect(output.array == input.array)
  }

  /// What a sample loses follows from its place in the batch: not from the microbatch that it falls into.
  @Test func aCutOfTheBatchChangesNothing() throws {
    let whole = try dropped(0.5, samples: 6)
    for first in 0..<6 {
      let part = try dropped(0.5, samples: 1, noise: Noise(seed: 5, step: 3, firstPosition: first))
      #expect(part.array == whole[first * 1000..<(first + 1) * 1000].array)
    }
  }

  @Test func seedStepSampleAndLayerEachDecide() throws {
    let first = try dropped(0.5, samples: 2).array
    #expect(first != (try dropped(0.5, samples: 2, noise: Noise(seed: 6, step: 3, firstPosition: 0)).array))
    #expect(first != (try dropped(0.5, samples: 2, noise: Noise(seed: 5, step: 4, firstPosition: 0)).array))
    #expect(Array(first[0..<1000]) != Array(first[1000..<2000]))
    // Two dropouts of a half drop a half of the same values only if they throw the same dice.
    let two = try Sequential([Dropout(0.5), Dropout(0.5)], input: [1000], capacity: 1)
    let output = Buffer<Float>(count: 1000)
    two.forward(
      Buffer(Array(repeating: 1, count: 1000)), Buffer(count: 0), into: output,
      Pass(samples: 1, noise: Noise(seed: 5, step: 3, firstPosition: 0)))
    let kept = output.array.count { $0 != 0 }
    #expect(kept > 150 && kept < 350)
  }

  /// The two ways of a residual throw dice of their own, and so does what follows.
  @Test func theWaysOfAResidualDiffer() throws {
    let layers: [any LayerSpecification] = [Residual([Dropout(0.5)], shortcut: [Dropout(0.5)]), Dropout(0.5)]
    let ways = try Sequential(layers, input: [1000], capacity: 1)
    // The container, each way with its dropout, and the last dropout, in a container themselves.
    #expect(ways.placeCount == 1 + (1 + 2 + 2) + 1)
    let output = Buffer<Float>(count: 1000)
    ways.forward(
      Buffer(Array(repeating: 1, count: 1000)), Buffer(count: 0), into: output,
      Pass(samples: 1, noise: Noise(seed: 5, step: 3, firstPosition: 0)))
    // 0, 2 or 4 by the ways, then doubled or dropped.
    for (value, share) in [(0, 0.625), (4, 0.25), (8, 0.125)] as [(Float, Double)] {
      let count = Double(output.array.count { $0 == value })
      #expect(abs(count - 1000 * share) < 5 * (1000 * share * (1 - share)).squareRoot())
    }
  }
}
