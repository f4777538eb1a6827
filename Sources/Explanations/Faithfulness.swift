import Tensors

/// How well a map names the pixels that the network decides by: its probability of a class while they are taken away or given, the first of
/// the map first.
///
/// Both numbers are the area below the curve of the probability over the part of the pixels, 0 to 1, by trapezoids.
///
/// Source: Petsiuk, Das & Saenko 2018 (arXiv 1806.07421).
public struct Faithfulness: Sendable, Hashable {
  /// The area where pixels of the input become the baseline: small where the map is right.
  public let deletion: Double
  /// The area where pixels of the baseline become the input: large where the map is right.
  public let insertion: Double

  /// The numbers of `attribution` for `input` and the class `target`.
  ///
  /// - Parameters:
  ///   - baseline: the value of a pixel that is not there.
  ///   - steps: the parts that the pixels are taken in, as even as whole pixels allow; at most as many as there are pixels.
  public init(
    _ attribution: Attribution, of input: Buffer<Float>, target: Int, in network: ExplainedNetwork, baseline: Float = 0,
    steps: Int = 28
  ) {
    let grid = PixelGrid(network.model.input)
    let values = attribution.pixels
    // A number that is none is last.
    func key(_ pixel: Int) -> Float { values[pixel].isNaN ? -.infinity : values[pixel] }
    let order = values.indices.sorted { (key($1), $0) < (key($0), $1) }
    let steps = min(steps, grid.pixels)
    func area(removing: Bool) -> Double {
      let scores = network.scores(of: target, count: steps + 1, as: .probability) { step, partial in
        if removing { partial.copy(from: input) } else { partial.fill(baseline) }
        for pixel in order[..<(grid.pixels * step / steps)] {
          for value in grid.values(of: pixel) { partial[value] = removing ? baseline : input[value] }
        }
      }
      return (scores.reduce(0, +) - (scores[0] + scores[steps]) / 2) / Double(steps)
    }
    deletion = area(removing: true)
    insertion = area(removing: false)
  }
}
