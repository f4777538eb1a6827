import Kernels
import Tensors

/// Cuts an image into squares side by side, each of which becomes a token: `y[i · n + j] = x[size · i ..., size · j ...]`, n the squares of
/// a row. Learns nothing.
///
/// Input `[height, width, channels]` → output `[height / size · width / size, size · size · channels]`, row by row, channels fastest as
/// everywhere here. Of one channel that is the order of PyTorch's `unfold`.
///
///     Sequential([Patches(4), TokenDense(64)], input: [28, 28, 1], capacity: 32)
public struct Patches: LayerSpecification {
  /// The side of a square; height and width must be multiples of it.
  public let size: Int
  public var kind: String { "patches" }

  /// Squares of `size` × `size`.
  public init(_ size: Int) {
    precondition(size >= 1, "patches of \(size)×\(size)")
    self.size = size
  }

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.rank == 3, input.count > 0, input[0] % size == 0, input[1] % size == 0 else {
      throw ModelError("input of shape \(input) cannot be cut into patches of \(size)×\(size)")
    }
    return [input[0] / size * (input[1] / size), size * size * input[2]]
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    _ = try outputShape(for: input)
    return PatchesLayer(size: size, columns: input[1] / size, width: size * input[2], band: size * input[1] * input[2])
  }
}

/// A band of `size` rows of pixels is [size, columns, width], its patches are [columns, size, width].
private final class PatchesLayer: Layer {
  private let size: Int
  private let columns: Int
  private let width: Int
  /// The floats of a band.
  private let band: Int
  var parameters: [ParameterSpecification] { [] }

  init(size: Int, columns: Int, width: Int, band: Int) {
    self.size = size
    self.columns = columns
    self.width = width
    self.band = band
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    for start in stride(from: 0, to: input.count, by: band) {
      let range = start..<start + band
      swapAxes(input[range], into: output[range], outer: size, inner: columns, width: width)
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    for start in stride(from: 0, to: inputGradient.count, by: band) {
      let range = start..<start + band
      swapAxes(windows.outputGradient[range], into: inputGradient[range], outer: columns, inner: size, width: width)
    }
  }
}

extension Patches {
  /// PyTorch's `unfold` has a patch with its channels first.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    _ = try outputShape(for: input.shape)
    guard framework == .pytorch else { return FrameworkModule() }
    return FrameworkModule(features: ElementOrder(channelsFirst: [size, size, input.shape[2]]))
  }
}

extension Patches: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("size", size)] }

  public init(from reader: inout LayerReader) throws { self.init(try reader.integer("size")) }
}
