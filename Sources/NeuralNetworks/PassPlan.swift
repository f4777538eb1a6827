import Tensors

/// How many of a rank's microbatches one pass of a model takes. The bits do not depend on it: only the speed does.
///
/// A pass over several reads each weight, and writes each gradient, once for all of them; but what it keeps between layers is larger,
/// and leaves the cache. So a net of dense layers takes several, and one with a convolution goes on one by one.
public struct PassPlan: Sendable {
  /// The most microbatches of a pass: a power of two, so that they lie under one node of the reduction's tree.
  public let microbatches: Int
  /// The most samples of a pass.
  public let samples: Int

  /// Of `model`, for microbatches of `microbatch` samples.
  public init(_ model: Model, microbatch: Int) {
    let planned = try? fused(model.layers, input: model.input, needsInputGradient: false)
    let takesSeveral = planned.map { allTakeSeveralMicrobatches($0, input: model.input) } ?? false
    var microbatches = 1
    while takesSeveral && microbatches < Pass.mostMicrobatches && 2 * microbatches <= Self.mostSamples / microbatch {
      microbatches *= 2
    }
    self.microbatches = microbatches
    samples = microbatches * microbatch
  }

  /// Measured on nets of 600,000 to 5 million weights: with more samples what lies between the layers costs more than is gained.
  private static let mostSamples = 128
}

/// Whether a pass over these planned layers may be of several microbatches.
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
