import Kernels
import Tensors

/// A dense layer over rows with the same weights: `y = x · Wᵀ + b`, x [rows, inputs] and y [rows, units]. A row is a token of a sample.
/// ``TokenDense`` has one, and ``MultiHeadAttention`` has two.
final class Projection {
  private let inputs: Int
  private let units: Int
  /// W laid out once a pass, for y and for the input's gradient.
  private var packed: (forward: PackedMatrix, backward: PackedMatrix)
  /// Room for some columns of x laid out.
  private let packedInput: PackedMatrix

  /// x, and y's gradient.
  private let factor: PairedFactor

  /// The columns of x that are laid out at once for the gradient of W.
  private static let columns = 64

  /// A projection of up to `capacity` rows.
  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
    packed = (PackedMatrix(rows: inputs, columns: units), PackedMatrix(rows: units, columns: inputs))
    packedInput = PackedMatrix(rows: capacity, columns: min(inputs, Self.columns))
    factor = PairedFactor(rows: capacity, columns: max(inputs, units))
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
    isLaidOut: Bool = false, _ precision: ProductPrecision = .fp32
  ) {
    if !isLaidOut {
      packed.forward = packed.forward.pack(
        Matrix(weights, rows: units, columns: inputs).transposed, inPairs: precision.isPaired)
    }
    factor.multiply(Matrix(input, columns: inputs), packed.forward, bias: bias, into: Matrix(output, columns: units))
  }

  /// Computes the gradients, given that of y. Those of W and b go to `place` and the one behind it in `gradient`, and
  /// ∂loss/∂x replaces `inputGradient` if it is asked for.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>, into gradient: GradientBlock,
    at place: Int, inputGradient: Buffer<Float>?, _ precision: ProductPrecision = .fp32
  ) {
    let outputGradients = Matrix(outputGradient, columns: units)
    let (input, sum) = (Matrix(input, columns: inputs), Matrix(gradient[place], columns: inputs))
    for start in stride(from: 0, to: inputs, by: Self.columns) {
      let columns = start..<min(start + Self.columns, inputs)
      let right = packedInput.pack(input[columns: columns], inPairs: precision.isPaired)
      factor.multiply(outputGradients.transposed, right, into: sum[columns: columns], gradient.accumulation)
    }
    columnSums(outputGradient, into: gradient[place + 1], gradient.accumulation)
    guard let inputGradient else { return }
    packed.backward = packed.backward.pack(
      Matrix(weights, rows: units, columns: inputs), inPairs: precision.isPaired)
    factor.multiply(outputGradients, packed.backward, into: Matrix(inputGradient, columns: inputs))
  }
}
