import Kernels
import NeuralNetworks
import Tensors

/// A probe of the protocol: `y = body(x) + shortcut(x)`, the shortcut x itself unless a projection is given.
struct Residual: LayerSpecification {
  let body: Block
  let shortcut: Block?
  var kind: String { "residual" }

  func outputShape(for input: Shape) throws(ModelError) -> Shape {
    let shape = try body.outputShape(for: input)
    let other = try shortcut?.outputShape(for: input) ?? input
    guard shape == other else { throw ModelError("a residual block of \(shape) beside a shortcut of \(other)") }
    return shape
  }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws(ModelError) -> any Layer {
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
  private let bodyRange: Range<Int>
  private let shortcutRange: Range<Int>
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
    bodyRange = 0..<ParameterLayout(body.parameters).count
    shortcutRange = bodyRange.upperBound..<ParameterLayout(parameters).count
    bodyOutput = Buffer(count: outputCount)
    shortcutOutput = Buffer(count: shortcut == nil ? 0 : outputCount)
    shortcutGradient = Buffer(count: shortcut == nil ? 0 : inputCount)
  }

  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass) {
    let bodyOutput = bodyOutput.prefix(output.count)
    body.forward(input, parameters[bodyRange], into: bodyOutput, pass)
    if let shortcut {
      let shortcutOutput = shortcutOutput.prefix(output.count)
      shortcut.forward(input, parameters[shortcutRange], into: shortcutOutput, pass)
      sum(bodyOutput, shortcutOutput, into: output)
    } else {
      sum(bodyOutput, input, into: output)
    }
  }

  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass
  ) {
    body.backward(
      outputGradient, input: input, output: bodyOutput.prefix(output.count), parameters: parameters[bodyRange],
      into: inputGradient, gradient: gradient[bodyRange], accumulation, pass)
    if let shortcut {
      let own = inputGradient == nil ? nil : shortcutGradient.prefix(input.count)
      shortcut.backward(
        outputGradient, input: input, output: shortcutOutput.prefix(output.count),
        parameters: parameters[shortcutRange], into: own, gradient: gradient[shortcutRange], accumulation, pass)
      if let own, let inputGradient { add(own, into: inputGradient) }
    } else if let inputGradient {
      add(outputGradient, into: inputGradient)
    }
  }
}
