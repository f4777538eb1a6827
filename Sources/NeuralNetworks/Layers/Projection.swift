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

  /// A projection of up to `capacity` rows.
  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
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

  /// Computes y of the rows of `input`.
  func forward(_ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>) {
    multiply(
      rows(input, of: inputs), Matrix(weights, rows: units, columns: inputs).transposed, into: rows(output, of: units))
    addBias(bias, toRowsOf: output)
  }

  /// Computes the gradients, given that of y. Those of W and b go to `place` and the one behind it in `gradient`, and
  /// ∂loss/∂x replaces `inputGradient` if it is asked for.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>, into gradient: GradientBlock,
    at place: Int, inputGradient: Buffer<Float>?
  ) {
    let outputGradients = rows(outputGradient, of: units)
    let inputs = rows(input, of: inputs)
    let isAddedInParts = gradient.accumulation == .add && input.count / self.inputs > longestUnsplitSum
    let sum = isAddedInParts ? weightsGradient : gradient[place]
    multiply(
      outputGradients.transposed, inputs, into: Matrix(sum, rows: units, columns: self.inputs),
      isAddedInParts ? .replace : gradient.accumulation)
    if isAddedInParts { add(sum, into: gradient[place]) }
    columnSums(outputGradient, into: gradient[place + 1], gradient.accumulation)
    if let inputGradient {
      multiply(
        outputGradients, Matrix(weights, rows: units, columns: self.inputs), into: rows(inputGradient, of: self.inputs))
    }
  }

  private func rows(_ values: Buffer<Float>, of columns: Int) -> Matrix {
    Matrix(values, rows: values.count / columns, columns: columns)
  }
}
