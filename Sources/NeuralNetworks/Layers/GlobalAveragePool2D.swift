import Kernels
import Tensors

/// The mean of each channel over the image: `y[c] = mean of x[h, w, c]`.
///
/// Input `[height, width, channels]` → output `[channels]`. Learns nothing.
public struct GlobalAveragePool2D: LayerSpecification {
  public var kind: String { "averagepool" }

  /// A pool over the whole image.
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.rank == 3, input.count >= 1 else {
      throw ModelError(
        "a global average pooling cannot take input of shape \(input): it takes [height, width, channels]")
    }
    return [input[2]]
  }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    GlobalAveragePool2DLayer(positions: input.count / (try outputShape(for: input)).count)
  }
}

private final class GlobalAveragePool2DLayer: Layer {
  private let positions: Int
  var parameters: [ParameterSpecification] { [] }

  init(positions: Int) { self.positions = positions }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let channels = output.count / pass.samples
    for sample in 0..<pass.samples {
      columnSums(
        input[sample * positions * channels..<(sample + 1) * positions * channels],
        into: output[sample * channels..<(sample + 1) * channels], .replace)
    }
    scale(output, by: 1 / Float(positions))
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    let channels = windows.output.count / pass.samples
    for sample in 0..<pass.samples {
      let start = sample * positions * channels
      let first = inputGradient[start..<start + channels]
      first.copy(from: windows.outputGradient[sample * channels..<(sample + 1) * channels])
      scale(first, by: 1 / Float(positions))
      for position in 1..<max(1, positions) {
        inputGradient[start + position * channels..<start + (position + 1) * channels].copy(from: first)
      }
    }
  }
}

extension GlobalAveragePool2D: DescribedLayer {
  public init(from reader: inout LayerReader) { self.init() }
}
