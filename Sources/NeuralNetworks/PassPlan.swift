import Tensors

/// The number of a rank's microbatches in one pass of a model. Only the speed depends on it, not the bits.
///
/// A pass over several reads each weight, and writes each gradient, once for all of them. But it keeps more between
/// layers, which leaves the cache. So a net of dense layers takes several, and one with a convolution takes one at a
/// time.
public struct PassPlan: Sendable {
  /// The most microbatches of a pass: a power of two, so that they lie under one node of the reduction's tree.
  public let microbatches: Int
  /// The most samples of a pass.
  public let samples: Int

  /// The plan for `model` and microbatches of `microbatch` samples.
  public init(_ model: Model, microbatch: Int) {
    let planned = try? fusingNeighbours(of: model.layers, input: model.input, needsInputGradient: false)
    let takesSeveral = planned.map { allTakeSeveralMicrobatches($0, input: model.input) } ?? false
    var microbatches = 1
    while takesSeveral && microbatches < Pass.mostMicrobatches && 2 * microbatches <= Self.mostSamples / microbatch {
      microbatches *= 2
    }
    self.microbatches = microbatches
    samples = microbatches * microbatch
  }

  /// Measured on nets of 600,000 to 5 million weights: with more samples, the values between the layers cost more than
  /// is gained.
  private static let mostSamples = 128
}

/// Whether a pass over these planned layers may have several microbatches.
func allTakeSeveralMicrobatches(_ layers: [any LayerSpecification], input: Shape) -> Bool {
  var shape = input
  for layer in layers {
    guard layer.takesSeveralMicrobatches(for: shape), let next = try? layer.outputShape(for: shape) else {
      return false
    }
    shape = next
  }
  return true
}
