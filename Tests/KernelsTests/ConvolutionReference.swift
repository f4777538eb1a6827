import Kernels
import Testing

/// The sizes of a convolution with a square kernel.
struct ConvolutionSize: Sendable, CustomTestStringConvertible {
  var height: Int
  var width: Int
  var inputChannels: Int
  var kernel: Int
  var channels: Int
  var padding: Int
  var stride = 1

  var shape: ConvolutionShape {
    ConvolutionShape(
      height: height, width: width, inputChannels: inputChannels, kernelHeight: kernel, kernelWidth: kernel,
      outputChannels: channels, padding: padding, stride: stride)
  }
  var testDescription: String {
    "\(height)×\(width)×\(inputChannels), \(kernel)×\(kernel)×\(channels), \(padding), \(stride)"
  }
}

/// A convolution and its gradients by plain loops in Double.
struct ConvolutionReference {
  var output: [Double]
  var inputGradient: [Double]
  var weightsGradient: [Double]
  var biasGradient: [Double]

  /// Six nested loops. The gradient passes where the kernel's own `output` is above 0: a sum next to 0 may round to either side.
  init(
    _ x: Buffer<Float>, _ w: Buffer<Float>, _ b: Buffer<Float>, _ g: Buffer<Float>, open: [Bool], samples: Int,
    _ size: ConvolutionSize
  ) {
    let shape = size.shape
    output = Array(repeating: 0, count: g.count)
    inputGradient = Array(repeating: 0, count: x.count)
    weightsGradient = Array(repeating: 0, count: w.count)
    biasGradient = Array(repeating: 0, count: b.count)
    for position in 0..<samples * shape.positions {
      let (sample, place) = position.quotientAndRemainder(dividingBy: shape.positions)
      let (y, x0) = place.quotientAndRemainder(dividingBy: shape.outputWidth)
      for o in 0..<size.channels {
        let at = position * size.channels + o
        let gradient = open[at] ? Double(g[at]) : 0
        var sum = Double(b[o])
        biasGradient[o] += gradient
        for tap in 0..<size.kernel * size.kernel {
          let (row, column) = (
            y * size.stride + tap / size.kernel - size.padding, x0 * size.stride + tap % size.kernel - size.padding
          )
          guard (0..<size.height).contains(row), (0..<size.width).contains(column) else { continue }
          for i in 0..<size.inputChannels {
            let pixel = ((sample * size.height + row) * size.width + column) * size.inputChannels + i
            let weight = (tap * size.inputChannels + i) * size.channels + o
            sum += Double(x[pixel]) * Double(w[weight])
            weightsGradient[weight] += Double(x[pixel]) * gradient
            inputGradient[pixel] += Double(w[weight]) * gradient
          }
        }
        output[at] = sum
      }
    }
  }
}
