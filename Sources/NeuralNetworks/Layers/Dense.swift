import Kernels
import Tensors

/// A fully connected layer: `y = x · Wᵀ + b`.
///
/// Input of any shape with `inputs` elements → output `[units]`. Parameters: `weights` [units, inputs] (Glorot uniform),
/// `bias` [units] (zero), as Keras starts them, laid out as PyTorch's `nn.Linear`.
///
///     Sequential([Dense(512), ReLU(), Dense(10)], input: [784], capacity: 32)
public struct Dense: LayerSpecification {
  /// The number of outputs.
  public let units: Int
  public var kind: String { "dense" }

  /// A layer of `units` outputs, 1 or more.
  public init(_ units: Int) { self.units = units }

  public func outputShape(for input: Shape) throws(ModelError) -> Shape { [units] }

  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    (needsInputGradient ? 3 : 2) * 2 * input.count * units
  }

  public func learntCount(for input: Shape) -> Double { (elements(of: input) + 1) * Double(units) }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws(ModelError) -> any Layer {
    // Measured: below some thirty outputs sgemm packs more than it multiplies.
    if units <= 32 && input.count % laneCount == 0 {
      return SmallDenseLayer(inputs: input.count, units: units, capacity: capacity)
    }
    if input.count % laneCount == 0 && units % 4 == 0 {
      return WideDenseLayer(inputs: input.count, units: units, capacity: capacity)
    }
    return DenseLayer(inputs: input.count, units: units, capacity: capacity)
  }

  fileprivate static func parameters(inputs: Int, units: Int) -> [ParameterSpecification] {
    [
      ParameterSpecification(
        name: "weights", shape: [units, inputs], initialiser: .glorotUniform(fanIn: inputs, fanOut: units)),
      ParameterSpecification(name: "bias", shape: [units], initialiser: .zeros, role: .bias),
    ]
  }
}

/// For sizes that are no multiples of a vector: by sgemm.
private final class DenseLayer: Layer {
  private let inputs: Int
  private let units: Int
  let parameters: [ParameterSpecification]
  private let layout: ParameterLayout
  /// Where a sum over more samples than sgemm keeps in registers is completed before it is added; else empty.
  private let scratch: Buffer<Float>

  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
    parameters = Dense.parameters(inputs: inputs, units: units)
    layout = ParameterLayout(parameters)
    scratch = Buffer(count: capacity > longestUnsplitSum ? inputs * units : 0)
  }

  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass) {
    let weights = Matrix(parameters[layout.ranges[0]], rows: units, columns: inputs)
    multiply(
      Matrix(input, rows: pass.samples, columns: inputs), weights.transposed,
      into: Matrix(output, rows: pass.samples, columns: units))
    addBias(parameters[layout.ranges[1]], toRowsOf: output)
  }

  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    let outputGradients = Matrix(outputGradient, rows: pass.samples, columns: units)
    let inputs = Matrix(input, rows: pass.samples, columns: inputs)
    let weightsGradient = gradient[layout.ranges[0]]
    if accumulation == .add && pass.samples > longestUnsplitSum {
      multiply(outputGradients.transposed, inputs, into: Matrix(scratch, rows: units, columns: self.inputs))
      add(scratch, into: weightsGradient)
    } else {
      multiply(
        outputGradients.transposed, inputs, into: Matrix(weightsGradient, rows: units, columns: self.inputs),
        accumulation)
    }
    columnSums(outputGradient, into: gradient[layout.ranges[1]], accumulation)
    if let inputGradient {
      multiply(
        outputGradients, Matrix(parameters[layout.ranges[0]], rows: units, columns: self.inputs),
        into: Matrix(inputGradient, rows: pass.samples, columns: self.inputs))
    }
  }
}

/// For many outputs on whole vectors of inputs: by kernels of our own.
private final class WideDenseLayer: Layer {
  private let inputs: Int
  private let units: Int
  let parameters: [ParameterSpecification]
  private let layout: ParameterLayout
  private let scratch: Buffer<Float>

  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
    parameters = Dense.parameters(inputs: inputs, units: units)
    layout = ParameterLayout(parameters)
    scratch = Buffer(
      count: max(
        denseForwardScratch(samples: capacity, inputs: inputs, outputs: units), capacity * (2 * laneCount + units),
        denseInputGradientScratch(outputs: units)))
  }

  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass) {
    denseForward(
      input, weights: parameters[layout.ranges[0]], bias: parameters[layout.ranges[1]], into: output,
      samples: pass.samples, scratch: scratch)
  }

  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    denseWeightsGradient(
      outputGradient, input: input, into: gradient[layout.ranges[0]], bias: gradient[layout.ranges[1]],
      samples: pass.samples, scratch: scratch, accumulation)
    if let inputGradient {
      denseInputGradient(
        outputGradient, weights: parameters[layout.ranges[0]], into: inputGradient, samples: pass.samples,
        outputs: units,
        scratch: scratch)
    }
  }
}

/// For few outputs: lanes along the inputs.
private final class SmallDenseLayer: Layer {
  private let units: Int
  let parameters: [ParameterSpecification]
  private let layout: ParameterLayout
  private let scratch: Buffer<Float>

  init(inputs: Int, units: Int, capacity: Int) {
    self.units = units
    parameters = Dense.parameters(inputs: inputs, units: units)
    layout = ParameterLayout(parameters)
    scratch = Buffer(count: capacity * units * laneCount)
  }

  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass) {
    smallDense(
      input, weights: parameters[layout.ranges[0]], bias: parameters[layout.ranges[1]], into: output,
      samples: pass.samples, scratch: scratch)
  }

  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    smallDenseWeightsGradient(
      outputGradient, input: input, into: gradient[layout.ranges[0]], bias: gradient[layout.ranges[1]],
      samples: pass.samples, accumulation)
    if let inputGradient {
      smallDenseInputGradient(
        outputGradient, weights: parameters[layout.ranges[0]], into: inputGradient, samples: pass.samples,
        outputs: units)
    }
  }
}
