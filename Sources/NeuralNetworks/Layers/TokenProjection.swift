import Kernels
import Tensors

/// The products of a dense layer over the tokens of all samples, each as one: `y = x · Wᵀ + b`, x [rows, inputs] and y [rows, units], the
/// rows being samples · tokens. ``TokenDense`` is one, ``MultiHeadAttention`` has two.
final class TokenProjection {
  let inputs: Int
  let units: Int
  /// A gradient sums over samples and tokens, more than sgemm keeps in registers (``longestUnsplitSum``): it is completed here.
  private let weightsGradient: Buffer<Float>

  init(inputs: Int, units: Int) {
    self.inputs = inputs
    self.units = units
    weightsGradient = Buffer(count: units * inputs)
  }

  /// `weights` W [units, inputs] (Glorot uniform) and `bias` b [units] (zero), under these names.
  static func parameters(
    inputs: Int, units: Int, weights: String, bias: String
  ) -> [ParameterSpecification] {
    [
      ParameterSpecification(
        name: weights, shape: [units, inputs], initialiser: .glorotUniform(fanIn: inputs, fanOut: units)),
      ParameterSpecification(name: bias, shape: [units], initialiser: .zeros, role: .bias),
    ]
  }

  /// y of the rows of `input`.
  func forward(_ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>) {
    multiply(
      rows(input, of: inputs), Matrix(weights, rows: units, columns: inputs).transposed, into: rows(output, of: units))
    addBias(bias, toRowsOf: output)
  }

  /// The gradients, given that of y: those of W and b go to `place` and the one behind it in `gradient`, and ∂loss/∂x replaces
  /// `inputGradient`, where it is asked for.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>, into gradient: GradientBlock,
    at place: Int, inputGradient: Buffer<Float>?
  ) {
    let outputGradients = rows(outputGradient, of: units)
    multiply(
      outputGradients.transposed, rows(input, of: inputs), into: Matrix(weightsGradient, rows: units, columns: inputs))
    gradient.complete(place, with: weightsGradient)
    columnSums(outputGradient, into: gradient[place + 1], gradient.accumulation)
    if let inputGradient {
      multiply(
        outputGradients, Matrix(weights, rows: units, columns: inputs), into: rows(inputGradient, of: inputs))
    }
  }

  private func rows(_ values: Buffer<Float>, of columns: Int) -> Matrix {
    Matrix(values, rows: values.count / columns, columns: columns)
  }
}
