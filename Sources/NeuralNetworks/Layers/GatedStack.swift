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
      let convolution = convolution(unit, shape).products
      let behind = shape.count * (skip + (unit == dilations.count - 1 ? 0 : shape.width))
      return sum + 2 * ((needsInputGradient || unit > 0 ? 3 : 2) * convolution + 3 * behind)
    }
  }

  public func learntCount(for input: Shape) -> Double {
    guard let width = (try? shape(for: input)).map({ Double($0.width) }) else { return 0 }
    let unit = 2 * (2 * width + 1) * width + Double(skip) * (width + 1)
    return Double(dilations.count) * unit + Double(dilations.count - 1) * width * (width + 1)
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = try shape(for: input)
    return GatedStackLayer(
      shape, skip: skip, convolutions: dilations.indices.map { convolution($0, shape) }, capacity: capacity)
  }

  /// The place of a unit's first parameter. The others follow in their order; the last unit has two less.
  static func place(ofUnit unit: Int) -> Int { 6 * unit }

  private func shape(for input: Shape) throws -> TokenShape { try TokenShape("a gated stack", input: input) }

  private func convolution(_ unit: Int, _ shape: TokenShape) -> DilatedConvolution {
    DilatedConvolution(
      steps: shape.tokens, channels: shape.width, filters: 2 * shape.width, dilation: dilations[unit])
  }
}

/// It goes through all units sample by sample: what one unit leaves is still in the cache when the next reads it.
///
/// Legend: h a unit's input · gates tanh(a) | sigmoid(b) of each step · z their product · d… the gradient of …
private final class GatedStackLayer: Layer {
  private let shape: TokenShape
  private let skip: Int
  private let convolutions: [DilatedConvolution]
  let parameters: [ParameterSpecification]
  /// h of each unit but the first, whose input is the caller's, and gates of each unit, [units, samples, steps, width or 2 · width].
  private let states: Buffer<Float>
  private let gates: Buffer<Float>
  private let capacity: Int
  /// z, dz and dh [steps, width], and the gradient of the sums a, b [steps, 2 · width], of one unit in one sample.
  private let products: Buffer<Float>
  private let productsGradient: Buffer<Float>
  private let stateGradient: Buffer<Float>
  private let sumsGradient: Buffer<Float>
  /// Σ sᵢ [skip].
  private let skipBias: Buffer<Float>
  /// The gradients, completed here over steps and samples before they are written or added.
  private let sums: ParameterBlock

  init(_ shape: TokenShape, skip: Int, convolutions: [DilatedConvolution], capacity: Int) {
    self.shape = shape
    self.skip = skip
    self.convolutions = convolutions
    self.capacity = capacity
    parameters = convolutions.indices.flatMap {
      Self.parameters(unit: $0, isLast: $0 == convolutions.count - 1, width: shape.width, skip: skip)
    }
    states = Buffer(count: (convolutions.count - 1) * capacity * shape.count)
    gates = Buffer(count: convolutions.count * capacity * 2 * shape.count)
    products = Buffer(count: shape.count)
    productsGradient = Buffer(count: shape.count)
    stateGradient = Buffer(count: shape.count)
    sumsGradient = Buffer(count: 2 * shape.count)
    skipBias = Buffer(count: skip)
    let layout = ParameterLayout(parameters)
    sums = ParameterBlock(Buffer(count: layout.count), layout)
  }

  private static func parameters(unit: Int, isLast: Bool, width: Int, skip: Int) -> [ParameterSpecification] {
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
    return (gate + ways).map { parameter in
      var named = parameter
      named.name = "unit\(unit + 1).\(parameter.name)"
      return named
    }
  }

  private var last: Int { convolutions.count - 1 }

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

  private func rows(_ values: Buffer<Float>, _ columns: Int) -> Matrix {
    Matrix(values, rows: values.count / columns, columns: columns)
  }

  private func weights(_ values: Buffer<Float>, units: Int) -> Matrix {
    Matrix(values, rows: units, columns: shape.width)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    skipBias.fill(0)
    for unit in convolutions.indices { add(parameters[GatedStack.place(ofUnit: unit) + 3], into: skipBias) }
    let z = rows(products, shape.width)
    for sample in 0..<pass.samples {
      let skipped = part(sample, of: output, shape.tokens * skip)
      for (unit, convolution) in convolutions.enumerated() {
        let first = GatedStack.place(ofUnit: unit)
        let (h, gates) = (state(unit, sample, input: input), gates(unit, sample))
        convolution.forward(h, weights: parameters[first], into: gates)
        gatedUnit(gates, bias: parameters[first + 1], into: products)
        multiply(
          z, weights(parameters[first + 2], units: skip).transposed, into: rows(skipped, skip),
          unit == 0 ? .replace : .add)
        if unit == last { continue }
        let next = state(unit + 1, sample, input: input)
        multiply(z, weights(parameters[first + 4], units: shape.width).transposed, into: rows(next, shape.width))
        addBias(parameters[first + 5], toRowsOf: next)
        add(h, into: next)
      }
      addBias(skipBias, toRowsOf: skipped)
    }
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    guard shape.tokens == positions else { return nil }
    return GatedStackStepper(width: shape.width, skip: skip, convolutions: convolutions, samples: samples)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    for sample in 0..<pass.samples {
      for unit in convolutions.indices.reversed() {
        backward(windows, unit, sample)
      }
      if let inputGradient = windows.inputGradient {
        part(sample, of: inputGradient, shape.count).copy(from: stateGradient)
      }
    }
    // Every unit's skip connection has this gradient.
    columnSums(windows.outputGradient, into: skipBias, .replace)
    for unit in convolutions.indices { sums[GatedStack.place(ofUnit: unit) + 3].copy(from: skipBias) }
    for place in parameters.indices { windows.gradient.complete(place, with: sums[place]) }
  }

  /// One unit of one sample: from dh of the next unit to that of this one, both ``stateGradient``, adding to ``sums``.
  private func backward(_ windows: BackwardWindows, _ unit: Int, _ sample: Int) {
    let (convolution, first) = (convolutions[unit], GatedStack.place(ofUnit: unit))
    let accumulation: Accumulation = sample == 0 ? .replace : .add
    let h = state(unit, sample, input: windows.input)
    let skippedGradient = rows(part(sample, of: windows.outputGradient, shape.tokens * skip), skip)
    let (z, dz) = (rows(products, shape.width), rows(productsGradient, shape.width))
    multiply(skippedGradient, weights(windows.parameters[first + 2], units: skip), into: dz)
    if unit < last {
      multiply(
        rows(stateGradient, shape.width), weights(windows.parameters[first + 4], units: shape.width), into: dz, .add)
    }
    gatedUnitGradient(
      productsGradient, gates: gates(unit, sample), output: products, into: sumsGradient, width: shape.width)
    multiply(skippedGradient.transposed, z, into: weights(sums[first + 2], units: skip), accumulation)
    if unit < last {
      let dh = rows(stateGradient, shape.width)
      multiply(dh.transposed, z, into: weights(sums[first + 4], units: shape.width), accumulation)
      columnSums(stateGradient, into: sums[first + 5], accumulation)
    }
    convolution.weightsGradient(sumsGradient, input: h, into: sums[first], accumulation)
    columnSums(sumsGradient, into: sums[first + 1], accumulation)
    // The way around the unit carries dh on; the last unit has no next state.
    guard unit > 0 || windows.inputGradient != nil else { return }
    convolution.inputGradient(
      sumsGradient, weights: windows.parameters[first], into: stateGradient, unit == last ? .replace : .add)
  }
}
