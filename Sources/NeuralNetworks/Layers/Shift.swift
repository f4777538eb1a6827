import Tensors

/// Moves a sequence back by one place, so that an output sees only what comes before it: `y[0] = start, y[i] = x[i − 1]`. Learns nothing.
///
/// Input of any shape `[positions, …]` → output of the same. The last position is dropped. It is the first layer of a model that predicts
/// each value from those before it, such as `gpt` and `wavenet`.
///
///     Sequential([Shift(start: 2), Embedding(tokens: 3, width: 64)], input: [196], capacity: 32)
public struct Shift: LayerSpecification {
  /// The value before the first.
  public let start: Float
  public var kind: String { "shift" }

  /// A shift that begins with `start`: a token of its own, or zero.
  public init(start: Float) { self.start = start }

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.rank >= 1, input.count >= 1 else {
      throw ModelError("a shift cannot take input of shape \(input): it takes [positions, …]")
    }
    return input
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = try outputShape(for: input)
    return ShiftLayer(positions: shape[0], width: shape.count / shape[0], start: start)
  }
}

private final class ShiftLayer: Layer {
  private let width: Int
  /// The floats of a sample.
  private let count: Int
  private let start: Float
  var parameters: [ParameterSpecification] { [] }

  init(positions: Int, width: Int, start: Float) {
    self.width = width
    self.start = start
    count = positions * width
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    for first in stride(from: 0, to: input.count, by: count) {
      output[first..<first + width].fill(start)
      output[first + width..<first + count].copy(from: input[first..<first + count - width])
    }
  }

  /// The input is the position before already, which alone is known (``Network/makeStepper(samples:)``).
  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    guard count == positions * width else { return nil }
    return PositionStepper { [start] input, _, position, output in
      if position == 0 { output.fill(start) } else { output.copy(from: input) }
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    for first in stride(from: 0, to: inputGradient.count, by: count) {
      inputGradient[first..<first + count - width].copy(from: windows.outputGradient[first + width..<first + count])
      inputGradient[first + count - width..<first + count].fill(0)
    }
  }
}

extension Shift: DescribedLayer {
  public var properties: [LayerProperty] { [.number("start", start)] }

  public init(from reader: inout LayerReader) throws {
    self.init(start: try reader.number("start", in: (-1e9)...1e9, "from -1e9 to 1e9"))
  }
}
