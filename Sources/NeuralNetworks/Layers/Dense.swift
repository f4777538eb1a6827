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

  public func outputShape(for input: Shape) throws -> Shape { [units] }

  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    (needsInputGradient ? 3 : 2) * 2 * input.count * units
  }

  public func learntCount(for input: Shape) -> Double { (elements(of: input) + 1) * Double(units) }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let inputs = input.count
    // Measured: below some thirty outputs lanes along the inputs are faster, and beyond some thousand inputs kernels that ask for weights.
    if units <= 32 && inputs % laneCount == 0 {
      return SmallDenseLayer(inputs: inputs, units: units, capacity: capacity)
    }
    if inputs > 1024 && inputs % laneCount == 0 && units % 4 == 0 {
      return FarDenseLayer(inputs: inputs, units: units, capacity: capacity)
    }
    return WideDenseLayer(
      inputs: inputs, units: units, capacity: capacity, needsInputGradient: needsInputGradient)
  }
}

/// The layer for any number of outputs and inputs.
private final class WideDenseLayer: Layer {
  private let inputs: Int
  private let units: Int
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  /// Room for the inputs laid out, as they stand and transposed.
  private let packedInput: PackedMatrix
  /// Room for some columns of the weights laid out, of no size where nobody asks for the input's gradient.
  private let packedWeights: PackedMatrix
  private let biasSums: MicrobatchSums
  /// The weights, and the output's gradient.
  private let factor: PairedFactor
  /// The products of a layer that takes the data, of which much may be zero.
  private let sparse: SparseDense?

  /// The columns of weights that are laid out at once: of 512 outputs they stay in the second-level cache.
  private static let columns = 128

  init(inputs: Int, units: Int, capacity: Int, needsInputGradient: Bool) {
    self.inputs = inputs
    self.units = units
    parameters = Projection.parameters(inputs: inputs, units: units)
    packedInput = PackedMatrix(rows: wholeVectors(inputs), columns: capacity)
    packedWeights = PackedMatrix(rows: needsInputGradient ? units : 0, columns: Self.columns)
    biasSums = MicrobatchSums(count: units)
    factor = PairedFactor(rows: units, columns: max(inputs, capacity))
    sparse = needsInputGradient ? nil : SparseDense(inputs: inputs, units: units, capacity: capacity)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    if let sparse, sparse.takes(input, pass) {
      return sparse.forward(parameters, into: output, packedInput, pass)
    }
    // yᵀ = W · xᵀ: the weights are many, and are read once, where they lie.
    let samples = packedInput.pack(Matrix(input, columns: inputs).transposed, inPairs: pass.precision.isPaired)
    factor.multiply(
      Matrix(parameters[0], columns: inputs), samples, bias: parameters[1],
      into: Matrix(output, columns: units).transposed)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    if let sparse, sparse.isTaken {
      sparse.differentiateWeights(windows, packedInput, pass)
    } else {
      let outputGradients = Matrix(windows.outputGradient, columns: units)
      let input = packedInput.pack(
        Matrix(windows.input, columns: inputs), inPairs: pass.precision.isPaired, part: pass.microbatch)
      factor.multiply(
        outputGradients.transposed, input,
        into: Matrix(windows.gradient[0], columns: inputs), windows.gradient.accumulation, part: pass.microbatch)
    }
    biasSums.sum(over: pass, into: windows.gradient[1], windows.gradient.accumulation) { samples, sum, accumulation in
      columnSums(windows.outputGradient.rows(samples, of: units), into: sum, accumulation)
    }
    differentiateInput(windows, pass)
  }

  private func differentiateInput(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    let outputGradients = Matrix(windows.outputGradient, columns: units)
    let (weights, target) = (Matrix(windows.parameters[0], columns: inputs), Matrix(inputGradient, columns: inputs))
    for start in stride(from: 0, to: inputs, by: Self.columns) {
      let columns = start..<min(start + Self.columns, inputs)
      let right = packedWeights.pack(weights[columns: columns], inPairs: pass.precision.isPaired)
      factor.multiply(outputGradients, right, into: target[columns: columns])
    }
  }
}

/// The layer for many outputs and so many inputs that the weights are in no near cache: each kernel goes through them once, in the order in
/// which they lie, and asks for them ahead.
private final class FarDenseLayer: Layer {
  private let inputs: Int
  private let units: Int
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  private let scratch: Buffer<Float>
  private let biasSums: MicrobatchSums

  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
    parameters = Projection.parameters(inputs: inputs, units: units)
    scratch = Buffer(
      count: max(
        denseForwardScratch(samples: capacity, inputs: inputs, outputs: units),
        denseWeightsGradientScratch(samples: capacity, outputs: units), denseInputGradientScratch(outputs: units)))
    biasSums = MicrobatchSums(count: units)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    // The kernel keeps a microbatch's inputs in the first-level cache.
    for index in pass.microbatches {
      let samples = pass.samples(of: index)
      denseForward(
        input.rows(samples, of: inputs), weights: parameters[0], bias: parameters[1],
        into: output.rows(samples, of: units), samples: samples.count, scratch: scratch)
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    denseWeightsGradient(
      windows.outputGradient, input: windows.input, into: windows.gradient[0], samples: pass.samples,
      microbatch: pass.microbatch, scratch: scratch, windows.gradient.accumulation)
    biasSums.sum(over: pass, into: windows.gradient[1], windows.gradient.accumulation) { samples, sum, accumulation in
      columnSums(windows.outputGradient.rows(samples, of: units), into: sum, accumulation)
    }
    differentiateInput(windows, pass)
  }

  private func differentiateInput(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    denseInputGradient(
      windows.outputGradient, weights: windows.parameters[0], into: inputGradient, samples: pass.samples,
      outputs: units, scratch: scratch)
  }
}

/// The layer for few outputs, with lanes along the inputs.
private final class SmallDenseLayer: Layer {
  private let inputs: Int
  private let units: Int
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  private let layout: ParameterLayout
  private let scratch: Buffer<Float>
  private let sums: MicrobatchSums

  init(inputs: Int, units: Int, capacity: Int) {
    self.inputs = inputs
    self.units = units
    parameters = Projection.parameters(inputs: inputs, units: units)
    layout = ParameterLayout(parameters)
    scratch = Buffer(count: capacity * units * laneCount)
    sums = MicrobatchSums(count: layout.count)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    smallDense(
      input, weights: parameters[0], bias: parameters[1], into: output, samples: pass.samples, scratch: scratch)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let gradient = windows.gradient
    sums.sum(over: pass, into: gradient.sums.values, gradient.accumulation) { samples, sum, accumulation in
      let sum = ParameterBlock(sum, layout)
      smallDenseWeightsGradient(
        windows.outputGradient.rows(samples, of: units), input: windows.input.rows(samples, of: inputs), into: sum[0],
        bias: sum[1], samples: samples.count, accumulation)
    }
    differentiateInput(windows, pass)
  }

  private func differentiateInput(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    smallDenseInputGradient(
      windows.outputGradient, weights: windows.parameters[0], into: inputGradient, samples: pass.samples, outputs: units
    )
  }
}

extension Dense {
  /// Adds the squared norm of each sample's gradient, which is the outer product of the output's gradient g and the input x, with 1 for the
  /// bias: ‖g‖² · (‖x‖² + 1).
  static func addSquaredNorms(
    _ windows: BackwardWindows, _ pass: Pass, inputs: Int, units: Int, to norms: Buffer<Double>
  ) {
    for sample in 0..<pass.samples {
      let row = sample..<sample + 1
      norms[sample] +=
        sumOfSquares(windows.outputGradient.rows(row, of: units))
        * (sumOfSquares(windows.input.rows(row, of: inputs)) + 1)
    }
  }
}

extension WideDenseLayer: SampleNorms {
  func backward(_ windows: BackwardWindows, _ pass: Pass, addingSquaredNormsTo norms: Buffer<Double>) {
    Dense.addSquaredNorms(windows, pass, inputs: inputs, units: units, to: norms)
    differentiateInput(windows, pass)
  }
}

extension FarDenseLayer: SampleNorms {
  func backward(_ windows: BackwardWindows, _ pass: Pass, addingSquaredNormsTo norms: Buffer<Double>) {
    Dense.addSquaredNorms(windows, pass, inputs: inputs, units: units, to: norms)
    differentiateInput(windows, pass)
  }
}

extension SmallDenseLayer: SampleNorms {
  func backward(_ windows: BackwardWindows, _ pass: Pass, addingSquaredNormsTo norms: Buffer<Double>) {
    Dense.addSquaredNorms(windows, pass, inputs: inputs, units: units, to: norms)
    differentiateInput(windows, pass)
  }
}

extension Dense {
  public func module(in framework: Framework, input: FrameworkModule.Input) -> FrameworkModule {
    let inputs = input.elements(in: framework)
    return FrameworkModule(Projection.tensors(in: framework, inputs: inputs, units: units), stem: "dense")
  }
}

extension Dense: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("units", units)] }

  public init(from reader: inout LayerReader) throws { self.init(try reader.size("units")) }
}
