import Kernels
import Testing

/// Layer normalisation against its formulas in Double, on whole vectors and off them.
@Suite struct LayerNormTests {
  @Test(arguments: [(1, 2), (3, 7), (2, 8), (3, 16), (2, 21), (4, 64), (2, 100)])
  func formulas(rows: Int, width: Int) {
    let (x, g) = (noise(rows * width, seed: 1), noise(rows * width, seed: 2))
    let (scale, shift) = (noise(width, seed: 3), noise(width, seed: 4))
    let (y, dx) = (filled(rows * width), filled(rows * width))
    let (means, inverseDeviations) = (filled(rows), filled(rows))
    let (dscale, dshift) = (filled(width), filled(width))
    layerNorm(
      x, scale: scale, shift: shift, epsilon: 0.01, into: y, means: means, inverseDeviations: inverseDeviations)
    layerNormGradient(
      g, input: x, scale: scale, means: means, inverseDeviations: inverseDeviations, scaleGradient: dscale,
      shiftGradient: dshift, into: dx)

    var (outputs, ofInput) = ([Double](), [Double]())
    var (ofScale, ofShift) = (Array(repeating: 0.0, count: width), Array(repeating: 0.0, count: width))
    for row in 0..<rows {
      let values = x[row * width..<(row + 1) * width].array.map(Double.init)
      let mean = values.reduce(0, +) / Double(width)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      let factor = 1 / (variance + 0.01).squareRoot()
      let normalised = values.map { ($0 - mean) * factor }
      let gradients = (0..<width).map { Double(g[row * width + $0]) }
      let scaled = (0..<width).map { gradients[$0] * Double(scale[$0]) }
      let average = scaled.reduce(0, +) / Double(width)
      let slope = zip(scaled, normalised).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
      for c in 0..<width {
        outputs.append(normalised[c] * Double(scale[c]) + Double(shift[c]))
        ofInput.append((scaled[c] - average - normalised[c] * slope) * factor)
        ofScale[c] += gradients[c] * normalised[c]
        ofShift[c] += gradients[c]
      }
    }
    #expect(distance(y, outputs) < 2e-6)
    #expect(distance(dx, ofInput) < 1e-5)
    #expect(distance(dscale, ofScale) < 2e-6)
    #expect(distance(dshift, ofShift) < 1e-6)
  }

  /// A row of equal values has no deviation: what comes out is the shift.
  @Test func equalValues() {
    let y = filled(9)
    layerNorm(
      filled(9, with: 3), scale: filled(9, with: 2), shift: filled(9, with: 0.5), epsilon: 1e-5, into: y,
      means: filled(1), inverseDeviations: filled(1))
    #expect(y.array.allSatisfy { abs($0 - 0.5) < 1e-3 })
  }
}
