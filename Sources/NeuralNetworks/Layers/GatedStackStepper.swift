import Kernels
import Tensors

/// ``GatedStack`` position by position. Each unit keeps its inputs of the last positions, as many as its dilation, in a ring.
final class GatedStackStepper: Stepper {
  private let width: Int
  private let skip: Int
  private let convolutions: [DilatedConvolution]
  private let samples: Int
  /// A unit's inputs, [dilation, samples, width]: that of position p lies at p modulo the dilation, until the next one that comes there has
  /// read it.
  private let rings: [Buffer<Float>]
  /// h and z [samples, width], and the gates [samples, 2 · width], of the unit at work.
  private let state: Buffer<Float>
  private let products: Buffer<Float>
  private let gates: Buffer<Float>

  init(width: Int, skip: Int, convolutions: [DilatedConvolution], samples: Int) {
    self.width = width
    self.skip = skip
    self.convolutions = convolutions
    self.samples = samples
    // Beyond the sequence nothing is read.
    rings = convolutions.map { Buffer(count: min($0.dilation, $0.steps) * samples * width) }
    state = Buffer(count: samples * width)
    products = Buffer(count: samples * width)
    gates = Buffer(count: samples * 2 * width)
  }

  func step(_ input: Buffer<Float>, _ parameters: ParameterBlock, at position: Int, into output: Buffer<Float>) {
    state.copy(from: input)
    let z = matrix(products, width)
    for (unit, convolution) in convolutions.enumerated() {
      let first = GatedStack.place(ofUnit: unit)
      let slot = position % convolution.dilation * state.count
      let earlier = rings[unit][slot..<slot + state.count]
      convolution.step(state, earlier: position >= convolution.dilation ? earlier : nil, parameters[first], into: gates)
      earlier.copy(from: state)
      gatedUnit(gates, bias: parameters[first + 1], into: products)
      multiply(
        z, Matrix(parameters[first + 2], rows: skip, columns: width).transposed, into: matrix(output, skip),
        unit == 0 ? .replace : .add)
      addBias(parameters[first + 3], toRowsOf: output)
      if unit == convolutions.count - 1 { continue }
      multiply(
        z, Matrix(parameters[first + 4], rows: width, columns: width).transposed, into: matrix(state, width), .add)
      addBias(parameters[first + 5], toRowsOf: state)
    }
  }

  private func matrix(_ values: Buffer<Float>, _ columns: Int) -> Matrix {
    Matrix(values, rows: samples, columns: columns)
  }
}
