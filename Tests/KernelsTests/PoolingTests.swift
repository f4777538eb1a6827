import Kernels
import Testing

@Suite struct PoolingTests {
  /// Sizes, and strides of windows side by side, overlapping and apart.
  @Test(arguments: [
    [4, 6, 1, 2, 2], [5, 7, 3, 2, 2], [7, 8, 2, 3, 3], [3, 3, 5, 3, 3], [2, 3, 4, 1, 1], [5, 6, 35, 2, 2],
    [6, 7, 16, 3, 3],
    [5, 6, 35, 2, 1], [7, 8, 16, 3, 2], [6, 6, 3, 3, 1], [7, 8, 35, 2, 3], [4, 4, 1, 4, 1],
  ]) func forwardAndGradient(sizes: [Int]) {
    let (height, width, channels, size, stride) = (sizes[0], sizes[1], sizes[2], sizes[3], sizes[4])
    let shape = PoolingShape(height: height, width: width, channels: channels, size: size, stride: stride)
    #expect((shape.pooledHeight, shape.pooledWidth) == ((height - size) / stride + 1, (width - size) / stride + 1))
    let samples = 3
    let x = noise(samples * shape.inputCount, seed: 1)
    let y = filled(samples * shape.pooledCount)
    let winners = Buffer<Int32>(count: y.count)
    maxPool(x, into: y, winners: winners, samples: samples, shape)
    let g = noise(y.count, seed: 2)
    let d = filled(x.count)
    maxPoolGradient(g, winners: winners, into: d, samples: samples, shape)
    var expected = [Float](repeating: 0, count: x.count)
    for at in 0..<y.count {
      let (c, window) = (at % channels, at / channels)
      let (px, rest) = (window % shape.pooledWidth, window / shape.pooledWidth)
      let (py, sample) = (rest % shape.pooledHeight, rest / shape.pooledHeight)
      let places = (0..<size * size).map { place in
        ((sample * height + stride * py + place / size) * width + stride * px + place % size) * channels + c
      }
      let winner = places.max { x[$0] < x[$1] } ?? 0
      #expect(y[at] == x[winner])
      #expect(Int(winners[at]) == winner - sample * shape.inputCount)
      expected[winner] += g[at]
    }
    #expect(d.array == expected)
  }

  @Test func tiesGoToTheFirst() {
    let shape = PoolingShape(height: 2, width: 2, channels: 1, size: 2)
    for (window, winner) in [([1, 1, 1, 1], 0), ([0, 2, 2, 2], 1), ([0, 0, 3, 3], 2), ([-2, -2, -2, -1], 3)] {
      let winners = Buffer<Int32>(count: 1)
      let y = filled(1)
      maxPool(Buffer(window.map(Float.init)), into: y, winners: winners, samples: 1, shape)
      #expect(winners[0] == Int32(winner))
      #expect(y[0] == Float(window[winner]))
      // The same in vectors, of which this has one and a rest.
      let wide = PoolingShape(height: 2, width: 2, channels: 19, size: 2)
      let (many, places) = (filled(19), Buffer<Int32>(count: 19))
      maxPool(
        Buffer(window.flatMap { [Float](repeating: Float($0), count: 19) }), into: many, winners: places, samples: 1,
        wide)
      #expect(places.array == (0..<19).map { Int32(winner * 19 + $0) })
      #expect(many.array == [Float](repeating: Float(window[winner]), count: 19))
    }
  }
}
