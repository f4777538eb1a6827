import Primitives

/// The sizes of a convolution, channels last: input [height, width, inputChannels], kernel
/// [kernelHeight, kernelWidth, inputChannels, outputChannels], zero padding on every side.
public struct ConvolutionShape: Sendable {
  /// The input's rows.
  public let height: Int
  /// The input's columns.
  public let width: Int
  /// The input's channels.
  public let inputChannels: Int
  /// The kernel's rows.
  public let kernelHeight: Int
  /// The kernel's columns.
  public let kernelWidth: Int
  /// The filters.
  public let outputChannels: Int
  /// Rows and columns of zeros on each side: 0 is a 'valid' convolution, (kernel − 1) / 2 a 'same' one.
  public let padding: Int
  /// The rows, and the columns, from one position of the kernel to the next.
  public let stride: Int

  /// A convolution of these sizes, with at least one output position.
  public init(
    height: Int, width: Int, inputChannels: Int, kernelHeight: Int, kernelWidth: Int, outputChannels: Int, padding: Int,
    stride: Int = 1
  ) {
    self.height = height
    self.width = width
    self.inputChannels = inputChannels
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.outputChannels = outputChannels
    self.padding = padding
    self.stride = stride
    precondition(stride >= 1, "a stride of \(stride)")
    precondition(outputHeight >= 1 && outputWidth >= 1, "a \(kernelHeight)×\(kernelWidth) kernel on \(height)×\(width)")
  }

  /// The output's rows.
  public var outputHeight: Int { (height + 2 * padding - kernelHeight + stride) / stride }
  /// The output's columns.
  public var outputWidth: Int { (width + 2 * padding - kernelWidth + stride) / stride }
  /// The output's positions: one row of the patch matrix each.
  public var positions: Int { outputHeight * outputWidth }
  /// The floats under one kernel: one column of the patch matrix each.
  public var patch: Int { kernelHeight * kernelWidth * inputChannels }
}

/// Lays the pixels under each kernel position side by side (im2col): `patches` [positions, patch] of one sample.
public func gatherPatches(_ image: Buffer<Float>, into patches: Buffer<Float>, _ shape: ConvolutionShape) {
  precondition(image.count == shape.height * shape.width * shape.inputChannels, "patches of \(image.count) floats")
  precondition(patches.count == shape.positions * shape.patch, "patches into \(patches.count) floats")
  forEachRun(shape) { run in
    let target = unsafe patches.base + run.patchOffset
    if run.isPadding {
      unsafe target.update(repeating: 0, count: run.count)
    } else {
      unsafe target.update(from: image.base + run.imageOffset, count: run.count)
    }
  }
}

/// The transpose of ``gatherPatches(_:into:_:)``: adds each patch back onto the pixels it came from. `image` is overwritten.
public func scatterPatches(_ patches: Buffer<Float>, into image: Buffer<Float>, _ shape: ConvolutionShape) {
  precondition(image.count == shape.height * shape.width * shape.inputChannels, "scatter into \(image.count) floats")
  precondition(patches.count == shape.positions * shape.patch, "scatter of \(patches.count) floats")
  image.fill(0)
  forEachRun(shape) { run in
    guard !run.isPadding else { return }
    for i in 0..<run.count { unsafe image.base[run.imageOffset + i] += patches.base[run.patchOffset + i] }
  }
}

/// Neighbouring floats that are neighbours in both the image and the patch matrix.
private struct Run {
  var patchOffset: Int
  var imageOffset: Int
  var count: Int
  var isPadding: Bool
}

@inline(__always)
private func forEachRun(_ shape: ConvolutionShape, _ body: (Run) -> Void) {
  let channels = shape.inputChannels
  for y in 0..<shape.outputHeight {
    for x in 0..<shape.outputWidth {
      for ky in 0..<shape.kernelHeight {
        let row = y * shape.stride + ky - shape.padding
        var offset = (y * shape.outputWidth + x) * shape.patch + ky * shape.kernelWidth * channels
        let left = x * shape.stride - shape.padding
        // Columns [0, before) and [after, kernelWidth) of this row of the kernel hang over the image's edge.
        let isOutside = row < 0 || row >= shape.height
        let before = isOutside ? shape.kernelWidth : max(0, -left)
        let after = isOutside ? shape.kernelWidth : min(shape.kernelWidth, shape.width - left)
        if before > 0 {
          body(Run(patchOffset: offset, imageOffset: 0, count: before * channels, isPadding: true))
          offset += before * channels
        }
        if after > before {
          let pixel = (row * shape.width + left + before) * channels
          body(Run(patchOffset: offset, imageOffset: pixel, count: (after - before) * channels, isPadding: false))
          offset += (after - before) * channels
        }
        if !isOutside && after < shape.kernelWidth {
          body(Run(patchOffset: offset, imageOffset: 0, count: (shape.kernelWidth - after) * channels, isPadding: true))
        }
      }
    }
  }
}
