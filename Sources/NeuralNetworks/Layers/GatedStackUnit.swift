import Kernels
import Tensors

/// A unit of a ``GatedStack``: where its parameters lie, and its weights laid out for products with many steps.
struct GatedStackUnit {
  /// The place of its first parameter; the others follow in the order of ``parameters``.
  let place: Int
  /// Whether nobody reads its next state.
  let isLast: Bool
  let convolution: DilatedConvolution
  let parameters: [ParameterSpecification]
  private let width: Int
  private let skip: Int
  /// S and R, and what products by their transposes take.
  private let skipWeights: (forward: PackedMatrix, backward: PackedMatrix)
  private let residualWeights: (forward: PackedMatrix, backward: PackedMatrix)

  /// The unit numbered `number`, from 0.
  init(_ number: Int, isLast: Bool, convolution: DilatedConvolution, skip: Int) {
    let width = convolution.channels
    place = 6 * number
    self.isLast = isLast
    self.convolution = convolution
    self.width = width
    self.skip = skip
    skipWeights = (PackedMatrix(rows: width, columns: skip), PackedMatrix(rows: skip, columns: width))
    residualWeights = (PackedMatrix(rows: width, columns: width), PackedMatrix(rows: width, columns: width))
    let gate = [
      ParameterSpecification(
        name: "gateWeights", shape: [2, width, 2 * width],
        initialiser: .glorotUniform(fanIn: 2 * width, fanOut: 4 * width)),
      ParameterSpecification(name: "gateBias", shape: [2 * width], initialiser: .zeros, role: .bias),
    ]
    let ways =
      Projection.parameters(inputs: width, units: skip, weights: "skipWeights", bias: "skipBias")
      + (isLast
        ? [] : Projection.parameters(inputs: width, units: width, weights: "residualWeights", bias: "residualBias"))
    parameters = (gate + ways).map { parameter in
      var named = parameter
      named.name = "unit\(number + 1).\(parameter.name)"
      return named
    }
  }

  /// Takes the weights for the calls of ``leave(_:_:skipBias:into:state:next:)`` and of the convolution's forward that follow.
  func pack(_ all: ParameterBlock) {
    convolution.pack(all[place])
    skipWeights.forward.pack(skipMatrix(all[place + 2]).transposed)
    if !isLast { residualWeights.forward.pack(residualMatrix(all[place + 4]).transposed) }
  }

  /// Takes the weights for the calls of ``gradient(skipped:state:into:)`` and of the convolution's input gradient that follow.
  func packTransposed(_ all: ParameterBlock) {
    convolution.packTransposed(all[place])
    skipWeights.backward.pack(skipMatrix(all[place + 2]))
    if !isLast { residualWeights.backward.pack(residualMatrix(all[place + 4])) }
  }

  /// What leaves the unit: z · Sᵀ, with `skipBias` at the first unit and onto the sum at the others, and the next state h + z · Rᵀ + r.
  ///
  /// z, which has been rounded where the pass does, and `state` are [steps, width], `skipped` [steps, skip]; `next`, which may be `state`, is not used by the last unit.
  func leave(
    _ products: Buffer<Float>, _ all: ParameterBlock, skipBias: Buffer<Float>, into skipped: Buffer<Float>,
    state: Buffer<Float>, next: Buffer<Float>
  ) {
    let z = Matrix(products, columns: width)
    let isFirst = place == 0
    multiply(
      z, skipWeights.forward, bias: isFirst ? skipBias : nil, into: Matrix(skipped, columns: skip),
      isFirst ? .replace : .add)
    if isLast { return }
    multiply(
      z, residualWeights.forward, bias: all[place + 5], residual: Matrix(state, columns: width),
      into: Matrix(next, columns: width))
  }

  /// dz, given the gradients of what leaves the unit.
  func gradient(skipped: Buffer<Float>, state: Buffer<Float>, into productsGradient: Buffer<Float>) {
    multiply(Matrix(skipped, columns: skip), skipWeights.backward, into: Matrix(productsGradient, columns: width))
    if isLast { return }
    multiply(
      Matrix(state, columns: width), residualWeights.backward, into: Matrix(productsGradient, columns: width), .add)
  }

  /// Writes or adds the gradients of S, and of R and r, given those of what leaves the unit. z is laid out in `room`, [steps, width].
  func weightsGradient(
    _ products: Buffer<Float>, by room: PackedMatrix, skipped: Buffer<Float>, state: Buffer<Float>,
    into sums: ParameterBlock, _ accumulation: Accumulation
  ) {
    let z = room.packUnlessReadable(Matrix(products, columns: width))
    multiply(Matrix(skipped, columns: skip).transposed, z, into: skipMatrix(sums[place + 2]), accumulation)
    if isLast { return }
    multiply(Matrix(state, columns: width).transposed, z, into: residualMatrix(sums[place + 4]), accumulation)
    columnSums(state, into: sums[place + 5], accumulation)
  }

  private func skipMatrix(_ values: Buffer<Float>) -> Matrix { Matrix(values, rows: skip, columns: width) }

  private func residualMatrix(_ values: Buffer<Float>) -> Matrix { Matrix(values, rows: width, columns: width) }
}

extension [GatedStackUnit] {
  /// Takes the weights of all units for a pass forward, and the sum of their skip connections' biases [skip].
  func pack(_ all: ParameterBlock, skipBias: Buffer<Float>) {
    skipBias.fill(0)
    for unit in self {
      unit.pack(all)
      add(all[unit.place + 3], into: skipBias)
    }
  }
}
