import Kernels
import Tensors

/// Layers with a way around them (He et al. 2015): `y = body(x) + shortcut(x)`, the shortcut being x itself unless layers are given for it.
///
/// Input as the body's first layer has it; the output has the body's shape, which must be the shortcut's, too. Its parameters are the body's,
/// under names such as `residual2.dense1.weights`, and the shortcut's, such as `residual2.shortcut.dense1.weights`.
///
///     Residual {
///       LayerNorm()
///       MultiHeadAttention(heads: 4)
///     }
public struct Residual: LayerSpecification {
  /// The layers that are gone around.
  public let body: Block
  /// A projection, where the body changes the shape; nil where x itself is added.
  public let shortcut: Block?
  public var kind: String { "residual" }

  /// One layer or more, and those of a projection, if there is to be one.
  public init(_ body: [any LayerSpecification], shortcut: [any LayerSpecification] = []) {
    self.body = Block(body)
    self.shortcut = shortcut.isEmpty ? nil : Block(shortcut)
  }

  /// The layers in `body`, one a line.
  public init(shortcut: [any LayerSpecification] = [], @LayerBuilder body: () -> [any LayerSpecification]) {
    self.init(body(), shortcut: shortcut)
  }

  public func outputShape(for input: Shape) throws -> Shape {
    let shape = try body.outputShape(for: input)
    let other = try shortcut?.outputShape(for: input) ?? input
    guard shape == other else { throw ModelError("a residual block of \(shape) beside a shortcut of \(other)") }
    return shape
  }

  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    body.trainingOperations(for: input, needsInputGradient: needsInputGradient)
      + (shortcut?.trainingOperations(for: input, needsInputGradient: needsInputGradient) ?? 0)
  }

  public func learntCount(for input: Shape) -> Double {
    body.learntCount(for: input) + (shortcut?.learntCount(for: input) ?? 0)
  }

  public var usualMicrobatch: Int { min(body.usualMicrobatch, shortcut?.usualMicrobatch ?? body.usualMicrobatch) }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool {
    body.takesSeveralMicrobatches(for: input) && shortcut?.takesSeveralMicrobatches(for: input) ?? true
  }

  /// With a rectifier.
  public func fused(
    with following: ArraySlice<any LayerSpecification>, input: Shape, needsInputGradient: Bool
  ) -> Fusion? {
    following.first is ReLU ? Fusion(ResidualReLU(self), replacing: 2) : nil
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    try makeLayer(input: input, capacity: capacity, needsInputGradient: needsInputGradient, rectifying: false)
  }

  /// The layer, with or without a rectifier behind the sum.
  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool, rectifying: Bool) throws -> any Layer {
    ResidualLayer(
      body: try body.makeLayer(input: input, capacity: capacity, needsInputGradient: needsInputGradient),
      shortcut: try shortcut?.makeLayer(input: input, capacity: capacity, needsInputGradient: needsInputGradient),
      outputCount: capacity * (try outputShape(for: input)).count, inputCount: capacity * input.count,
      rectifying: rectifying)
  }
}

private final class ResidualLayer: Layer {
  /// A way from input to output.
  private struct Way {
    let layer: any Layer
    /// How its parameters lie, from where on in this container's block.
    let layout: ParameterLayout
    let start: Int
    /// The places before it (``Pass``).
    let placesBefore: Int
    /// Its own output, [capacity, output shape], which its gradient may be made from: the sum of both ways would be the wrong one. Of no
    /// floats if it adds up both ways itself.
    let output: Buffer<Float>

    func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, count: Int, _ pass: Pass) -> Buffer<Float> {
      let output = output.prefix(count)
      layer.forward(input, parameters.part(from: start, layout), into: output, pass.entering(after: placesBefore))
      return output
    }

    func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>?, _ pass: Pass) {
      layer.backward(self.windows(windows, into: inputGradient), pass.entering(after: placesBefore))
    }

    /// The way's own windows, of those of the container.
    func windows(_ windows: BackwardWindows, into inputGradient: Buffer<Float>?) -> BackwardWindows {
      BackwardWindows(
        outputGradient: windows.outputGradient, input: windows.input,
        output: output.count == 0 ? windows.output : output.prefix(windows.output.count),
        parameters: windows.parameters.part(from: start, layout), inputGradient: inputGradient,
        gradient: windows.gradient.part(from: start, layout))
    }
  }

  let parameters: [ParameterSpecification]
  let placeCount: Int
  private let body: Way
  private let shortcut: Way?
  /// The body, if its last layer adds what comes by the other way while it writes its output.
  private let adder: Sequential?
  /// The body, if its first layer adds what comes back by the other way while it writes the input's gradient.
  private let gradientAdder: Sequential?
  /// What the shortcut gives of the input's gradient, [capacity, input shape]; of no floats where it is x itself.
  private let shortcutGradient: Buffer<Float>
  /// ∂loss/∂sum, [capacity, output shape], if a rectifier is behind it; else of no floats, for it is the output's.
  private let sumGradient: Buffer<Float>
  private let rectifying: Bool

  init(body: any Layer, shortcut: (any Layer)?, outputCount: Int, inputCount: Int, rectifying: Bool) {
    let adder = (body as? Sequential).flatMap { $0.addsResidual && !rectifying ? $0 : nil }
    self.adder = adder
    gradientAdder = (body as? Sequential).flatMap { $0.addsResidualGradient ? $0 : nil }
    self.body = Way(
      layer: body, layout: ParameterLayout(body.parameters), start: 0, placesBefore: 0,
      output: Buffer(count: adder == nil ? outputCount : 0))
    let start = self.body.layout.count
    self.shortcut = shortcut.map {
      Way(
        layer: $0, layout: ParameterLayout($0.parameters), start: start, placesBefore: body.placeCount,
        output: Buffer(count: outputCount))
    }
    parameters =
      body.parameters
      + (shortcut?.parameters ?? []).map { parameter in
        var named = parameter
        named.name = "shortcut.\(parameter.name)"
        return named
      }
    placeCount = 1 + body.placeCount + (shortcut?.placeCount ?? 0)
    shortcutGradient = Buffer(count: shortcut == nil ? 0 : inputCount)
    sumGradient = Buffer(count: rectifying ? outputCount : 0)
    self.rectifying = rectifying
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let other = shortcut?.forward(input, parameters, count: output.count, pass) ?? input
    if let adder {
      return adder.forward(
        input, parameters.part(from: body.start, body.layout), residual: other, into: output,
        pass.entering(after: body.placesBefore))
    }
    let own = body.forward(input, parameters, count: output.count, pass)
    if rectifying { rectifiedSum(own, other, into: output) } else { sum(own, other, into: output) }
  }

  /// Of a block whose way around is x itself.
  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    guard shortcut == nil, let own = body.layer.makeStepper(samples: samples, positions: positions) else { return nil }
    return PositionStepper { [layout = body.layout] input, parameters, position, output in
      own.step(input, parameters.part(from: 0, layout), at: position, into: output)
      add(input, into: output)
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let windows = rectifying ? beforeRectifier(windows) : windows
    guard let shortcut else {
      let inputGradient = windows.inputGradient
      if let gradientAdder, inputGradient != nil {
        return gradientAdder.backward(
          body.windows(windows, into: inputGradient), adding: windows.outputGradient,
          pass.entering(after: body.placesBefore))
      }
      body.backward(windows, into: inputGradient, pass)
      if let inputGradient { add(windows.outputGradient, into: inputGradient) }
      return
    }
    body.backward(windows, into: windows.inputGradient, pass)
    let own = windows.inputGradient.map { shortcutGradient.prefix($0.count) }
    shortcut.backward(windows, into: own, pass)
    if let own, let inputGradient = windows.inputGradient { add(own, into: inputGradient) }
  }

  /// The windows with the gradient of the sum in the place of the output's.
  private func beforeRectifier(_ windows: BackwardWindows) -> BackwardWindows {
    let gradient = sumGradient.prefix(windows.output.count)
    rectifyGradient(windows.outputGradient, output: windows.output, into: gradient)
    return BackwardWindows(
      outputGradient: gradient, input: windows.input, output: windows.output, parameters: windows.parameters,
      inputGradient: windows.inputGradient, gradient: windows.gradient)
  }
}

extension Residual {
  /// A module with an `nn.Sequential` called `body` and, where there is one, another called `shortcut`.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    let own = try FrameworkModule.sequence(of: body.layers, in: framework, input: input)
    let other = try shortcut.map { try FrameworkModule.sequence(of: $0.layers, in: framework, input: input) }
    // Sums of values in two orders are in neither.
    guard own.features == other?.features ?? input.features else { throw withoutModule(in: framework) }
    return FrameworkModule(
      own.tensors.map { $0.within(layer: "", module: "body") }
        + (other?.tensors ?? []).map { $0.within(layer: "shortcut", module: "shortcut") }, features: own.features)
  }
}

extension Residual: DescribedLayer {
  public var properties: [LayerProperty] {
    [.layers("body", body.layers), .layers("shortcut", shortcut?.layers ?? [])]
  }

  public init(from reader: inout LayerReader) throws {
    self.init(try reader.layers("body"), shortcut: try reader.layers("shortcut", mayBeMissing: true))
  }
}
