// A convolution of stride 1 without a patch matrix, with or without a ReLU behind it, and its gradients.
//
// Channels last makes a row of a kernel's patch contiguous: its kernel · inputChannels floats lie side by side in the image.
// Forward: lanes along the output channels, four neighbouring positions by two vectors of them in registers, or eight where there are
// thirty-two registers. The input's gradient is the same convolution of the output's gradient, with zeros around it, and of the
// weights turned about. The weights' gradient: up to four or eight of a patch's floats by two vectors of output channels in
// registers, over all positions of a sample.
//
// Legend: L floats in a patch's row · a00…a71 sums of positions, or of a patch's floats, by two vectors

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
    guard shape.kernelWidth == kernel, shape.padding < kernel,
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

  /// The image with zeros around it: `image` itself where it needs none, else in `padded`, whose border is zero already.
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
  /// A bias of the input's gradient: none.
  fileprivate let noBias: Buffer<Float>

  /// For this shape.
  public init(_ shape: DirectConvolutionShape) {
    forwardWeights = Buffer(count: shape.weightsCount)
    backwardWeights = Buffer(count: shape.backward == nil ? 0 : shape.weightsCount)
    image = Buffer(count: shape.base.padding > 0 ? shape.forward.paddedCount : 0)
    gradient = Buffer(count: shape.outputCount)
    paddedGradient = Buffer(count: shape.backward?.paddedCount ?? 0)
    totals = Buffer(count: shape.weightsCount)
    biasTotals = Buffer(count: shape.base.outputChannels)
    noBias = Buffer(count: shape.base.inputChannels)
  }
}

/// `output[n, y, x, o]` = bias[o] + Σ weights · patch, and with `rectifying` the larger of that and 0.
///
/// `input` [samples, height, width, inputChannels] · `weights` [kernel, kernel, inputChannels, outputChannels] · `bias`
/// [outputChannels] · `output` [samples, output height, output width, outputChannels].
public func directConvolution(
  _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>, samples: Int,
  _ shape: DirectConvolutionShape, rectifying: Bool, scratch: DirectConvolutionScratch
) {
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
      // Eight where there are registers for them: the weights are read half as often.
      while laneCount == 16 && x + 8 <= pass.outputWidth {
        unsafe convolveEight(
          row + x * pass.inputChannels, weights + at * pass.taps, bias + at, target + x * pass.channels, pass,
          rectifying)
        x += 8
      }
      while x < pass.outputWidth {
        // The last four may overlap those before them, and say the same once more.
        let start = min(x, pass.outputWidth - 4)
        unsafe convolveFour(
          row + start * pass.inputChannels, weights + at * pass.taps, bias + at, target + start * pass.channels, pass,
          rectifying)
        x += 4
      }
    }
  }
}

@inline(__always)
private func convolveFour(
  _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ pass: DirectPass, _ rectifying: Bool
) {
  let zero = Lanes(repeating: 0)
  let next = pass.inputChannels
  var a00 = zero
  var a01 = zero
  var a10 = zero
  var a11 = zero
  var a20 = zero
  var a21 = zero
  var a30 = zero
  var a31 = zero
  var w = unsafe weights
  for ky in 0..<pass.kernel {
    var x = unsafe image + ky * pass.stride
    for _ in 0..<pass.rowCount {
      let w0 = unsafe w.lanes(0)
      let w1 = unsafe w.lanes(laneCount)
      let x0 = unsafe x.broadcast(0)
      a00 = a00.addingProduct(x0, w0)
      a01 = a01.addingProduct(x0, w1)
      let x1 = unsafe x.broadcast(next)
      a10 = a10.addingProduct(x1, w0)
      a11 = a11.addingProduct(x1, w1)
      let x2 = unsafe x.broadcast(2 * next)
      a20 = a20.addingProduct(x2, w0)
      a21 = a21.addingProduct(x2, w1)
      let x3 = unsafe x.broadcast(3 * next)
      a30 = a30.addingProduct(x3, w0)
      a31 = a31.addingProduct(x3, w1)
      unsafe x += 1
      unsafe w += 2 * laneCount
    }
  }
  unsafe finish(a00, a01, bias, output, rectifying)
  unsafe finish(a10, a11, bias, output + pass.channels, rectifying)
  unsafe finish(a20, a21, bias, output + 2 * pass.channels, rectifying)
  unsafe finish(a30, a31, bias, output + 3 * pass.channels, rectifying)
}

/// The same chains of products as ``convolveFour``, for eight positions.
@inline(__always)
private func convolveEight(
  _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ pass: DirectPass, _ rectifying: Bool
) {
  let zero = Lanes(repeating: 0)
  let next = pass.inputChannels
  var a00 = zero
  var a01 = zero
  var a10 = zero
  var a11 = zero
  var a20 = zero
  var a21 = zero
  var a30 = zero
  var a31 = zero
  var a40 = zero
  var a41 = zero
  var a50 = zero
  var a51 = zero
  var a60 = zero
  var a61 = zero
  var a70 = zero
  var a71 = zero
  var w = unsafe weights
  for ky in 0..<pass.kernel {
    var x = unsafe image + ky * pass.stride
    for _ in 0..<pass.rowCount {
      let w0 = unsafe w.lanes(0)
      let w1 = unsafe w.lanes(laneCount)
      let x0 = unsafe x.broadcast(0)
      a00 = a00.addingProduct(x0, w0)
      a01 = a01.addingProduct(x0, w1)
      let x1 = unsafe x.broadcast(next)
      a10 = a10.addingProduct(x1, w0)
      a11 = a11.addingProduct(x1, w1)
      let x2 = unsafe x.broadcast(2 * next)
      a20 = a20.addingProduct(x2, w0)
      a21 = a21.addingProduct(x2, w1)
      let x3 = unsafe x.broadcast(3 * next)
      a30 = a30.addingProduct(x3, w0)
      a31 = a31.addingProduct(x3, w1)
      let x4 = unsafe x.broadcast(4 * next)
      a40 = a40.addingProduct(x4, w0)
      a41 = a41.addingProduct(x4, w1)
      let x5 = unsafe x.broadcast(5 * next)
      a50 = a50.addingProduct(x5, w0)
      a51 = a51.addingProduct(x5, w1)
      let x6 = unsafe x.broadcast(6 * next)
      a60 = a60.addingProduct(x6, w0)
      a61 = a61.addingProduct(x6, w1)
      let x7 = unsafe x.broadcast(7 * next)
      a70 = a70.addingProduct(x7, w0)
      a71 = a71.addingProduct(x7, w1)
      unsafe x += 1
      unsafe w += 2 * laneCount
    }
  }
  unsafe finish(a00, a01, bias, output, rectifying)
  unsafe finish(a10, a11, bias, output + pass.channels, rectifying)
  unsafe finish(a20, a21, bias, output + 2 * pass.channels, rectifying)
  unsafe finish(a30, a31, bias, output + 3 * pass.channels, rectifying)
  unsafe finish(a40, a41, bias, output + 4 * pass.channels, rectifying)
  unsafe finish(a50, a51, bias, output + 5 * pass.channels, rectifying)
  unsafe finish(a60, a61, bias, output + 6 * pass.channels, rectifying)
  unsafe finish(a70, a71, bias, output + 7 * pass.channels, rectifying)
}

@inline(__always)
private func finish(
  _ left: Lanes, _ right: Lanes, _ bias: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ rectifying: Bool
) {
  let zero = Lanes(repeating: 0)
  let l = unsafe left + bias.lanes(0)
  let r = unsafe right + bias.lanes(laneCount)
  unsafe output.store(rectifying ? l.replacing(with: zero, where: l .< zero) : l, 0)
  unsafe output.store(rectifying ? r.replacing(with: zero, where: r .< zero) : r, laneCount)
}

/// The gradients of ``directConvolution``: of its weights and bias, summed over the samples and then written or added once, and of
/// its input where the shape was made for that. `output` is what forward wrote; it is read only with `rectifying`.
public func directConvolutionGradient(
  _ gradient: Buffer<Float>, output: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>,
  into weightsGradient: Buffer<Float>, bias biasGradient: Buffer<Float>, inputGradient: Buffer<Float>?, samples: Int,
  _ shape: DirectConvolutionShape, rectifying: Bool, scratch: DirectConvolutionScratch, _ accumulation: Accumulation
) {
  precondition(input.count == samples * shape.inputCount, "direct convolution's gradient: input")
  precondition(
    gradient.count == samples * shape.outputCount && output.count == gradient.count,
    "direct convolution's gradient of \(gradient.count) and \(output.count) floats")
  precondition(
    weightsGradient.count == shape.weightsCount && weights.count == shape.weightsCount
      && biasGradient.count == shape.base.outputChannels, "direct convolution's gradient: weights")
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
    columnSums(own, into: scratch.biasTotals, .add)
    unsafe accumulateWeights(
      shape.forward.pad(input.base + sample * shape.inputCount, scratch.image), own.base, scratch.totals.base,
      shape.forward)
    if let inputGradient, let backward = shape.backward {
      unsafe convolve(
        backward.pad(own.base, scratch.paddedGradient), scratch.backwardWeights.base, scratch.noBias.base,
        inputGradient.base + sample * shape.inputCount, backward, false)
    }
  }
  switch accumulation {
  case .replace:
    weightsGradient.copy(from: scratch.totals)
    biasGradient.copy(from: scratch.biasTotals)
  case .add:
    add(scratch.totals, into: weightsGradient)
    add(scratch.biasTotals, into: biasGradient)
  }
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
          unsafe outerEight(row + j, g, target, pass)
          j += 8
        case 3:
          unsafe outerThree(row + j, g, target, pass)
          j += 3
        case 4...:
          unsafe outerFour(row + j, g, target, pass)
          j += 4
        default:
          unsafe outerOne(row + j, g, target, pass)
          j += 1
        }
      }
    }
  }
}

/// Eight of a patch's floats, where there are registers for them.
@inline(never)
private func outerEight(
  _ image: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
  _ pass: DirectPass
) {
  let channels = pass.channels
  var a00 = unsafe totals.lanes(0)
  var a01 = unsafe totals.lanes(laneCount)
  var a10 = unsafe totals.lanes(channels)
  var a11 = unsafe totals.lanes(channels + laneCount)
  var a20 = unsafe totals.lanes(2 * channels)
  var a21 = unsafe totals.lanes(2 * channels + laneCount)
  var a30 = unsafe totals.lanes(3 * channels)
  var a31 = unsafe totals.lanes(3 * channels + laneCount)
  var a40 = unsafe totals.lanes(4 * channels)
  var a41 = unsafe totals.lanes(4 * channels + laneCount)
  var a50 = unsafe totals.lanes(5 * channels)
  var a51 = unsafe totals.lanes(5 * channels + laneCount)
  var a60 = unsafe totals.lanes(6 * channels)
  var a61 = unsafe totals.lanes(6 * channels + laneCount)
  var a70 = unsafe totals.lanes(7 * channels)
  var a71 = unsafe totals.lanes(7 * channels + laneCount)
  var g = unsafe gradient
  for y in 0..<pass.outputHeight {
    var x = unsafe image + y * pass.stride
    for _ in 0..<pass.outputWidth {
      let g0 = unsafe g.lanes(0)
      let g1 = unsafe g.lanes(laneCount)
      let x0 = unsafe x.broadcast(0)
      a00 = a00.addingProduct(x0, g0)
      a01 = a01.addingProduct(x0, g1)
      let x1 = unsafe x.broadcast(1)
      a10 = a10.addingProduct(x1, g0)
      a11 = a11.addingProduct(x1, g1)
      let x2 = unsafe x.broadcast(2)
      a20 = a20.addingProduct(x2, g0)
      a21 = a21.addingProduct(x2, g1)
      let x3 = unsafe x.broadcast(3)
      a30 = a30.addingProduct(x3, g0)
      a31 = a31.addingProduct(x3, g1)
      let x4 = unsafe x.broadcast(4)
      a40 = a40.addingProduct(x4, g0)
      a41 = a41.addingProduct(x4, g1)
      let x5 = unsafe x.broadcast(5)
      a50 = a50.addingProduct(x5, g0)
      a51 = a51.addingProduct(x5, g1)
      let x6 = unsafe x.broadcast(6)
      a60 = a60.addingProduct(x6, g0)
      a61 = a61.addingProduct(x6, g1)
      let x7 = unsafe x.broadcast(7)
      a70 = a70.addingProduct(x7, g0)
      a71 = a71.addingProduct(x7, g1)
      unsafe x += pass.inputChannels
      unsafe g += channels
    }
  }
  unsafe totals.store(a00, 0)
  unsafe totals.store(a01, laneCount)
  unsafe totals.store(a10, channels)
  unsafe totals.store(a11, channels + laneCount)
  unsafe totals.store(a20, 2 * channels)
  unsafe totals.store(a21, 2 * channels + laneCount)
  unsafe totals.store(a30, 3 * channels)
  unsafe totals.store(a31, 3 * channels + laneCount)
  unsafe totals.store(a40, 4 * channels)
  unsafe totals.store(a41, 4 * channels + laneCount)
  unsafe totals.store(a50, 5 * channels)
  unsafe totals.store(a51, 5 * channels + laneCount)
  unsafe totals.store(a60, 6 * channels)
  unsafe totals.store(a61, 6 * channels + laneCount)
  unsafe totals.store(a70, 7 * channels)
  unsafe totals.store(a71, 7 * channels + laneCount)
}

@inline(never)
private func outerFour(
  _ image: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
  _ pass: DirectPass
) {
  let channels = pass.channels
  var a00 = unsafe totals.lanes(0)
  var a01 = unsafe totals.lanes(laneCount)
  var a10 = unsafe totals.lanes(channels)
  var a11 = unsafe totals.lanes(channels + laneCount)
  var a20 = unsafe totals.lanes(2 * channels)
  var a21 = unsafe totals.lanes(2 * channels + laneCount)
  var a30 = unsafe totals.lanes(3 * channels)
  var a31 = unsafe totals.lanes(3 * channels + laneCount)
  var g = unsafe gradient
  for y in 0..<pass.outputHeight {
    var x = unsafe image + y * pass.stride
    for _ in 0..<pass.outputWidth {
      let g0 = unsafe g.lanes(0)
      let g1 = unsafe g.lanes(laneCount)
      let x0 = unsafe x.broadcast(0)
      a00 = a00.addingProduct(x0, g0)
      a01 = a01.addingProduct(x0, g1)
      let x1 = unsafe x.broadcast(1)
      a10 = a10.addingProduct(x1, g0)
      a11 = a11.addingProduct(x1, g1)
      let x2 = unsafe x.broadcast(2)
      a20 = a20.addingProduct(x2, g0)
      a21 = a21.addingProduct(x2, g1)
      let x3 = unsafe x.broadcast(3)
      a30 = a30.addingProduct(x3, g0)
      a31 = a31.addingProduct(x3, g1)
      unsafe x += pass.inputChannels
      unsafe g += channels
    }
  }
  unsafe totals.store(a00, 0)
  unsafe totals.store(a01, laneCount)
  unsafe totals.store(a10, channels)
  unsafe totals.store(a11, channels + laneCount)
  unsafe totals.store(a20, 2 * channels)
  unsafe totals.store(a21, 2 * channels + laneCount)
  unsafe totals.store(a30, 3 * channels)
  unsafe totals.store(a31, 3 * channels + laneCount)
}

@inline(never)
private func outerThree(
  _ image: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
  _ pass: DirectPass
) {
  let channels = pass.channels
  var a00 = unsafe totals.lanes(0)
  var a01 = unsafe totals.lanes(laneCount)
  var a10 = unsafe totals.lanes(channels)
  var a11 = unsafe totals.lanes(channels + laneCount)
  var a20 = unsafe totals.lanes(2 * channels)
  var a21 = unsafe totals.lanes(2 * channels + laneCount)
  var g = unsafe gradient
  for y in 0..<pass.outputHeight {
    var x = unsafe image + y * pass.stride
    for _ in 0..<pass.outputWidth {
      let g0 = unsafe g.lanes(0)
      let g1 = unsafe g.lanes(laneCount)
      let x0 = unsafe x.broadcast(0)
      a00 = a00.addingProduct(x0, g0)
      a01 = a01.addingProduct(x0, g1)
      let x1 = unsafe x.broadcast(1)
      a10 = a10.addingProduct(x1, g0)
      a11 = a11.addingProduct(x1, g1)
      let x2 = unsafe x.broadcast(2)
      a20 = a20.addingProduct(x2, g0)
      a21 = a21.addingProduct(x2, g1)
      unsafe x += pass.inputChannels
      unsafe g += channels
    }
  }
  unsafe totals.store(a00, 0)
  unsafe totals.store(a01, laneCount)
  unsafe totals.store(a10, channels)
  unsafe totals.store(a11, channels + laneCount)
  unsafe totals.store(a20, 2 * channels)
  unsafe totals.store(a21, 2 * channels + laneCount)
}

private func outerOne(
  _ image: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
  _ pass: DirectPass
) {
  var a0 = unsafe totals.lanes(0)
  var a1 = unsafe totals.lanes(laneCount)
  var g = unsafe gradient
  for y in 0..<pass.outputHeight {
    let row = unsafe image + y * pass.stride
    for x in 0..<pass.outputWidth {
      let value = unsafe row.broadcast(x * pass.inputChannels)
      unsafe a0 = a0.addingProduct(value, g.lanes(0))
      unsafe a1 = a1.addingProduct(value, g.lanes(laneCount))
      unsafe g += pass.channels
    }
  }
  unsafe totals.store(a0, 0)
  unsafe totals.store(a1, laneCount)
}
