import Kernels
import Tensors

/// WaveNet's stack of gated, dilated, causal convolutions (van den Oord et al. 2016), whose units' skip connections are summed:
///
///     h₀ = x,  aᵢ, bᵢ = causal convolution of hᵢ, kernel 2, dilation dᵢ
///     zᵢ = tanh(aᵢ) · sigmoid(bᵢ)
///     hᵢ₊₁ = hᵢ + zᵢ · Rᵢᵀ + rᵢ
///     y = Σᵢ (zᵢ · Sᵢᵀ + sᵢ)
///
/// A step sees itself and earlier ones, 1 + Σ dᵢ in all.
///
/// Input `[steps, width]` → output `[steps, skip]`. Parameters of each unit, named `unit1.gateWeights` and so on: `gateWeights` [2, width,
/// 2 · width], the earlier tap first, and `gateBias` [2 · width], of a and then of b; `skipWeights` S [skip, width] and `skipBias` s [skip];
/// and, but for the last unit, whose next state nobody reads, `residualWeights` R [width, width] and `residualBias` r [width]. Weights start
/// Glorot uniform, biases at zero.
///
///     Sequential([TokenDense(32), GatedStack(skip: 64, dilations: [1, 2, 4, 8])], input: [784, 1], capacity: 32)
public struct GatedStack: LayerSpecification {
  /// The floats of a step's output.
  public let skip: Int
  /// How far back each unit looks.
  public let dilations: [Int]
  public var kind: String { "gatedstack" }

  /// A unit for each of `dilations`, one at least and each 1 or more, with an output of `skip` floats a step.
  public init(skip: Int, dilations: [Int]) {
    precondition(
      skip >= 1 && !dilations.isEmpty && dilations.allSatisfy { $0 >= 1 },
      "a stack of dilations \(dilations) to \(skip)")
    self.skip = skip
    self.dilations = dilations
  }

  public func outputShape(for input: Shape) throws -> Shape { [try shape(for: input).tokens, skip] }

  /// The first unit has no product for the input's gradient where nobody asks for it.
  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    guard let shape = try? shape(for: input) else { return 0 }
    return dilations.indices.reduce(0) { sum, unit in
      let convolution = DilatedConvolution.products(
        steps: shape.tokens, channels: shape.width, filters: 2 * shape.width, dilation: dilations[unit])
      let behind = shape.count * (skip + (unit == dilations.count - 1 ? 0 : shape.width))
      return sum + 2 * ((needsInputGradient || unit > 0 ? 3 : 2) * convolution + 3 * behind)
    }
  }

  public var usualMicrobatch: Int { 2 }

  public func learntCount(for input: Shape) -> Double {
    guard let width = (try? shape(for: input)).map({ Double($0.width) }) else { return 0 }
    let unit = 2 * (2 * width + 1) * width + Double(skip) * (width + 1)
    return Double(dilations.count) * unit + Double(dilations.count - 1) * width * (width + 1)
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = try shape(for: input)
    return GatedStackLayer(shape, skip: skip, dilations: dilations, capacity: capacity)
  }

  private func shape(for input: Shape) throws -> TokenShape { try TokenShape("a gated stack", input: input) }
}

extension GatedStack {
  /// A module of three lists of `nn.Conv1d`: `gate`, `skip` and `res`, each with one for every unit.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    let width = try shape(for: input.shape).width
    let gate = ElementOrder([2, width, 2 * width], axes: [2, 1, 0])
    let units = dilations.indices.map { number -> [FrameworkTensor] in
      func convolution(_ name: String, _ ours: String, _ filters: Int, _ order: ElementOrder? = nil)
        -> [FrameworkTensor]
      {
        let steps = order == nil ? 1 : 2
        return [
          FrameworkTensor(
            framework, "\(name).\(number).weight", [filters, width, steps],
            parameter: "unit\(number + 1).\(ours)Weights", order),
          FrameworkTensor(framework, "\(name).\(number).bias", [filters], parameter: "unit\(number + 1).\(ours)Bias"),
        ]
      }
      return convolution("gate", "gate", 2 * width, gate) + convolution("skip", "skip", skip)
        + (number == dilations.count - 1 ? [] : convolution("res", "residual", width))
    }
    return FrameworkModule(units.flatMap { $0 })
  }
}

/// It goes through all units sample by sample: what one unit leaves is still in the cache when the next reads it.
///
/// Legend: h a unit's input · gates tanh(a) | sigmoid(b) of each step · z their product · d… the gradient of …
private final class GatedStackLayer: Layer {
  private let shape: TokenShape
  private let skip: Int
  private let dilations: [Int]
  private let units: [GatedStackUnit]
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  /// h of each unit but the first, whose input is the caller's, and gates of each unit, [units, samples, steps, width or 2 · width].
  private let states: Buffer<Float>
  private let gates: Buffer<Float>
  private let capacity: Int
  /// z, dz and dh [steps, width], and the gradient of the sums a, b [steps, 2 · width], of one unit in one sample.
  private let products: Buffer<Float>
  private let productsGradient: Buffer<Float>
  private let stateGradient: Buffer<Float>
  private let sumsGradient: Buffer<Float>
  /// z, and the gradient of the sums a, b, laid out for the weights' gradients.
  private let packedProducts: PackedMatrix
  private let packedSums: PackedMatrix
  /// h or dh rounded [steps, width], in passes of less than single precision.
  private lazy var rounded = Buffer<Float>(count: shape.count)
  /// Σ sᵢ [skip].
  private let skipBias: Buffer<Float>
  /// The gradients, completed here over steps and samples before they are written or added.
  private let sums: ParameterBlock

  init(_ shape: TokenShape, skip: Int, dilations: [Int], capacity: Int) {
    self.shape = shape
    self.skip = skip
    self.dilations = dilations
    self.capacity = capacity
    units = Self.units(shape, skip: skip, dilations: dilations)
    parameters = units.flatMap(\.parameters)
    states = Buffer(count: (units.count - 1) * capacity * shape.count)
    gates = Buffer(count: units.count * capacity * 2 * shape.count)
    products = Buffer(count: shape.count)
    productsGradient = Buffer(count: shape.count)
    stateGradient = Buffer(count: shape.count)
    sumsGradient = Buffer(count: 2 * shape.count)
    packedProducts = PackedMatrix(rows: shape.tokens, columns: shape.width)
    packedSums = PackedMatrix(rows: shape.tokens, columns: 2 * shape.width)
    skipBias = Buffer(count: skip)
    let layout = ParameterLayout(parameters)
    sums = ParameterBlock(Buffer(count: layout.count), layout)
  }

  private static func units(_ shape: TokenShape, skip: Int, dilations: [Int]) -> [GatedStackUnit] {
    dilations.enumerated().map { number, dilation in
      GatedStackUnit(
        number, isLast: number == dilations.count - 1,
        convolution: DilatedConvolution(
          steps: shape.tokens, channels: shape.width, filters: 2 * shape.width, dilation: dilation), skip: skip)
    }
  }

  /// h of a unit in a sample.
  private func state(_ unit: Int, _ sample: Int, input: Buffer<Float>) -> Buffer<Float> {
    unit == 0 ? part(sample, of: input, shape.count) : part((unit - 1) * capacity + sample, of: states, shape.count)
  }

  private func gates(_ unit: Int, _ sample: Int) -> Buffer<Float> {
    part(unit * capacity + sample, of: gates, 2 * shape.count)
  }

  private func part(_ index: Int, of values: Buffer<Float>, _ count: Int) -> Buffer<Float> {
    values[index * count..<(index + 1) * count]
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    units.pack(parameters, skipBias: skipBias)
    for sample in 0..<pass.samples {
      let skipped = part(sample, of: output, shape.tokens * skip)
      for (number, unit) in units.enumerated() {
        let (h, gates) = (state(number, sample, input: input), gates(number, sample))
        unit.convolution.forward(factor(h, pass), into: gates)
        gatedUnit(gates, bias: parameters[unit.place + 1], into: products)
        pass.round(products)
        unit.leave(
          products, parameters, skipBias: skipBias, into: skipped, state: h,
          next: unit.isLast ? h : state(number + 1, sample, input: input))
      }
    }
  }

  /// h or dh as a factor: the value itself goes on around the unit. Valid until the next call.
  private func factor(_ value: Buffer<Float>, _ pass: Pass) -> Buffer<Float> {
    guard pass.precision == .bf16 else { return value }
    roundToBFloat16(value, into: rounded)
    return rounded
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    guard shape.tokens == positions else { return nil }
    return GatedStackStepper(
      Self.units(shape, skip: skip, dilations: dilations), width: shape.width, skip: skip, samples: samples)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    for unit in units { unit.packTransposed(windows.parameters) }
    for sample in 0..<pass.samples {
      for number in units.indices.reversed() { backward(windows, number, sample, pass) }
      if let inputGradient = windows.inputGradient {
        part(sample, of: inputGradient, shape.count).copy(from: stateGradient)
      }
    }
    // Every unit's skip connection has this gradient.
    columnSums(windows.outputGradient, into: skipBias, .replace)
    for unit in units { sums[unit.place + 3].copy(from: skipBias) }
    for place in parameters.indices { windows.gradient.complete(place, with: sums[place]) }
  }

  /// One unit of one sample: from dh of the next unit to that of this one, both ``stateGradient``, adding to ``sums``.
  private func backward(_ windows: BackwardWindows, _ number: Int, _ sample: Int, _ pass: Pass) {
    let unit = units[number]
    let accumulation: Accumulation = sample == 0 ? .replace : .add
    let h = state(number, sample, input: windows.input)
    let skippedGradient = part(sample, of: windows.outputGradient, shape.tokens * skip)
    // The last unit has none.
    let next = unit.isLast ? stateGradient : factor(stateGradient, pass)
    unit.gradient(skipped: skippedGradient, state: next, into: productsGradient)
    gatedUnitGradient(
      productsGradient, gates: gates(number, sample), output: products, into: sumsGradient, width: shape.width)
    pass.round(products)
    pass.round(sumsGradient)
    unit.weightsGradient(
      products, by: packedProducts, skipped: skippedGradient, state: next, into: sums, accumulation)
    unit.convolution.weightsGradient(
      sumsGradient, by: packedSums, input: factor(h, pass), into: sums[unit.place], accumulation)
    columnSums(sumsGradient, into: sums[unit.place + 1], accumulation)
    // The way around the unit carries dh on; the last unit has no next state.
    guard number > 0 || windows.inputGradient != nil else { return }
    unit.convolution.inputGradient(sumsGradient, into: stateGradient, unit.isLast ? .replace : .add)
  }
}

extension GatedStack: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("skip", skip), .integers("dilations", dilations)] }

  public init(from reader: inout LayerReader) throws {
    self.init(
      skip: try reader.size("skip"),
      dilations: try reader.integers("dilations", most: 64, in: 1...LayerReader.mostOfASize))
  }
}
