import Kernels
import Tensors

/// ``GatedStack`` position by position. Each unit keeps its inputs of the last positions, as many as its dilation, in a ring.
final class GatedStackStepper: Stepper {
  private let units: [GatedStackUnit]
  /// A unit's inputs, [dilation, samples, width]: that of position p lies at p modulo the dilation, until the next one that comes there has
  /// read it.
  private let rings: [Buffer<Float>]
  /// h and z [samples, width], and the gates [samples, 2 · width], of the unit at work.
  private let state: Buffer<Float>
  private let products: Buffer<Float>
  private let gates: Buffer<Float>
  /// The sum of the skip connections' biases [skip].
  private let skipBias: Buffer<Float>

  init(_ units: [GatedStackUnit], width: Int, skip: Int, samples: Int) {
    self.units = units
    // Beyond the sequence nothing is read.
    rings = units.map { Buffer(count: min($0.convolution.dilation, $0.convolution.steps) * samples * width) }
    state = Buffer(count: samples * width)
    products = Buffer(count: samples * width)
    gates = Buffer(count: samples * 2 * width)
    skipBias = Buffer(count: skip)
  }

  func step(_ input: Buffer<Float>, _ parameters: ParameterBlock, at position: Int, into output: Buffer<Float>) {
    // The weights stay the same from position to position.
    if position == 0 { units.pack(parameters, skipBias: skipBias) }
    state.copy(from: input)
    for (unit, ring) in zip(units, rings) {
      let dilation = unit.convolution.dilation
      let slot = position % dilation * state.count
      let earlier = ring[slot..<slot + state.count]
      unit.convolution.step(state, earlier: position >= dilation ? earlier : nil, into: gates)
      earlier.copy(from: state)
      gatedUnit(gates, bias: parameters[unit.place + 1], into: products)
      unit.leave(products, parameters, skipBias: skipBias, into: output, state: state, next: state)
    }
  }
}
