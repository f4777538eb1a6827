import Kernels
import Tensors

/// Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), gives the last state:
///
///     iₜ, fₜ, oₜ = σ(W xₜ + b + R hₜ₋₁),  gₜ = tanh(W xₜ + b + R hₜ₋₁), each with rows of its own
///     cₜ = fₜ · cₜ₋₁ + iₜ · gₜ
///     hₜ = oₜ · tanh(cₜ),  h₀ = c₀ = 0
///
/// Input `[steps, features]` → output `[units]`. Parameters, their rows those of i, f, g, o: `weights` W [4 · units, features],
/// `recurrent` R [4 · units, units] (both Glorot uniform), `bias` b [4 · units] (zero; Keras starts the forget gate's at 1). It computes what
/// PyTorch's `nn.LSTM` does with its second bias at zero.
///
///     Sequential([Reshape([28, 28]), LSTM(128), Dense(10)], input: [28, 28, 1], capacity: 32)
public struct LSTM: RecurrentSpecification {
  /// The size of the state, and of the cell.
  public let units: Int
  public var kind: String { "lstm" }
  public var gates: Int { 4 }
  public var title: String { "an LSTM" }

  /// A layer of `units` units, 1 or more.
  public init(_ units: Int) { self.units = units }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    LSTMLayer(try shape(for: input), capacity: capacity, needsInputGradient: needsInputGradient)
  }
}

private final class LSTMLayer: Layer {
  private let shape: RecurrentShape
  private let products: RecurrentProducts
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  /// Each step's sums, which its gates replace, [steps, samples, 4 · units], and the gradient of the sums.
  private let gates: StepRows
  private let sumsGradient: StepRows
  /// c and h before the first step and after each, [steps + 1, samples, units], and the gradient of one of them.
  private let cells: StepRows
  private let states: StepRows
  private let cellGradient: Buffer<Float>
  private let stateGradient: Buffer<Float>

  init(_ shape: RecurrentShape, capacity: Int, needsInputGradient: Bool) {
    self.shape = shape
    products = RecurrentProducts(shape, capacity: capacity, needsInputGradient: needsInputGradient)
    parameters = shape.parameters
    gates = StepRows(steps: shape.steps, capacity: capacity, width: shape.rows)
    sumsGradient = StepRows(steps: shape.steps, capacity: capacity, width: shape.rows)
    cells = StepRows(steps: shape.steps + 1, capacity: capacity, width: shape.units)
    states = StepRows(steps: shape.steps + 1, capacity: capacity, width: shape.units)
    cellGradient = Buffer(count: capacity * shape.units)
    stateGradient = Buffer(count: capacity * shape.units)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let samples = pass.samples
    products.projectInput(input, weights: parameters[0], into: gates, pass)
    products.beginForward(recurrent: parameters[1], pass)
    // A pass over fewer samples may have left some of its cells there.
    cells[0, samples: samples].fill(0)
    for step in 0..<shape.steps {
      let sums = gates[step, samples: samples]
      if step > 0 {
        products.projectState(step, of: states, into: sums, .add, pass)
      }
      lstmForward(
        sums, bias: parameters[2], cellBefore: cells[step, samples: samples], cell: cells[step + 1, samples: samples],
        state: states[step + 1, samples: samples])
    }
    output.copy(from: states[shape.steps, samples: samples])
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let samples = pass.samples
    let stateGradient = stateGradient.prefix(windows.outputGradient.count)
    let cellGradient = cellGradient.prefix(windows.outputGradient.count)
    stateGradient.copy(from: windows.outputGradient)
    cellGradient.fill(0)
    products.beginBackward(recurrent: windows.parameters[1], pass)
    for step in (0..<shape.steps).reversed() {
      let sumsGradient = sumsGradient[step, samples: samples]
      lstmBackward(
        gates[step, samples: samples], cellBefore: cells[step, samples: samples],
        cell: cells[step + 1, samples: samples], stateGradient: stateGradient, cellGradient: cellGradient,
        sumsGradient: sumsGradient, units: shape.units)
      if step > 0 {
        products.passBack(sumsGradient, into: stateGradient, .replace, pass)
      }
    }
    products.complete(
      windows, sumsGradient: sumsGradient, stateSumsGradient: sumsGradient, states: states, pass)
  }
}
