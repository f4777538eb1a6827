// A convolution of stride 1 without a patch matrix, with or without a ReLU behind it, and its gradients.
//
// Channels last makes a row of a kernel's patch contiguous: its kernel · inputChannels floats lie side by side in the image.
// Forward: lanes along the output channels, four neighbouring positions by two vectors of them in registers, or eight where there are
// thirty-two registers. The input's gradient is the same convolution of the output's gradient, with zeros around it, and of the
// weights turned about. The weights' gradient: up to four or eight of a patch's floats by two vectors of output channels in
// registers, over all positions of a sample.
//
// Legend: L floats in a patch's row

import Primitives
import Vectors

/// A direct convolution of certain sizes, with its buffers.
public struct DirectConvolution: SampleConvolution {
  public let shape: ConvolutionShape
  public let sums: ConvolutionSums
  private var kernel: Int { shape.kernelHeight }
  /// The image with its padding, and the output's gradient with the zeros that give an input's gradient around it.
  private let forward: DirectPass
  private let backward: DirectPass?
  /// The weights as a pass reads them, [channels / 2 lanes][kernel · L][2 lanes].
  private let forwardWeights: Buffer<Float>
  private let backwardWeights: Buffer<Float>
  /// One sample with the padding around it, and its output's gradient with zeros around it.
  private let image: Buffer<Float>
  private let paddedGradient: Buffer<Float>

  /// Four positions in a row at least, and whole pairs of vectors of output channels (and of input channels, where their gradient is asked
  /// for).
  public static func fits(_ shape: ConvolutionShape, needsInputGradient: Bool) -> Bool {
    passes(shape, needsInputGradient: needsInputGradient) != nil
  }

  private static func passes(
    _ shape: ConvolutionShape, needsInputGradient: Bool
  ) -> (forward: DirectPass, backward: DirectPass?)? {
    let kernel = shape.kernelHeight
    guard shape.stride == 1, shape.kernelWidth == kernel, shape.padding < kernel,
      let forward = DirectPass(
        height: shape.height, width: shape.width, inputChannels: shape.inputChannels, kernel: kernel,
        channels: shape.outputChannels, padding: shape.padding)
    else { return nil }
    guard needsInputGradient else { return (forward, nil) }
    return DirectPass(
      height: shape.outputHeight, width: shape.outputWidth, inputChannels: shape.outputChannels, kernel: kernel,
      channels: shape.inputChannels, padding: kernel - 1 - shape.padding
    ).map { (forward, $0) }
  }

  public init?(_ shape: ConvolutionShape, needsInputGradient: Bool) {
    guard let passes = Self.passes(shape, needsInputGradient: needsInputGradient) else { return nil }
    self.shape = shape
    (forward, backward) = passes
    sums = ConvolutionSums(shape)
    let weights = shape.patch * shape.outputChannels
    forwardWeights = Buffer(count: weights)
    backwardWeights = Buffer(count: backward == nil ? 0 : weights)
    image = Buffer(count: shape.padding > 0 ? forward.paddedCount : 0)
    paddedGradient = Buffer(count: backward?.paddedCount ?? 0)
  }

  public func beginForward(_ weights: Buffer<Float>) {
    groupWeights(weights, taps: forward.taps, channels: forward.channels, into: forwardWeights)
  }

  public func convolve(
    _ input: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>, rectifying: Bool
  ) {
    unsafe VectorKernels.convolve(
      forward.pad(input.base, image), forwardWeights.base, bias.base, output.base, forward, rectifying)
  }

  public func beginBackward(_ weights: Buffer<Float>, needsInputGradient: Bool) {
    precondition(!needsInputGradient || backward != nil, "a convolution made without an input gradient")
    sums.weights.fill(0)
    if needsInputGradient { turn(weights) }
  }

  public func differentiate(_ input: Buffer<Float>, _ gradient: Buffer<Float>, inputGradient: Buffer<Float>?) {
    unsafe accumulateWeights(forward.pad(input.base, image), gradient.base, sums.weights.base, forward)
    if let inputGradient, let backward {
      unsafe VectorKernels.convolve(
        backward.pad(gradient.base, paddedGradient), backwardWeights.base, sums.noBias.base, inputGradient.base,
        backward, false)
    }
  }

  public func completeWeights() {}

  /// Lays out the weights as the input's gradient reads them: turned by half a turn, output channels for input channels, grouped.
  private func turn(_ weights: Buffer<Float>) {
    let (from, to) = (shape.inputChannels, shape.outputChannels)
    let places = kernel * kernel
    let pair = 2 * laneCount
    let target = unsafe backwardWeights.base
    for place in 0..<places {
      let turned = places - 1 - place
      for i in 0..<from {
        let row = unsafe UnsafePointer(weights.base) + (place * from + i) * to
        let column = unsafe target + (i / pair * places + turned) * to * pair + i % pair
        for o in 0..<to { unsafe column[o * pair] = row[o] }
      }
    }
  }
}

/// One pass of the kernel: an image with its padding already around it.
private struct DirectPass {
  let height: Int
  let width: Int
  let inputChannels: Int
  let kernel: Int
  let channels: Int
  let padding: Int

  init?(height: Int, width: Int, inputChannels: Int, kernel: Int, channels: Int, padding: Int) {
    guard width + 2 * padding - kernel + 1 >= 4, channels % (2 * laneCount) == 0 else { return nil }
    self.height = height
    self.width = width
    self.inputChannels = inputChannels
    self.kernel = kernel
    self.channels = channels
    self.padding = padding
  }

  var outputHeight: Int { height + 2 * padding - kernel + 1 }
  var outputWidth: Int { width + 2 * padding - kernel + 1 }
  /// The floats of a patch's row, and of a patch.
  var rowCount: Int { kernel * inputChannels }
  var taps: Int { kernel * rowCount }
  /// From a row of the padded image to the next.
  var stride: Int { (width + 2 * padding) * inputChannels }
  var paddedCount: Int { (height + 2 * padding) * stride }

  /// The image with zeros around it: `image` itself if it needs none, else in `padded`, whose border is zero already.
  func pad(_ image: UnsafePointer<Float>, _ padded: Buffer<Float>) -> UnsafePointer<Float> {
    guard padding > 0 else { return unsafe image }
    let row = width * inputChannels
    for y in 0..<height {
      unsafe (padded.base + (y + padding) * stride + padding * inputChannels).update(from: image + y * row, count: row)
    }
    return unsafe UnsafePointer(padded.base)
  }
}

/// `grouped` [channels / 2 lanes][taps][2 lanes] of `weights` [taps][channels].
func groupWeights(_ weights: Buffer<Float>, taps: Int, channels: Int, into grouped: Buffer<Float>) {
  let pair = 2 * laneCount
  for group in 0..<channels / pair {
    for tap in 0..<taps {
      grouped[(group * taps + tap) * pair..<(group * taps + tap + 1) * pair].copy(
        from: weights[tap * channels + group * pair..<tap * channels + (group + 1) * pair])
    }
  }
}

private func convolve(
  _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ pass: DirectPass, _ rectifying: Bool
) {
  for group in 0..<pass.channels / (2 * laneCount) {
    let at = group * 2 * laneCount
    for y in 0..<pass.outputHeight {
      let row = unsafe image + y * pass.stride
      let target = unsafe output + y * pass.outputWidth * pass.channels + at
      var x = 0
      // A width of 4 k + 2 would have two computed twice.
      if laneCount == 8 && pass.outputWidth % 4 == 2 && pass.outputWidth >= 6 {
        unsafe convolve(
          RegisterTile<6>.self, row, weights + at * pass.taps, bias + at, target, pass, rectifying)
        x = 6
      }
      // Eight where there are registers for them: the weights are read half as often.
      while laneCount == 16 && x + 8 <= pass.outputWidth {
        unsafe convolve(
          RegisterTile<8>.self, row + x * pass.inputChannels, weights + at * pass.taps, bias + at,
          target + x * pass.channels, pass, rectifying)
        x += 8
      }
      while x < pass.outputWidth {
        // The last four may overlap those before them, and compute the same once more.
        let start = min(x, pass.outputWidth - 4)
        unsafe convolve(
          RegisterTile<4>.self, row + start * pass.inputChannels, weights + at * pass.taps, bias + at,
          target + start * pass.channels, pass, rectifying)
        x += 4
      }
    }
  }
}

/// A row of the tile is one of neighbouring positions.
@inline(__always)
private func convolve<let positions: Int>(
  _ tile: RegisterTile<positions>.Type, _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
  _ bias: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ pass: DirectPass, _ rectifying: Bool
) {
  var sums = tile.init()
  var w = unsafe weights
  for ky in 0..<pass.kernel {
    var x = unsafe image + ky * pass.stride
    for _ in 0..<pass.rowCount {
      unsafe sums.addOuterProduct(x, stride: pass.inputChannels, w.lanes(0), w.lanes(laneCount))
      unsafe x += 1
      unsafe w += 2 * laneCount
    }
  }
  unsafe sums.add(bias.lanes(0), bias.lanes(laneCount))
  if rectifying { sums.rectify() }
  unsafe sums.store(to: output, stride: pass.channels)
}

/// `totals[ky, j, o] += Σ over the positions of image[y + ky, x, j] · gradient[y, x, o]`.
private func accumulateWeights(
  _ image: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
  _ pass: DirectPass
) {
  for group in stride(from: 0, to: pass.channels, by: 2 * laneCount) {
    for ky in 0..<pass.kernel {
      let row = unsafe image + ky * pass.stride
      let g = unsafe gradient + group
      var j = 0
      while j < pass.rowCount {
        let target = unsafe totals + (ky * pass.rowCount + j) * pass.channels + group
        switch pass.rowCount - j {
        case 8... where laneCount == 16:
          unsafe accumulate(RegisterTile<8>.self, row + j, g, target, pass)
          j += 8
        case 3:
          unsafe accumulate(RegisterTile<3>.self, row + j, g, target, pass)
          j += 3
        case 4...:
          unsafe accumulate(RegisterTile<4>.self, row + j, g, target, pass)
          j += 4
        default:
          unsafe accumulate(RegisterTile<1>.self, row + j, g, target, pass)
          j += 1
        }
      }
    }
  }
}

/// Adds all positions to the sums of some of a patch's floats, a row of the tile each, and writes them to `totals`.
@inline(__always)
private func accumulate<let floats: Int>(
  _ tile: RegisterTile<floats>.Type, _ image: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
  _ totals: UnsafeMutablePointer<Float>, _ pass: DirectPass
) {
  var sums = unsafe tile.init(totals, stride: pass.channels)
  var g = unsafe gradient
  for y in 0..<pass.outputHeight {
    var x = unsafe image + y * pass.stride
    for _ in 0..<pass.outputWidth {
      unsafe sums.addOuterProduct(x, stride: 1, g.lanes(0), g.lanes(laneCount))
      unsafe x += pass.inputChannels
      unsafe g += pass.channels
    }
  }
  unsafe sums.store(to: totals, stride: pass.channels)
}
