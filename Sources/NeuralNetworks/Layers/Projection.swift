import Kernels
import Tensors

/// The products of a dense layer by sgemm: `y = x · Wᵀ + b`, x [rows, inputs] and y [rows, units]. A row is a sample, or
/// a token of one. ``Dense`` has one for sizes without a kernel of our own, ``TokenDense`` has one, and
/// ``MultiHeadAttention`` has two.
final class Projection {
  private let inputs: Int
  private let units: Int
  /// The gradient of W, completed here before it is added, if it is a sum over more rows than sgemm keeps in registers
  /// (``longestUnsplitSum``); else of no floats.
  private let weightsGradient: Buffer<Float>
  /// W laid out once a pass, for y and for the input's gradient; nil if sgemm takes it as it lies.
  private let packed: (forward: PackedMatrix, backward: PackedMatrix)?

  /// A projection of up to `capacity` rows.
  ///
  /// - Parameter hasManyRows: whether a pass has so many rows, as those of tokens, that laying W out for all of them is
  ///   worth it.
  init(inputs: Int, units: Int, capacity: Int, hasManyRows: Bool) {
    self.inputs = inputs
    self.units = units
    packed =
      hasManyRows
      ? (PackedMatrix(rows: inputs, columns: units), PackedMatrix(rows: units, columns: inputs)) : nil
    weightsGradient = Buffer(count: capacity > longestUnsplitSum ? units * inputs : 0)
  }

  /// `weights` W [units, inputs] (Glorot uniform) and `bias` b [units] (zero), under these names.
  static func parameters(
    inputs: Int, units: Int, weights: String = "weights", bias: String = "bias"
  ) -> [ParameterSpecification] {
    [
      ParameterSpecification(
        name: weights, shape: [units, inputs], initialiser: .glorotUniform(fanIn: inputs, fanOut: units)),
      ParameterSpecification(name: bias, shape: [units], initialiser: .zeros, role: .bias),
    ]
  }

  /// The parameters as PyTorch's `nn.Linear` or Keras' `Dense` has them, whose inputs have the order `inputs`.
  static func tensors(
    in framework: Framework, inputs: ElementOrder, units: Int, weights: String = "weights", bias: String = "bias"
  ) -> [FrameworkTensor] {
    switch framework {
    case .pytorch:
      [
        FrameworkTensor(framework, "weight", [units, inputs.count], parameter: weights, inputs.rows(units)),
        FrameworkTensor(framework, "bias", [units], parameter: bias),
      ]
    case .keras:
      [
        FrameworkTensor(framework, "kernel", [inputs.count, units], parameter: weights, inputs.columns(units)),
        FrameworkTensor(framework, "bias", [units], parameter: bias),
      ]
    }
  }

  /// Computes y of the rows of `input`.
  ///
  /// - Parameter isLaidOut: whether the last call laid out these very weights.
  func forward(
    _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>,
    isLaidOut: Bool = false
  ) {
    let transposed = Matrix(weights, rows: units, columns: inputs).transposed
    if let packed = packed?.forward {
      if !isLaidOut { packed.pack(transposed) }
      return multiply(Matrix(input, columns: inputs), packed, bias: bias, into: Matrix(output, columns: units))
    }
    multiply(Matrix(input, columns: inputs), transposed, into: Matrix(output, columns: units))
    addBias(bias, toRowsOf: output)
  }

  /// Computes the gradients, given that of y. Those of W and b go to `place` and the one behind it in `gradient`, and
  /// ∂loss/∂x replaces `inputGradient` if it is asked for.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>, into gradient: GradientBlock,
    at place: Int, inputGradient: Buffer<Float>?
  ) {
    let outputGradients = Matrix(outputGradient, columns: units)
    let inputs = Matrix(input, columns: inputs)
    let isAddedInParts = gradient.accumulation == .add && input.count / self.inputs > longestUnsplitSum
    let sum = isAddedInParts ? weightsGradient : gradient[place]
    multiply(
      outputGradients.transposed, inputs, into: Matrix(sum, rows: units, columns: self.inputs),
      isAddedInParts ? .replace : gradient.accumulation)
    if isAddedInParts { add(sum, into: gradient[place]) }
    columnSums(outputGradient, into: gradient[place + 1], gradient.accumulation)
    guard let inputGradient else { return }
    let weights = Matrix(weights, rows: units, columns: self.inputs)
    if let packed = packed?.backward {
      packed.pack(weights)
      multiply(outputGradients, packed, into: Matrix(inputGradient, columns: self.inputs))
    } else {
      multiply(outputGradients, weights, into: Matrix(inputGradient, columns: self.inputs))
    }
  }
}
