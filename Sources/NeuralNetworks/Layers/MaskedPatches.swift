import Kernels
import Tensors

/// Cuts an image into patches, with a learnt value in the place of each hidden pixel: `y = hidden ? patch[place] : x`, place that of the
/// pixel in its patch.
///
/// Input `[height, width, 2]`: the pixel, and whether it is hidden, which is any number but 0 → output `[height / size · width / size,
/// size · size]`, in the order of ``Patches``. Parameter: `patch` [size · size] (normal, deviation 0.02), the same in all places. It does not
/// decay, as a bias does not. What a hidden pixel is has no way into the output.
///
/// Where whole patches are hidden it is BERT's mask token (Devlin et al. 2018; of images, Xie et al. 2022), before the projection in the place
/// of behind it, so that the layers that follow are those of a net that sees all.
///
///     Sequential([MaskedPatches(4), TokenDense(64)], input: [28, 28, 2], capacity: 32)
public struct MaskedPatches: LayerSpecification {
  /// The side of a patch; height and width must be multiples of it.
  public let size: Int
  public var kind: String { "maskedpatches" }

  /// Patches of `size` × `size`.
  public init(_ size: Int) {
    precondition(size >= 1, "patches of \(size)×\(size)")
    self.size = size
  }

  public func outputShape(for input: Shape) throws -> Shape {
    let grid = try grid(for: input)
    return [grid.count, grid.patchPixels]
  }

  public func learntCount(for input: Shape) -> Double { Double(size) * Double(size) }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    MaskedPatchesLayer(try grid(for: input))
  }

  private func grid(for input: Shape) throws -> PatchGrid {
    guard input.rank == 3, input[2] == 2, let grid = PatchGrid(height: input[0], width: input[1], size: size) else {
      throw ModelError(
        "masked patches of \(size)×\(size) cannot take input of shape \(input): they take [height, width, 2] of whole patches, "
          + "a pixel and whether it is hidden")
    }
    return grid
  }
}

private final class MaskedPatchesLayer: Layer {
  private let grid: PatchGrid
  let parameters: [ParameterSpecification]
  /// The patch's gradient, completed here over samples and patches before it is written or added.
  private let patchGradient: Buffer<Float>

  init(_ grid: PatchGrid) {
    self.grid = grid
    parameters = [
      ParameterSpecification(
        name: "patch", shape: [grid.patchPixels], initialiser: .normal(deviation: 0.02), role: .bias)
    ]
    patchGradient = Buffer(count: grid.patchPixels)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let patch = parameters[0]
    grid.forEachPixel(of: pass.samples) { inPatches, inImages, place in
      output[inPatches] = input[2 * inImages + 1] != 0 ? patch[place] : input[2 * inImages]
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    patchGradient.fill(0)
    windows.inputGradient?.fill(0)
    grid.forEachPixel(of: pass.samples) { inPatches, inImages, place in
      let gradient = windows.outputGradient[inPatches]
      if windows.input[2 * inImages + 1] != 0 {
        patchGradient[place] += gradient
      } else {
        windows.inputGradient?[2 * inImages] = gradient
      }
    }
    windows.gradient.complete(0, with: patchGradient)
  }
}

extension MaskedPatches {
  /// An `nn.Parameter` called `patch`, of one channel.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    return FrameworkModule([FrameworkTensor(framework, "patch", [size * size], parameter: "patch")])
  }
}

extension MaskedPatches: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("size", size)] }

  public init(from reader: inout LayerReader) throws { self.init(try reader.integer("size")) }
}
