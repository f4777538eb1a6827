import Tensors

/// What each square of the input adds to the score on average, where squares are put over a baseline one after another in random orders:
/// an estimate of Shapley's values.
///
/// In every order the additions are F(x) − F(baseline) in sum, so that their means are, too. All pixels of a square have its number.
///
/// Sources: Castro, Gómez & Tejada 2009, "Polynomial calculation of the Shapley value based on sampling"; Štrumbelj & Kononenko 2010.
public struct ShapleySampling: AttributionMethod {
  /// The number of orders.
  public let samples: Int
  /// The side of a square, in pixels; those at the far edges may be smaller.
  public let window: Int
  /// The value of what is not there.
  public let baseline: Float
  /// The orders follow from it.
  public let seed: UInt64
  public var name: String { "shapley" }

  /// An estimate by `samples` orders of squares of `window` × `window`.
  public init(samples: Int = 25, window: Int = 4, baseline: Float = 0, seed: UInt64 = 0) {
    precondition(samples >= 1 && window >= 1, "\(samples) orders of squares of \(window)")
    (self.samples, self.window, self.baseline, self.seed) = (samples, window, baseline, seed)
  }

  /// The square of each pixel.
  package func squares(of shape: Shape) -> [Int] {
    let grid = PixelGrid(shape)
    let across = (grid.columns + window - 1) / window
    return (0..<grid.pixels).map { $0 / grid.columns / window * across + $0 % grid.columns / window }
  }

  /// The order numbered `index` of `count` squares.
  package func order(_ index: Int, of count: Int) -> [Int] {
    Philox(seed: seed, purpose: .coalition, stream: UInt64(index)).permutation(of: count)
  }

  public func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) -> Attribution {
    let grid = PixelGrid(network.model.input)
    let squares = squares(of: network.model.input)
    let count = (squares.max() ?? 0) + 1
    let ends = network.scores(of: target, count: 2) { $0 == 0 ? $1.fill(baseline) : $1.copy(from: input) }
    var sums = [Double](repeating: 0, count: count)
    var (low, high) = (ends[0], ends[0])
    for sample in 0..<samples {
      let order = order(sample, of: count)
      var turn = [Int](repeating: 0, count: count)
      for (place, square) in order.enumerated() { turn[square] = place }
      // With 1 to all but one of the squares.
      let between = network.scores(of: target, count: count - 1) { index, partial in
        for pixel in 0..<grid.pixels {
          let isThere = turn[squares[pixel]] <= index
          for value in grid.values(of: pixel) { partial[value] = isThere ? input[value] : baseline }
        }
      }
      var before = ends[0]
      for (square, score) in zip(order, between + [ends[1]]) {
        sums[square] += score - before
        before = score
        (low, high) = (min(low, score), max(high, score))
      }
    }
    let means = sums.map { $0 / Double(samples) }
    return Attribution(
      values: Buffer(squares.map { Float(means[$0]) }), shape: grid.map, isSigned: true,
      completeness: Completeness(sum: means.reduce(0, +), scores: [low, high], input: ends[1], baseline: ends[0]))
  }
}
