import Kernels
import Tensors

/// A recurrent layer (Elman 1990) with tanh: `hₜ = tanh(W xₜ + b + R hₜ₋₁)`, `h₀ = 0`, gives the last state.
///
/// Input `[steps, features]` → output `[units]`. Parameters: `weights` W [units, features], `recurrent` R [units, units] (both Glorot
/// uniform), `bias` b [units] (zero). It computes what PyTorch's `nn.RNN` does with its second bias at zero.
///
///     Sequential([Reshape([28, 28]), RNN(128), Dense(10)], input: [28, 28, 1], capacity: 32)
public struct RNN: RecurrentSpecification {
  /// The size of the state.
  public let units: Int
  public var kind: String { "rnn" }
  public var gates: Int { 1 }
  public var title: String { "an RNN" }

  /// A layer of `units` units, 1 or more.
  public init(_ units: Int) { self.units = units }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    RNNLayer(try shape(for: input), capacity: capacity, needsInputGradient: needsInputGradient)
  }
}

private final class RNNLayer: Layer {
  private let steps: Int
  private let products: RecurrentProducts
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  /// W x + R h of each step, [steps, samples, units], and the gradient of it.
  private let sums: StepRows
  private let sumsGradient: StepRows
  /// h before the first step and after each, [steps + 1, samples, units], and the gradient of one of them.
  private let states: StepRows
  private let stateGradient: Buffer<Float>

  init(_ shape: RecurrentShape, capacity: Int, needsInputGradient: Bool) {
    steps = shape.steps
    products = RecurrentProducts(shape, capacity: capacity, needsInputGradient: needsInputGradient)
    parameters = shape.parameters
    sums = StepRows(steps: steps, capacity: capacity, width: shape.rows)
    sumsGradient = StepRows(steps: steps, capacity: capacity, width: shape.rows)
    states = StepRows(steps: steps + 1, capacity: capacity, width: shape.units)
    stateGradient = Buffer(count: capacity * shape.units)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let samples = pass.samples
    products.projectInput(input, weights: parameters[0], into: sums, pass)
    products.beginForward(recurrent: parameters[1], pass)
    for step in 0..<steps {
      let sums = sums[step, samples: samples]
      if step > 0 {
        products.projectState(step, of: states, into: sums, .add, pass)
      }
      rnnForward(sums, bias: parameters[2], state: states[step + 1, samples: samples])
    }
    output.copy(from: states[steps, samples: samples])
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let samples = pass.samples
    let stateGradient = stateGradient.prefix(windows.outputGradient.count)
    stateGradient.copy(from: windows.outputGradient)
    products.beginBackward(recurrent: windows.parameters[1], pass)
    for step in (0..<steps).reversed() {
      let sumsGradient = sumsGradient[step, samples: samples]
      tanhGradient(stateGradient, output: states[step + 1, samples: samples], into: sumsGradient)
      if step > 0 {
        products.passBack(sumsGradient, into: stateGradient, .replace, pass)
      }
    }
    products.complete(
      windows, sumsGradient: sumsGradient, stateSumsGradient: sumsGradient, states: states, pass)
  }
}
