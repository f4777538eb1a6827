import Kernels
import NeuralNetworks
import Tensors

/// A probe of the protocol: `y = body(x) + shortcut(x)`, the shortcut x itself unless a projection is given.
struct Residual: LayerSpecification {
  let body: Block
  let shortcut: Block?
  var kind: String { "residual" }

  func outputShape(for input: Shape) throws -> Shape {
    let shape = try body.outputShape(for: input)
    let other = try shortcut?.outputShape(for: input) ?? input
    guard shape == other else { throw ModelError("a residual block of \(shape) beside a shortcut of \(other)") }
    return shape
  }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    ResidualLayer(
      body: try body.makeLayer(input: input, capacity: capacity, needsInputGradient: needsInputGradient),
      shortcut: try shortcut?.makeLayer(input: input, capacity: capacity, needsInputGradient: needsInputGradient),
      outputCount: capacity * (try outputShape(for: input)).count, inputCount: capacity * input.count)
  }
}

private final class ResidualLayer: Layer {
  private let body: any Layer
  private let shortcut: (any Layer)?
  let parameters: [ParameterSpecification]
  private let bodyLayout: ParameterLayout
  private let shortcutLayout: ParameterLayout
  /// The body's own output, which its gradient may be made from; the sum of both would be the wrong one.
  private let bodyOutput: Buffer<Float>
  private let shortcutOutput: Buffer<Float>
  private let shortcutGradient: Buffer<Float>

  init(body: any Layer, shortcut: (any Layer)?, outputCount: Int, inputCount: Int) {
    self.body = body
    self.shortcut = shortcut
    let named: (String, [ParameterSpecification]) -> [ParameterSpecification] = { stem, parameters in
      parameters.map { parameter in
        var named = parameter
        named.name = "\(stem).\(parameter.name)"
        return named
      }
    }
    parameters = named("body", body.parameters) + named("shortcut", shortcut?.parameters ?? [])
    bodyLayout = ParameterLayout(body.parameters)
    shortcutLayout = ParameterLayout(shortcut?.parameters ?? [])
    bodyOutput = Buffer(count: outputCount)
    shortcutOutput = Buffer(count: shortcut == nil ? 0 : outputCount)
    shortcutGradient = Buffer(count: shortcut == nil ? 0 : inputCount)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let bodyOutput = bodyOutput.prefix(output.count)
    body.forward(input, parameters.part(from: 0, bodyLayout), into: bodyOutput, pass)
    if let shortcut {
      let shortcutOutput = shortcutOutput.prefix(output.count)
      shortcut.forward(input, parameters.part(from: bodyLayout.count, shortcutLayout), into: shortcutOutput, pass)
      sum(bodyOutput, shortcutOutput, into: output)
    } else {
      sum(bodyOutput, input, into: output)
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    body.backward(
      BackwardWindows(
        outputGradient: windows.outputGradient, input: windows.input, output: bodyOutput.prefix(windows.output.count),
        parameters: windows.parameters.part(from: 0, bodyLayout), inputGradient: windows.inputGradient,
        gradient: windows.gradient.part(from: 0, bodyLayout)), pass)
    guard let shortcut else {
      if let inputGradient = windows.inputGradient { add(windows.outputGradient, into: inputGradient) }
      return
    }
    let own = windows.inputGradient == nil ? nil : shortcutGradient.prefix(windows.input.count)
    shortcut.backward(
      BackwardWindows(
        outputGradient: windows.outputGradient, input: windows.input,
        output: shortcutOutput.prefix(windows.output.count),
        parameters: windows.parameters.part(from: bodyLayout.count, shortcutLayout), inputGradient: own,
        gradient: windows.gradient.part(from: bodyLayout.count, shortcutLayout)), pass)
    if let own, let inputGradient = windows.inputGradient { add(own, into: inputGradient) }
  }
}
