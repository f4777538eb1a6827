import Tensors

/// What a method says of an input: a number for each of its values.
public struct Attribution: Sendable {
  /// The numbers [``shape``].
  public let values: Buffer<Float>
  /// The input's shape or, where all channels of a pixel have one number, `[rows, columns, 1]`.
  public let shape: Shape
  /// Whether a number below 0 speaks against the class; else all are 0 or more.
  public let isSigned: Bool
  /// How far the numbers add up to what they explain; nil where the method does not promise it.
  public let completeness: Completeness?

  /// An attribution of these numbers.
  public init(values: Buffer<Float>, shape: Shape, isSigned: Bool, completeness: Completeness? = nil) {
    precondition(values.count == shape.count, "\(values.count) attributions of shape \(shape)")
    (self.values, self.shape, self.isSigned, self.completeness) = (values, shape, isSigned, completeness)
  }

  /// One number a pixel [rows, columns]: the sum over its channels, or of numbers without a sign the largest.
  public var pixels: [Float] {
    let grid = PixelGrid(shape)
    return (0..<grid.pixels).map { pixel in
      let own = (0..<grid.channels).map { values[pixel * grid.channels + $0] }
      return isSigned ? own.reduce(0, +) : own.reduce(0, max)
    }
  }
}

/// How far attributions add up to the difference that the input makes to the score: F(x) − F(baseline).
public struct Completeness: Sendable, Hashable {
  /// The sum of the attributions.
  public let sum: Double
  /// F(x) − F(baseline).
  public let difference: Double
  /// The largest score that was met on the way from the baseline to the input, less the smallest.
  public let range: Double

  /// |sum − difference|.
  public var gap: Double { abs(sum - difference) }
  /// The gap as a part of the range; 0 where both are 0.
  public var relativeGap: Double { gap == 0 ? 0 : gap / range }

  init(sum: Double, scores: some Collection<Double>, input: Double, baseline: Double) {
    self.sum = sum
    difference = input - baseline
    range = scores.reduce(max(input, baseline), max) - scores.reduce(min(input, baseline), min)
  }
}
