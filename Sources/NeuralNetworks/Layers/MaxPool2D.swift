import Kernels
import Tensors

/// The largest of each `size` × `size` window, windows side by side: `y[h, w, c] = max x[size·h + i, size·w + j, c]`.
///
/// Input `[height, width, channels]` → output `[height / size, width / size, channels]`; a remainder at the edge is dropped.
/// The gradient goes to the first maximum of its window. Learns nothing.
public struct MaxPool2D: LayerSpecification {
  /// The window's side and the stride.
  public let size: Int
  public var kind: String { "maxpool" }

  /// A pool of `size` × `size` windows.
  public init(_ size: Int) { self.size = size }

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.rank == 3, input[0] >= size, input[1] >= size else {
      throw ModelError("a \(size)×\(size) max-pooling cannot take input of shape \(input)")
    }
    return [input[0] / size, input[1] / size, input[2]]
  }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = PoolingShape(height: input[0], width: input[1], channels: input[2], size: size)
    return MaxPool2DLayer(shape, capacity: capacity)
  }
}

private final class MaxPool2DLayer: Layer {
  private let shape: PoolingShape
  private let winners: Buffer<Int32>
  var parameters: [ParameterSpecification] { [] }

  init(_ shape: PoolingShape, capacity: Int) {
    self.shape = shape
    winners = Buffer(count: capacity * shape.pooledCount)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    maxPool(input, into: output, winners: winners.prefix(output.count), samples: pass.samples, shape)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    maxPoolGradient(
      windows.outputGradient, winners: winners.prefix(windows.output.count), into: inputGradient, samples: pass.samples,
      shape)
  }
}

extension MaxPool2D: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("size", size)] }

  public init(from reader: inout LayerReader) throws { self.init(try reader.integer("size")) }
}
