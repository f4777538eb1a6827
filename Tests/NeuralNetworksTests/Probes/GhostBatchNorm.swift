import Kernels
import NeuralNetworks
import Tensors

/// A probe of the protocol: batch normalisation of `[…, channels]` that normalises each microbatch by itself.
///
/// Its running statistics lie in the parameter block, so that checkpoints, broadcasts and digests have them; in the gradient
/// block their place carries the microbatch's statistics times its samples, so that the tree sums them and the division by
/// the batch's samples makes the batch's average. Whoever steps the parameters must move these towards that average instead
/// of against a gradient.
struct GhostBatchNorm: LayerSpecification {
  static let statistics: Set = ["runningMean", "runningVariance"]
  var kind: String { "batchnorm" }

  func outputShape(for input: Shape) throws -> Shape { input }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    GhostBatchNormLayer(positions: input.count / input[input.rank - 1], channels: input[input.rank - 1], capacity)
  }
}

private final class GhostBatchNormLayer: Layer {
  private let positions: Int
  private let channels: Int
  let parameters: [ParameterSpecification]
  private let normalised: Buffer<Float>
  private let mean: Buffer<Float>
  private let variance: Buffer<Float>
  private let epsilon: Float = 1e-5

  init(positions: Int, channels: Int, _ capacity: Int) {
    self.positions = positions
    self.channels = channels
    parameters = ["scale", "shift", "runningMean", "runningVariance"].map {
      ParameterSpecification(name: $0, shape: [channels], initialiser: .zeros, role: .bias)
    }
    normalised = Buffer(count: capacity * positions * channels)
    mean = Buffer(count: channels)
    variance = Buffer(count: channels)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let (scale, shift) = (parameters[0], parameters[1])
    if pass.isTraining {
      let rows = pass.samples * positions
      for c in 0..<channels {
        let values = (0..<rows).lazy.map { input[$0 * self.channels + c] }
        let average = values.reduce(0, +) / Float(rows)
        mean[c] = average
        variance[c] = values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Float(rows)
      }
    } else {
      mean.copy(from: parameters[2])
      variance.copy(from: parameters[3])
    }
    for at in 0..<input.count {
      let c = at % channels
      normalised[at] = (input[at] - mean[c]) / (variance[c] + epsilon).squareRoot()
      output[at] = scale[c] * normalised[at] + shift[c]
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let rows = pass.samples * positions
    for c in 0..<channels {
      var (sum, product) = (Float(0), Float(0))
      for row in 0..<rows {
        let at = row * channels + c
        sum += windows.outputGradient[at]
        product += windows.outputGradient[at] * normalised[at]
      }
      let sums = [product, sum, mean[c] * Float(pass.samples), variance[c] * Float(pass.samples)]
      for (place, value) in sums.enumerated() { windows.gradient.complete(place, at: c, with: value) }
      guard let inputGradient = windows.inputGradient else { continue }
      let factor = windows.parameters[0][c] / (variance[c] + epsilon).squareRoot()
      for row in 0..<rows {
        let at = row * channels + c
        inputGradient[at] = factor * (windows.outputGradient[at] - (sum + normalised[at] * product) / Float(rows))
      }
    }
  }
}
