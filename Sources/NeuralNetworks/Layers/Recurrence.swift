import Kernels
import Tensors

/// The sizes of a recurrent layer over `[steps, features]`, and what follows from them.
///
/// Parameters: `weights` [gates · units, features] and `recurrent` [gates · units, units], both Glorot uniform, and `bias` [gates · units],
/// zero, those of an LSTM's forget gate too. PyTorch has them under the names weight_ih, weight_hh and bias_ih, and a second bias, bias_hh,
/// which is left out here: where it is not the candidate's of a GRU it would only be added to the first.
struct RecurrentShape {
  let steps: Int
  let features: Int
  let units: Int
  let gates: Int
  /// The rows of the weights: all gates' units.
  var rows: Int { gates * units }

  /// Throws where `input` is not [steps, features]; `name` is that of the layer, with its article.
  init(_ name: String, input: Shape, units: Int, gates: Int) throws {
    guard input.rank == 2, input[0] >= 1, input[1] >= 1 else {
      throw ModelError("\(name) cannot take input of shape \(input): it takes [steps, features]")
    }
    (steps, features) = (input[0], input[1])
    self.units = units
    self.gates = gates
  }

  /// The products, a multiply-add counting as two. The first step has no product with the state, which is zero.
  func trainingOperations(needsInputGradient: Bool) -> Int {
    2 * rows * ((needsInputGradient ? 3 : 2) * steps * features + 3 * (steps - 1) * units)
  }

  var learntCount: Double { Double(gates) * Double(units) * (Double(features) + Double(units) + 1) }

  var parameters: [ParameterSpecification] {
    [
      ParameterSpecification(
        name: "weights", shape: [rows, features], initialiser: .glorotUniform(fanIn: features, fanOut: rows)),
      ParameterSpecification(
        name: "recurrent", shape: [rows, units], initialiser: .glorotUniform(fanIn: units, fanOut: rows)),
      ParameterSpecification(name: "bias", shape: [rows], initialiser: .zeros, role: .bias),
    ]
  }
}

/// What a recurrent layer keeps of every step: [steps, samples, width], so that the rows of a step, and of several, are one matrix.
struct StepRows {
  private let values: Buffer<Float>
  private let width: Int

  /// Makes the buffer for up to `capacity` samples.
  init(steps: Int, capacity: Int, width: Int) {
    values = Buffer(count: steps * capacity * width)
    self.width = width
  }

  /// The rows of one step, [samples, width].
  subscript(step: Int, samples samples: Int) -> Buffer<Float> { self[step..<step + 1, samples: samples] }

  /// The rows of some steps, [steps · samples, width].
  subscript(steps: Range<Int>, samples samples: Int) -> Buffer<Float> {
    values[steps.lowerBound * samples * width..<steps.upperBound * samples * width]
  }
}

/// The products of a recurrent layer, those over time each as one. A layer has its gates' kernel between them.
///
/// Legend: x input · W weights · R recurrent · h state · a the gates' sums of a step, `x · Wᵀ + h · Rᵀ`.
final class RecurrentProducts {
  let shape: RecurrentShape
  /// x in the order of steps, and its gradient, of no floats where nobody asks for it.
  private let inputs: StepRows
  private let inputsGradient: Buffer<Float>
  /// The weights, laid out forward and backward, and the recurrent ones likewise, for the products of all steps.
  private var packedWeights: LaidOutWeights
  private var packedWeightsBackward: LaidOutWeights
  private var recurrentForward: LaidOutWeights
  private var recurrentBackward: LaidOutWeights
  /// h before the first step and after each, rounded, in passes of less than single precision.
  private lazy var roundedStates = StepRows(steps: shape.steps + 1, capacity: capacity, width: shape.units)
  private let capacity: Int
  /// The steps' x, h and gradients of sums.
  private let factor: PairedFactor
  /// Room for every step's x or h laid out, for the gradients of the weights.
  private let packedRows: PackedMatrix

  init(_ shape: RecurrentShape, capacity: Int, needsInputGradient: Bool) {
    self.shape = shape
    self.capacity = capacity
    factor = PairedFactor(
      rows: shape.steps * capacity, columns: max(shape.features, shape.units, shape.rows))
    inputs = StepRows(steps: shape.steps, capacity: capacity, width: shape.features)
    inputsGradient = Buffer(count: needsInputGradient ? shape.steps * capacity * shape.features : 0)
    recurrentForward = LaidOutWeights(rows: shape.units, columns: shape.rows)
    recurrentBackward = LaidOutWeights(rows: shape.rows, columns: shape.units)
    packedWeights = LaidOutWeights(rows: shape.features, columns: shape.rows)
    packedWeightsBackward = LaidOutWeights(rows: needsInputGradient ? shape.rows : 0, columns: shape.features)
    packedRows = PackedMatrix(rows: shape.steps * capacity, columns: max(shape.features, shape.units))
  }

  /// Every step's x · Wᵀ into `sums`.
  func projectInput(_ input: Buffer<Float>, weights: Buffer<Float>, into sums: StepRows, _ pass: Pass) {
    let samples = pass.samples
    let (steps, rows) = (0..<shape.steps, shape.steps * samples)
    let ordered = inputs[steps, samples: samples]
    swapAxes(input, into: ordered, outer: samples, inner: shape.steps, width: shape.features)
    packedWeights.take(Matrix(weights, rows: shape.rows, columns: shape.features).transposed, pass)
    factor.multiply(
      Matrix(ordered, rows: rows, columns: shape.features), packedWeights.matrix,
      into: Matrix(sums[steps, samples: samples], rows: rows, columns: shape.rows))
  }

  /// Lays R out for ``projectState(_:of:into:_:_:)``, before a pass' first step.
  func beginForward(recurrent: Buffer<Float>, _ pass: Pass) {
    recurrentForward.take(Matrix(recurrent, rows: shape.rows, columns: shape.units).transposed, pass)
  }

  /// The product of h after `step` steps and Rᵀ, into or onto `sums`.
  func projectState(
    _ step: Int, of states: StepRows, into sums: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    let samples = pass.samples
    var state = states[step, samples: samples]
    if pass.precision == .bf16 {
      let rounded = roundedStates[step, samples: samples]
      roundToBFloat16(state, into: rounded)
      state = rounded
    }
    factor.multiply(
      Matrix(state, rows: samples, columns: shape.units), recurrentForward.matrix,
      into: Matrix(sums, rows: samples, columns: shape.rows), accumulation)
  }

  /// Lays R out for ``passBack(_:into:_:_:)``, before a pass' last step.
  func beginBackward(recurrent: Buffer<Float>, _ pass: Pass) {
    recurrentBackward.take(Matrix(recurrent, rows: shape.rows, columns: shape.units), pass)
  }

  /// One step's ∂loss/∂h = ∂loss/∂a · R, into or onto `stateGradient`. Rounds `sumsGradient` where the pass does.
  func passBack(
    _ sumsGradient: Buffer<Float>, into stateGradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    let samples = pass.samples
    pass.round(sumsGradient)
    factor.multiply(
      Matrix(sumsGradient, rows: samples, columns: shape.rows), recurrentBackward.matrix,
      into: Matrix(stateGradient, rows: samples, columns: shape.units), accumulation)
  }

  /// The gradients of the parameters and of the input, once every step's sums have theirs, which are rounded where the pass does.
  ///
  /// - Parameters:
  ///   - sumsGradient: ∂loss/∂(x · Wᵀ) of every step.
  ///   - stateSumsGradient: ∂loss/∂(h · Rᵀ) of every step: the same, but for a GRU.
  ///   - states: h before the first step, then after each.
  func complete(
    _ windows: BackwardWindows, sumsGradient: StepRows, stateSumsGradient: StepRows, states: StepRows, _ pass: Pass
  ) {
    let samples = pass.samples
    let (steps, rows) = (0..<shape.steps, shape.steps * samples)
    let ofSums = sumsGradient[steps, samples: samples]
    pass.round(ofSums)
    // The first step's is of no product.
    pass.round(stateSumsGradient[1..<shape.steps, samples: samples])
    let states = pass.precision == .bf16 ? roundedStates : states
    let gradients = Matrix(ofSums, rows: rows, columns: shape.rows)
    let paired = pass.precision.isPaired
    let rowsOfInput = packedRows.pack(
      Matrix(inputs[steps, samples: samples], columns: shape.features), inPairs: paired)
    factor.multiply(
      gradients.transposed, rowsOfInput,
      into: Matrix(windows.gradient[0], columns: shape.features), windows.gradient.accumulation)
    addRecurrent(stateSumsGradient, states, to: windows.gradient, pass)
    columnSums(ofSums, into: windows.gradient[2], windows.gradient.accumulation)
    if let inputGradient = windows.inputGradient {
      let ordered = inputsGradient.prefix(rows * shape.features)
      packedWeightsBackward.take(
        Matrix(windows.parameters[0], rows: shape.rows, columns: shape.features), pass)
      factor.multiply(
        gradients, packedWeightsBackward.matrix, into: Matrix(ordered, rows: rows, columns: shape.features))
      swapAxes(ordered, into: inputGradient, outer: shape.steps, inner: samples, width: shape.features)
    }
  }

  /// From the second step on: before the first the state is zero, and so is what it gives.
  private func addRecurrent(_ sumsGradient: StepRows, _ states: StepRows, to gradient: GradientBlock, _ pass: Pass) {
    guard shape.steps > 1 else {
      if gradient.accumulation == .replace { gradient[1].fill(0) }
      return
    }
    let (steps, samples) = (1..<shape.steps, pass.samples)
    let rowsOfStates = packedRows.pack(
      Matrix(states[steps, samples: samples], columns: shape.units), inPairs: pass.precision.isPaired)
    factor.multiply(
      Matrix(sumsGradient[steps, samples: samples], columns: shape.rows).transposed, rowsOfStates,
      into: Matrix(gradient[1], columns: shape.units), gradient.accumulation)
  }
}
