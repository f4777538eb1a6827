// A convolution of stride 1 without a patch matrix, with or without a ReLU behind it, and its gradients.
//
// Channels last makes a row of a kernel's patch contiguous: its kernel · inputChannels floats lie side by side in the image.
// Forward: lanes along the output channels, four neighbouring positions by two vectors of them in registers, or eight where there are
// thirty-two registers. The input's gradient is the same convolution of the output's gradient, with zeros around it, and of the
// weights turned about. The weights' gradient: up to four or eight of a patch's floats by two vectors of output channels in
// registers, over all positions of a sample.
//
// Legend: L floats in a patch's row

/// The sizes of a direct convolution, from those of a convolution.
public struct DirectConvolutionShape: Sendable {
  fileprivate let base: ConvolutionShape
  fileprivate var kernel: Int { base.kernelHeight }
  /// The image with its padding, and the output's gradient with the zeros that give an input's gradient around it.
  fileprivate let forward: DirectPass
  fileprivate let backward: DirectPass?

  /// Sizes that this kernel can do, or nil: four positions in a row at least, and whole pairs of vectors of output channels (and
  /// of input channels, where their gradient is asked for).
  public init?(_ shape: ConvolutionShape, needsInputGradient: Bool) {
    let kernel = shape.kernelHeight
    guard shape.stride == 1, shape.kernelWidth == kernel, shape.padding < kernel,
      let forward = DirectPass(
        height: shape.height, width: shape.width, inputChannels: shape.inputChannels, kernel: kernel,
        channels: shape.outputChannels, padding: shape.padding)
    else { return nil }
    base = shape
    self.forward = forward
    backward =
      needsInputGradient
      ? DirectPass(
        height: shape.outputHeight, width: shape.outputWidth, inputChannels: shape.outputChannels, kernel: kernel,
        channels: shape.inputChannels, padding: kernel - 1 - shape.padding) : nil
    if needsInputGradient && backward == nil { return nil }
  }

  /// The floats of one sample's input and output, and of all weights.
  public var inputCount: Int { base.height * base.width * base.inputChannels }
  public var outputCount: Int { base.positions * base.outputChannels }
  public var weightsCount: Int { base.patch * base.outputChannels }
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

/// Buffers that a direct convolution needs, made once.
public struct DirectConvolutionScratch: Sendable {
  /// The weights as a pass reads them, [channels / 2 lanes][kernel · L][2 lanes].
  fileprivate let forwardWeights: Buffer<Float>
  fileprivate let backwardWeights: Buffer<Float>
  /// One sample with the padding around it, and its output's gradient behind the ReLU, without and with zeros around it.
  fileprivate let image: Buffer<Float>
  fileprivate let gradient: Buffer<Float>
  fileprivate let paddedGradient: Buffer<Float>
  /// The gradients of weights and bias, completed here over the samples.
  fileprivate let totals: Buffer<Float>
  fileprivate let biasTotals: Buffer<Float>
  /// The bias of the input's gradient, and of a convolution without one: zeros.
  fileprivate let noBias: Buffer<Float>

  /// The buffers for `shape`.
  public init(_ shape: DirectConvolutionShape) {
    forwardWeights = Buffer(count: shape.weightsCount)
    backwardWeights = Buffer(count: shape.backward == nil ? 0 : shape.weightsCount)
    image = Buffer(count: shape.base.padding > 0 ? shape.forward.paddedCount : 0)
    gradient = Buffer(count: shape.outputCount)
    paddedGradient = Buffer(count: shape.backward?.paddedCount ?? 0)
    totals = Buffer(count: shape.weightsCount)
    biasTotals = Buffer(count: shape.base.outputChannels)
    noBias = Buffer(count: max(shape.base.inputChannels, shape.base.outputChannels))
  }
}

/// `output[n, y, x, o]` = bias[o] + Σ weights · patch, and with `rectifying` the larger of that and 0.
///
/// `input` [samples, height, width, inputChannels] · `weights` [kernel, kernel, inputChannels, outputChannels] · `bias`
/// [outputChannels], nil for none · `output` [samples, output height, output width, outputChannels].
public func directConvolution(
  _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>?, into output: Buffer<Float>, samples: Int,
  _ shape: DirectConvolutionShape, rectifying: Bool, scratch: DirectConvolutionScratch
) {
  let bias = bias ?? scratch.noBias.prefix(shape.base.outputChannels)
  precondition(input.count == samples * shape.inputCount, "direct convolution of \(input.count) floats")
  precondition(output.count == samples * shape.outputCount, "direct convolution into \(output.count) floats")
  precondition(
    weights.count == shape.weightsCount && bias.count == shape.base.outputChannels, "direct convolution's weights")
  groupWeights(weights, taps: shape.forward.taps, channels: shape.forward.channels, into: scratch.forwardWeights)
  for sample in 0..<samples {
    unsafe convolve(
      shape.forward.pad(input.base + sample * shape.inputCount, scratch.image), scratch.forwardWeights.base, bias.base,
      output.base + sample * shape.outputCount, shape.forward, rectifying)
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

/// The gradients of ``directConvolution``: of its weights and bias, if any, summed over the samples and then written or
/// added once, and of its input if the shape was made for that. `output` is what forward wrote; it is read only with
/// `rectifying`.
public func directConvolutionGradient(
  _ gradient: Buffer<Float>, output: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>,
  into weightsGradient: Buffer<Float>, bias biasGradient: Buffer<Float>?, inputGradient: Buffer<Float>?, samples: Int,
  _ shape: DirectConvolutionShape, rectifying: Bool, scratch: DirectConvolutionScratch, _ accumulation: Accumulation
) {
  precondition(input.count == samples * shape.inputCount, "direct convolution's gradient: input")
  precondition(
    gradient.count == samples * shape.outputCount && output.count == gradient.count,
    "direct convolution's gradient of \(gradient.count) and \(output.count) floats")
  precondition(
    weightsGradient.count == shape.weightsCount && weights.count == shape.weightsCount
      && (biasGradient?.count ?? shape.base.outputChannels) == shape.base.outputChannels,
    "direct convolution's gradient: weights")
  precondition(
    inputGradient.map { $0.count == input.count && shape.backward != nil } ?? true,
    "direct convolution's input gradient")
  scratch.totals.fill(0)
  scratch.biasTotals.fill(0)
  if inputGradient != nil { turnWeights(weights, shape, scratch) }
  for sample in 0..<samples {
    let range = sample * shape.outputCount..<(sample + 1) * shape.outputCount
    var own = gradient[range]
    if rectifying {
      rectifyGradient(own, output: output[range], into: scratch.gradient)
      own = scratch.gradient
    }
    if biasGradient != nil { columnSums(own, into: scratch.biasTotals, .add) }
    unsafe accumulateWeights(
      shape.forward.pad(input.base + sample * shape.inputCount, scratch.image), own.base, scratch.totals.base,
      shape.forward)
    if let inputGradient, let backward = shape.backward {
      unsafe convolve(
        backward.pad(own.base, scratch.paddedGradient), scratch.backwardWeights.base, scratch.noBias.base,
        inputGradient.base + sample * shape.inputCount, backward, false)
    }
  }
  accumulate(scratch.totals, into: weightsGradient, accumulation)
  if let biasGradient { accumulate(scratch.biasTotals, into: biasGradient, accumulation) }
}

/// The weights as the input's gradient reads them: turned by half a turn, output channels for input channels, grouped.
private func turnWeights(
  _ weights: Buffer<Float>, _ shape: DirectConvolutionShape, _ scratch: DirectConvolutionScratch
) {
  let (from, to) = (shape.base.inputChannels, shape.base.outputChannels)
  let places = shape.kernel * shape.kernel
  let pair = 2 * laneCount
  let target = unsafe scratch.backwardWeights.base
  for place in 0..<places {
    let turned = places - 1 - place
    for i in 0..<from {
      let row = unsafe UnsafePointer(weights.base) + (place * from + i) * to
      let column = unsafe target + (i / pair * places + turned) * to * pair + i % pair
      for o in 0..<to { unsafe column[o * pair] = row[o] }
    }
  }
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
