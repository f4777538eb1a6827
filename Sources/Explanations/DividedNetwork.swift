import NeuralNetworks
import Tensors

/// A network cut in two behind a layer, so that the layer's output and the score's gradient by it can be seen.
final class DividedNetwork {
  /// The shape of the layer's output.
  let shape: Shape
  private let network: ExplainedNetwork
  private let front: Sequential
  /// nil if no layer behind computes anything.
  private let back: Sequential?
  private let frontLayout: ParameterLayout
  private let backLayout: ParameterLayout
  private let unused: Buffer<Float>

  /// `network` cut behind the layer at `place` among its layers, which must compute something.
  init(_ network: ExplainedNetwork, behind place: Int) throws {
    let layers = try network.layers()
    shape = layers[place].output
    self.network = network
    front = try Sequential(
      layers[...place].map(\.specification), input: network.model.input, capacity: 1, needsInputGradient: false)
    let rest = layers[(place + 1)...]
    back =
      rest.allSatisfy(\.isRenaming)
      ? nil : try Sequential(rest.map(\.specification), input: shape, capacity: 1, needsInputGradient: true)
    frontLayout = ParameterLayout(front.parameters)
    backLayout = ParameterLayout(back?.parameters ?? [])
    unused = Buffer(count: backLayout.count)
    precondition(frontLayout.count + backLayout.count == network.parameters.count, "parameters of a network cut in two")
  }

  /// The layer's output for `input`, [shape], and ∂score/∂output.
  func activation(of input: Buffer<Float>, target: Int) -> (values: Buffer<Float>, gradient: Buffer<Float>) {
    let pass = Pass(samples: 1)
    let (values, gradient) = (Buffer<Float>(count: shape.count), Buffer<Float>(count: shape.count))
    front.forward(input, ParameterBlock(network.parameters.prefix(frontLayout.count), frontLayout), into: values, pass)
    guard let back else {
      _ = network.seed(values, target, network.score, gradient: gradient)
      return (values, gradient)
    }
    let own = network.parameters[frontLayout.count..<network.parameters.count]
    let parameters = ParameterBlock(own, backLayout)
    let (outputs, outputGradient) = (
      Buffer<Float>(count: network.loss.outputs), Buffer<Float>(count: network.loss.outputs)
    )
    back.forward(values, parameters, into: outputs, pass)
    _ = network.seed(outputs, target, network.score, gradient: outputGradient)
    back.backward(
      BackwardWindows(
        outputGradient: outputGradient, input: values, output: outputs, parameters: parameters, inputGradient: gradient,
        gradient: GradientBlock(unused, backLayout, .replace)), pass)
    return (values, gradient)
  }
}
