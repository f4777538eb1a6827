import Kernels
import Testing

/// Batch normalisation against its formulas in Double: channels on whole vectors and off them, one block of rows and several.
@Suite struct BatchNormTests {
  @Test(
    arguments: [(1, 1, 5), (3, 1, 7), (2, 6, 8), (3, 5, 16), (1, 37, 21), (2, 9, 64), (2, 300, 16), (3, 100, 33)],
    [false, true])
  func formulas(_ size: (Int, Int, Int), rectifying: Bool) {
    let (samples, positions, channels) = size
    let rows = samples * positions
    let (x, g) = (noise(rows * channels, seed: 1), noise(rows * channels, seed: 2))
    // Channels of other means.
    for k in 0..<x.count { x[k] += Float(k % channels) / 8 }
    let (scale, shift) = (noise(channels, seed: 3), noise(channels, seed: 4))
    let (y, dx) = (filled(x.count), filled(x.count))
    let (dscale, dshift) = (filled(channels), filled(channels))
    let statistics = BatchNormStatistics(channels: channels, capacity: samples + 1)
    // What an earlier, larger microbatch left there.
    statistics.measure(
      noise((samples + 1) * positions * channels, seed: 5), samples: samples + 1, epsilon: 1)
    statistics.measure(x, samples: samples, epsilon: 0.01)
    batchNorm(x, statistics, scale: scale, shift: shift, into: y, rectifying: rectifying)
    batchNormGradient(
      g, input: x, statistics, scale: scale, shift: shift, rectifying: rectifying, scaleGradient: dscale,
      shiftGradient: dshift, into: dx)

    var (means, variances) = ([Double](), [Double]())
    var (outputs, ofInput) = (Array(repeating: 0.0, count: x.count), Array(repeating: 0.0, count: x.count))
    var (ofScale, ofShift) = ([Double](), [Double]())
    for c in 0..<channels {
      let values = (0..<rows).map { Double(x[$0 * channels + c]) }
      let mean = values.reduce(0, +) / Double(rows)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
      let normalised = values.map { ($0 - mean) / (variance + 0.01).squareRoot() }
      let plain = normalised.map { $0 * Double(scale[c]) + Double(shift[c]) }
      // By the kernel's own output: a sum next to 0 may round to either side.
      let gradients = (0..<rows).map { row in
        let at = row * channels + c
        return !rectifying || y[at] > 0 ? Double(g[at]) : 0
      }
      let sum = gradients.reduce(0, +)
      let product = zip(gradients, normalised).reduce(0) { $0 + $1.0 * $1.1 }
      for row in 0..<rows {
        outputs[row * channels + c] = rectifying ? max(0, plain[row]) : plain[row]
        ofInput[row * channels + c] =
          Double(scale[c]) / (variance + 0.01).squareRoot()
          * (gradients[row] - (sum + normalised[row] * product) / Double(rows))
      }
      means.append(mean)
      variances.append(variance)
      ofScale.append(product)
      ofShift.append(sum)
    }
    #expect(distance(statistics.means, means) < 2e-6)
    #expect(distance(statistics.variances, variances) < 1e-6)
    #expect(distance(statistics.inverseDeviations, variances.map { 1 / ($0 + 0.01).squareRoot() }) < 2e-5)
    #expect(distance(y, outputs) < 5e-6)
    #expect(distance(dx, ofInput) < 5e-5)
    #expect(distance(dscale, ofScale) < 5e-5)
    #expect(distance(dshift, ofShift) < 1e-5)
    if rectifying && rows > 5 { #expect(y.array.contains(0) && y.array.contains { $0 > 0.5 }) }
  }

  /// A mean of E[x²] − mean² would have no digit left.
  @Test func aLargeMeanCostsNoDigits() {
    let x = noise(4 * 100 * 16, seed: 1)
    let far = Buffer(x.array.map { $0 + 4096 })
    let statistics = BatchNormStatistics(channels: 16, capacity: 4)
    statistics.measure(far, samples: 4, epsilon: 0)
    for c in 0..<16 {
      let values = (0..<400).map { Double(far[$0 * 16 + c]) }
      let mean = values.reduce(0, +) / 400
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400
      #expect(abs(Double(statistics.means[c]) - mean) < 2e-3)
      #expect(abs(Double(statistics.variances[c]) - variance) < 1e-4)
    }
  }

  /// Of other batches: each value by itself, whatever its company.
  @Test func givenStatistics() {
    let (x, scale, shift) = (noise(6 * 21, seed: 1), noise(21, seed: 2), noise(21, seed: 3))
    let (means, variances) = (noise(21, seed: 4), Buffer(noise(21, seed: 5).array.map { 1.5 + $0 }))
    let statistics = BatchNormStatistics(channels: 21, capacity: 1)
    statistics.take(means: means, variances: variances, epsilon: 1e-5)
    let y = filled(x.count)
    batchNorm(x, statistics, scale: scale, shift: shift, into: y, rectifying: false)
    let expected = (0..<x.count).map { k in
      let c = k % 21
      let deviation = (Double(variances[c]) + 1e-5).squareRoot()
      return (Double(x[k]) - Double(means[c])) / deviation * Double(scale[c]) + Double(shift[c])
    }
    #expect(distance(y, expected) < 2e-6)
  }

  /// Equal values have no deviation: what comes out is the shift.
  @Test func equalValues() {
    let y = filled(12)
    let statistics = BatchNormStatistics(channels: 3, capacity: 2)
    statistics.measure(filled(12, with: 3), samples: 2, epsilon: 1e-5)
    batchNorm(
      filled(12, with: 3), statistics, scale: filled(3, with: 2), shift: filled(3, with: 0.5), into: y,
      rectifying: false)
    #expect(y.array.allSatisfy { $0 == 0.5 })
  }
}
