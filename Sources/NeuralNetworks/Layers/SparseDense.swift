import Kernels

/// The products of a dense layer that takes the data, without the inputs that are zero in all samples of a pass: of MNIST's, a third. The bits
/// are those of the products with them, of weights and gradients that are finite.
final class SparseDense {
  private let inputs: Int
  private let units: Int
  private var live: NonzeroColumns
  /// The inputs that are not zero, kept for the weights' gradient.
  private let gathered: Buffer<Float>
  /// Room for some rows of the weights' gradient.
  private let block: Buffer<Float>
  /// Whether the last pass was taken.
  private(set) var isTaken = false

  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
    live = NonzeroColumns(columns: inputs)
    gathered = Buffer(count: NonzeroColumns.room(rows: capacity, columns: inputs))
    block = Buffer(count: live.blockRoom)
  }

  /// Whether so many of the inputs are zero that this is worth while; then they are kept. Pairs of bfloat16 would be other pairs without some.
  func takes(_ input: Buffer<Float>, _ pass: Pass) -> Bool {
    isTaken = false
    guard !pass.precision.isPaired else { return false }
    live.find(in: input)
    isTaken = live.count > 0 && live.count <= inputs * 7 / 8
    if isTaken { live.gather(input, into: gathered) }
    return isTaken
  }

  /// The layer's output of the inputs that were taken.
  func forward(_ parameters: ParameterBlock, into output: Buffer<Float>, _ room: PackedMatrix, _ pass: Pass) {
    multiply(
      Matrix(parameters[0], columns: inputs), columns: live, room.pack(gatheredInputs(pass).transposed),
      bias: parameters[1], into: Matrix(output, columns: units).transposed)
  }

  /// The weights' gradient of the inputs that were taken.
  func differentiateWeights(_ windows: BackwardWindows, _ room: PackedMatrix, _ pass: Pass) {
    multiply(
      Matrix(windows.outputGradient, columns: units).transposed,
      room.pack(gatheredInputs(pass), part: pass.microbatch), columns: live, into: windows.gradient[0],
      windows.gradient.accumulation, part: pass.microbatch, block: block)
  }

  private func gatheredInputs(_ pass: Pass) -> Matrix {
    Matrix(gathered.prefix(pass.samples * live.count), columns: live.count)
  }
}
