import Kernels
import Tensors

/// The largest of each `size` × `size` window: `y[h, w, c] = max x[stride·h + i, stride·w + j, c]`. Windows are side by side unless a stride
/// is given.
///
/// Input `[height, width, channels]` → output `[(height − size) / stride + 1, (width − size) / stride + 1, channels]`; a remainder at the
/// edge is dropped. The gradient goes to the first maximum of its window. Learns nothing.
public struct MaxPool2D: LayerSpecification, CustomStringConvertible {
  /// The window's side.
  public let size: Int
  /// The step from a window to the next.
  public let stride: Int
  public var kind: String { "maxpool" }
  /// As Swift would write it, without a stride that is the window's side: it is a part of checkpoints.
  public var description: String { "MaxPool2D(size: \(size)\(stride == size ? "" : ", stride: \(stride)"))" }

  /// A pool of `size` × `size` windows, `stride` apart; by default side by side.
  public init(_ size: Int, stride: Int? = nil) { (self.size, self.stride) = (size, stride ?? size) }

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.rank == 3, input[0] >= size, input[1] >= size else {
      throw ModelError("a \(size)×\(size) max-pooling cannot take input of shape \(input)")
    }
    return [(input[0] - size) / stride + 1, (input[1] - size) / stride + 1, input[2]]
  }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    let shape = PoolingShape(height: input[0], width: input[1], channels: input[2], size: size, stride: stride)
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
  public var properties: [LayerProperty] { [.integer("size", size), .integer("stride", stride, usual: size)] }

  public init(from reader: inout LayerReader) throws {
    let size = try reader.integer("size")
    self.init(size, stride: try reader.integer("stride", usual: size))
  }
}
