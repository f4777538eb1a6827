import Glibc
import Kernels
import Testing

/// The gated unit against its formulas in Double, on whole vectors and off them.
@Suite struct GatedUnitTests {
  @Test(arguments: [1, 5, 8, 16, 19, 32])
  func forwardAndBackward(width: Int) {
    let rows = 3
    let sums = Buffer<Float>((0..<2 * rows * width).map { Float(sin(1.3 * Double($0)) * 4) })
    let bias = Buffer<Float>((0..<2 * width).map { Float(cos(Double($0))) })
    let gradient = Buffer<Float>((0..<rows * width).map { Float(cos(0.7 * Double($0))) })
    let gates = Buffer(sums.array)
    let (output, again) = (filled(rows * width), filled(rows * width))
    let sumsGradient = filled(2 * rows * width)
    gatedUnit(gates, bias: bias, into: output)
    gatedUnitGradient(gradient, gates: gates, output: again, into: sumsGradient, width: width)
    #expect(output.array == again.array)
    for row in 0..<rows {
      for unit in 0..<width {
        let (first, second) = (row * 2 * width + unit, row * 2 * width + width + unit)
        let t = tanh(Double(sums[first]) + Double(bias[unit]))
        let s = 1 / (1 + exp(-Double(sums[second]) - Double(bias[width + unit])))
        let d = Double(gradient[row * width + unit])
        #expect(abs(Double(output[row * width + unit]) - t * s) < 1e-6)
        #expect(abs(Double(sumsGradient[first]) - d * s * (1 - t * t)) < 1e-6)
        #expect(abs(Double(sumsGradient[second]) - d * t * s * (1 - s)) < 1e-6)
      }
    }
  }
}
