import Tensors

/// The mean squared error of a sample's hidden pixels (Xie et al. 2022), of n pixels y that are hidden and their outputs z:
/// `loss = Σ over hidden pixels of (z − y)² / n`, `∂loss/∂z = 2 (z − y) / n`; of a pixel that can be seen the gradient is 0.
///
/// Output `[patches, pixels of a patch]`, in the order of ``Patches``. The target is the sample itself, [height, width, 2]: the pixel, and
/// whether it is hidden, which is any number but 0 (``Examples/values``). The loss of a sample without hidden pixels is 0.
public struct HiddenPatchError: Loss {
  private let grid: PatchGrid
  public var outputs: Int { grid.pixels }
  public var outputShape: Shape { [grid.count, grid.patchPixels] }
  public var targetValues: Int { 2 * grid.pixels }
  public var name: String { PixelTask.Kind.hidden.rawValue }
  public var unit: String { "squared error a hidden pixel" }

  /// The loss over samples of shape `input`, [height, width, 2], whose pixels are put out in patches of `size` × `size`. Throws
  /// ``ModelError`` if they are not of that shape, or such patches do not fill them.
  public init(input: Shape, size: Int = 4) throws {
    guard input.rank == 3, input[2] == 2, let grid = PatchGrid(height: input[0], width: input[1], size: size) else {
      throw ModelError(
        "the error of hidden pixels in patches of \(size)×\(size) is not of samples of shape \(input), but of [height, width, 2] of "
          + "whole patches, a pixel and whether it is hidden")
    }
    self.grid = grid
  }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    precondition(
      examples.values.count == examples.samples * targetValues && output.count == examples.samples * outputs,
      "\(examples.values.count) values for \(examples.samples) samples of \(outputs) pixels")
    var loss = 0.0
    for sample in 0..<examples.samples {
      let values = examples.values[sample * targetValues..<(sample + 1) * targetValues]
      let part = sample * outputs..<(sample + 1) * outputs
      loss += error(output[part], values, gradient: gradient?[part])
    }
    return LossSums(loss: loss, samples: examples.samples)
  }

  /// The loss of one sample.
  private func error(_ output: Buffer<Float>, _ values: Buffer<Float>, gradient: Buffer<Float>?) -> Double {
    gradient?.fill(0)
    let hidden = (0..<outputs).count { values[2 * $0 + 1] != 0 }
    guard hidden > 0 else { return 0 }
    var sum = 0.0
    grid.forEachPixel(of: 1) { inPatches, inImages, _ in
      guard values[2 * inImages + 1] != 0 else { return }
      let difference = output[inPatches] - values[2 * inImages]
      sum += Double(difference) * Double(difference)
      gradient?[inPatches] = 2 * difference / Float(hidden)
    }
    return sum / Double(hidden)
  }
}
