import Kernels
import Tensors

/// Gated recurrent unit (Cho et al. 2014) with the reset gate behind the product, as in cuDNN and PyTorch; gives the last state:
///
///     rₜ, zₜ = σ(W xₜ + b + R hₜ₋₁),  nₜ = tanh(W xₜ + b + rₜ · (R hₜ₋₁)), each with rows of its own
///     hₜ = (1 − zₜ) · nₜ + zₜ · hₜ₋₁,  h₀ = 0
///
/// Input `[steps, features]` → output `[units]`. Parameters, their rows those of r, z, n: `weights` W [3 · units, features],
/// `recurrent` R [3 · units, units] (both Glorot uniform), `bias` b [3 · units] (zero). It computes what PyTorch's `nn.GRU` does with its
/// second bias at zero.
///
///     Sequential([Reshape([28, 28]), GRU(128), Dense(10)], input: [28, 28, 1], capacity: 32)
public struct GRU: RecurrentSpecification {
  /// The size of the state.
  public let units: Int
  public var kind: String { "gru" }
  public var gates: Int { 3 }
  public var title: String { "a GRU" }
  /// Those of r and z: r multiplies the second bias of n.
  public var addableBiases: Int { 2 * units }

  /// A layer of `units` units, 1 or more.
  public init(_ units: Int) { self.units = units }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    GRULayer(try shape(for: input), capacity: capacity, needsInputGradient: needsInputGradient)
  }
}

private final class GRULayer: Layer {
  private let shape: RecurrentShape
  private let products: RecurrentProducts
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  /// Each step's W x, which its gates replace, [steps, samples, 3 · units], and the gradient of W x.
  private let gates: StepRows
  private let sumsGradient: StepRows
  /// R h of one step [samples, 3 · units], what n has of it in each [steps, samples, units], and the gradient of R h in each
  /// [steps, samples, 3 · units].
  private let stateSums: Buffer<Float>
  private let candidateSums: StepRows
  private let stateSumsGradient: StepRows
  /// h before the first step and after each, [steps + 1, samples, units], and the gradient of one of them.
  private let states: StepRows
  private let stateGradient: Buffer<Float>

  init(_ shape: RecurrentShape, capacity: Int, needsInputGradient: Bool) {
    self.shape = shape
    products = RecurrentProducts(shape, capacity: capacity, needsInputGradient: needsInputGradient)
    parameters = shape.parameters
    gates = StepRows(steps: shape.steps, capacity: capacity, width: shape.rows)
    sumsGradient = StepRows(steps: shape.steps, capacity: capacity, width: shape.rows)
    stateSums = Buffer(count: capacity * shape.rows)
    candidateSums = StepRows(steps: shape.steps, capacity: capacity, width: shape.units)
    stateSumsGradient = StepRows(steps: shape.steps, capacity: capacity, width: shape.rows)
    states = StepRows(steps: shape.steps + 1, capacity: capacity, width: shape.units)
    stateGradient = Buffer(count: capacity * shape.units)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let samples = pass.samples
    products.projectInput(input, weights: parameters[0], into: gates, pass)
    products.beginForward(recurrent: parameters[1], pass)
    // A pass over fewer samples may have left some of its states there.
    states[0, samples: samples].fill(0)
    let stateSums = stateSums.prefix(samples * shape.rows)
    stateSums.fill(0)
    for step in 0..<shape.steps {
      if step > 0 {
        products.projectState(step, of: states, into: stateSums, .replace, pass)
      }
      gruForward(
        gates[step, samples: samples], bias: parameters[2], stateSums: stateSums,
        candidateSums: candidateSums[step, samples: samples], stateBefore: states[step, samples: samples],
        state: states[step + 1, samples: samples])
    }
    output.copy(from: states[shape.steps, samples: samples])
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let samples = pass.samples
    let stateGradient = stateGradient.prefix(windows.outputGradient.count)
    stateGradient.copy(from: windows.outputGradient)
    products.beginBackward(recurrent: windows.parameters[1], pass)
    for step in (0..<shape.steps).reversed() {
      let stateSumsGradient = stateSumsGradient[step, samples: samples]
      gruBackward(
        gates[step, samples: samples], candidateSums: candidateSums[step, samples: samples],
        stateBefore: states[step, samples: samples], stateGradient: stateGradient,
        sumsGradient: sumsGradient[step, samples: samples], stateSumsGradient: stateSumsGradient, units: shape.units)
      if step > 0 {
        products.passBack(stateSumsGradient, into: stateGradient, .add, pass)
      }
    }
    products.complete(
      windows, sumsGradient: sumsGradient, stateSumsGradient: stateSumsGradient, states: states, pass)
  }
}
