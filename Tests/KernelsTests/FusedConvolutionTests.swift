import Kernels
import Testing

/// The fused convolution + ReLU + max-pool against plain loops in Double.
@Suite struct FusedConvolutionTests {
  /// 0…3, or 4 where the ReLU is closed, from how the kernel keeps it: a position in the lowest two bits, or a negative mark.
  private func place(_ winner: Float) -> Float { winner < 0 ? 4 : Float(winner.bitPattern & 3) }

  private struct Reference {
    var output: [Double] = []
    /// 0…3, or 4 where the ReLU is closed.
    var winners: [Float] = []
  }

  private func reference(
    _ x: Buffer<Float>, _ w: Buffer<Float>, _ b: Buffer<Float>, samples: Int, _ shape: FusedConvolutionShape
  ) -> Reference {
    var reference = Reference()
    for sample in 0..<samples {
      for py in 0..<shape.pooledHeight {
        for px in 0..<shape.pooledWidth {
          for c in 0..<shape.channels {
            let values = (0..<4).map { place in
              (0..<9).reduce(Double(b[c])) { sum, tap in
                let row = sample * shape.height + 2 * py + place / 2 + tap / 3
                let pixel = x[row * shape.width + 2 * px + place % 2 + tap % 3]
                return sum + Double(pixel) * Double(w[tap * shape.channels + c])
              }
            }
            var winner = 0
            for place in 1..<4 where values[place] > values[winner] { winner = place }
            reference.output.append(max(0, values[winner]))
            reference.winners.append(values[winner] > 0 ? Float(winner) : 4)
          }
        }
      }
    }
    return reference
  }

  @Test(arguments: [(4, 4, 16), (5, 4, 16), (4, 7, 32), (9, 11, 48), (28, 28, 32), (6, 6, 8), (7, 5, 24)])
  func forwardAndGradient(height: Int, width: Int, channels: Int) throws {
    guard channels % laneCount == 0 else {
      #expect(FusedConvolutionShape(height: height, width: width, channels: channels) == nil)
      return
    }
    let shape = try #require(FusedConvolutionShape(height: height, width: width, channels: channels))
    for samples in [1, 3] {
      let x = noise(samples * height * width, seed: 1)
      let w = noise(9 * channels, seed: 2)
      let b = noise(channels, seed: 3)
      let y = filled(samples * shape.pooledCount)
      let winners = filled(y.count)
      fusedConvolution(x, weights: w, bias: b, into: y, winners: winners, samples: samples, shape)
      let expected = reference(x, w, b, samples: samples, shape)
      #expect(distance(y, expected.output) < 2e-6)
      // Random sums within a rounding of each other, which Double and Float may order differently, do not occur here.
      let chosen = winners.array.map(place)
      #expect(zip(chosen, expected.winners).count { $0 != $1 } == 0)
      #expect(Set(expected.winners) == [0, 1, 2, 3, 4])

      let g = noise(y.count, seed: 4)
      let dw = filled(9 * channels)
      let db = filled(channels)
      fusedConvolutionGradient(
        g, winners: winners, input: x, into: dw, bias: db, samples: samples, shape,
        scratch: filled(shape.scratchCount), .replace)
      var (weights, bias) = ([Double](repeating: 0, count: 9 * channels), [Double](repeating: 0, count: channels))
      for at in 0..<g.count where chosen[at] < 4 {
        let (c, window) = (at % channels, at / channels)
        let (px, rest) = (window % shape.pooledWidth, window / shape.pooledWidth)
        let (py, sample) = (rest % shape.pooledHeight, rest / shape.pooledHeight)
        let place = Int(chosen[at])
        bias[c] += Double(g[at])
        for tap in 0..<9 {
          let row = sample * height + 2 * py + place / 2 + tap / 3
          weights[tap * channels + c] += Double(g[at]) * Double(x[row * width + 2 * px + place % 2 + tap % 3])
        }
      }
      // Sums of up to 507 terms in one chain a tap.
      #expect(distance(dw, weights) < 4e-5)
      #expect(distance(db, bias) < 4e-5)
    }
  }

  /// Four equal maxima, pairs of them, and none above zero: the first in row order wins, as in PyTorch and Keras.
  @Test func tiesGoToTheFirst() throws {
    let channels = 16
    let shape = try #require(FusedConvolutionShape(height: 4, width: 4, channels: channels))
    // Only the middle tap counts, so that the window's values are the image's inner four pixels.
    let w = filled(9 * channels, with: 0)
    for c in 0..<channels { w[4 * channels + c] = 1 }
    let cases: [([Float], Float)] = [
      ([1, 1, 1, 1], 0), ([0, 1, 1, 1], 1), ([0, 0, 1, 1], 2), ([0, 0, 0, 1], 3), ([1, 0, 0, 1], 0), ([0, 1, 0, 1], 1),
      ([1, 2, 2, 1], 1), ([2, 1, 2, 1], 0), ([0, 0, 0, 0], 4), ([-1, -1, -2, -1], 4), ([-1, 0, -2, 0], 4),
      ([-1, 3, 5, 5], 2),
    ]
    for (inner, winner) in cases {
      let x = filled(16, with: 9)
      for (place, value) in inner.enumerated() { x[(1 + place / 2) * 4 + 1 + place % 2] = value }
      let y = filled(channels)
      let winners = filled(channels)
      fusedConvolution(
        x, weights: w, bias: filled(channels, with: 0), into: y, winners: winners, samples: 1, shape)
      #expect(winners.array.map(place) == [Float](repeating: winner, count: channels), "\(inner)")
      #expect(y.array == [Float](repeating: max(0, inner.max() ?? 0), count: channels), "\(inner)")
    }
  }

  @Test func sizesItCannotDo() {
    #expect(FusedConvolutionShape(height: 3, width: 8, channels: 16) == nil)
    #expect(FusedConvolutionShape(height: 8, width: 3, channels: 16) == nil)
    #expect(FusedConvolutionShape(height: 8, width: 8, channels: 10) == nil)
    #expect(FusedConvolutionShape(height: 8, width: 8, channels: laneCount) != nil)
  }
}
