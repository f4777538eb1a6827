import Kernels
import Tensors

/// A dense layer over rows with the same weights: `y = x · Wᵀ + b`, x [rows, inputs] and y [rows, units]. A row is a token of a sample.
/// ``TokenDense`` has one, and ``MultiHeadAttention`` has two.
final class Projection {
  private let inputs: Int
  private let units: Int
  /// W laid out for y and for the input's gradient.
  private var packed: (forward: LaidOutWeights, backward: LaidOutWeights)
  /// Room for some rows of x laid out, and for the sums of W's gradient between these rows and the next.
  private let packedInput: PackedMatrix
  private let sums: ProductSums

  /// x, and y's gradient.
  private let factor: PairedFactor

  /// The rows that backward goes through at once: as many as stay in the second-level cache with what is worked out of them.
  private let stretch: Int

  /// A projection of up to `capacity` rows.
  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
    packed = (LaidOutWeights(rows: inputs, columns: units), LaidOutWeights(rows: units, columns: inputs))
    stretch = max(256, (1 << 16) / (inputs + units) / 16 * 16)
    packedInput = PackedMatrix(rows: min(capacity, stretch), columns: inputs)
    sums = ProductSums(rows: units, columns: inputs)
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
  /// - Parameter residual: what is added to y, as large; nil for nothing.
  func forward(
    _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, residual: Buffer<Float>? = nil,
    into output: Buffer<Float>, _ pass: Pass
  ) {
    packed.forward.take(Matrix(weights, rows: units, columns: inputs).transposed, pass)
    factor.multiply(
      Matrix(input, columns: inputs), packed.forward.matrix, bias: bias,
      residual: residual.map { Matrix($0, columns: units) }, into: Matrix(output, columns: units))
  }

  /// Computes the gradients, given that of y. Those of W and b go to `place` and the one behind it in `gradient`, and
  /// ∂loss/∂x replaces `inputGradient` if it is asked for.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>, into gradient: GradientBlock,
    at place: Int, inputGradient: Buffer<Float>?, _ pass: Pass
  ) {
    let (input, outputGradients) = (Matrix(input, columns: inputs), Matrix(outputGradient, columns: units))
    let weightsGradient = Matrix(gradient[place], columns: inputs)
    let inputGradient = inputGradient.map { Matrix($0, columns: inputs) }
    if inputGradient != nil { packed.backward.take(Matrix(weights, rows: units, columns: inputs), pass) }
    let count = outputGradient.count / units
    for start in stride(from: 0, to: count, by: stretch) {
      let rows = start..<min(start + stretch, count)
      let here = outputGradients[rows: rows]
      if let inputGradient { factor.multiply(here, packed.backward.matrix, into: inputGradient[rows: rows]) }
      factor.multiply(
        here.transposed, packedInput.packUnlessReadable(input[rows: rows], inPairs: pass.precision.isPaired),
        into: weightsGradient, gradient.accumulation,
        stretch: ProductStretch(sums, isFirst: start == 0, isLast: rows.upperBound == count))
    }
    columnSums(outputGradient, into: gradient[place + 1], gradient.accumulation)
  }
}
