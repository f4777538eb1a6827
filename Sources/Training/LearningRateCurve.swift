import Glibc

/// The loss at learning rates that grow from step to step, and what follows from it: Smith 2015, § 3.3, smoothed and ended
/// as fastai's learning-rate finder does.
public struct LearningRateCurve: Sendable {
  /// A step of the curve.
  public struct Point: Sendable, Hashable {
    /// The learning rate of the step.
    public let rate: Double
    /// The smoothed loss before it.
    public let loss: Double
  }

  /// The points, in the order of the rates.
  public private(set) var points: [Point] = []
  /// Whether the loss has left the curve: it is several times the least one, or no number.
  public private(set) var hasDiverged = false

  /// The part of the average that stays at each step.
  private static let smoothing = 0.98
  /// The multiple of the least loss at which the curve ends.
  private static let mostGrowth = 4.0

  /// The average of the losses, not yet corrected for its beginning with 0.
  private var average = 0.0

  /// A curve without points.
  public init() {}

  /// Adds the mean loss of the step at `rate`, which is the largest so far. The point's loss is the average a,
  ///
  ///     a ← 0.98 · a + 0.02 · loss        divided by  1 − 0.98ᵏ  after k steps
  public mutating func add(rate: Double, loss: Double) {
    precondition(!hasDiverged, "a point behind the end of the curve")
    guard loss.isFinite else {
      hasDiverged = true
      return
    }
    average = Self.smoothing * average + (1 - Self.smoothing) * loss
    let smoothed = average / (1 - pow(Self.smoothing, Double(points.count + 1)))
    points.append(Point(rate: rate, loss: smoothed))
    hasDiverged = smoothed > Self.mostGrowth * (points.map(\.loss).min() ?? smoothed)
  }

  /// Notes that a step was not finite.
  public mutating func diverge() { hasDiverged = true }

  /// The points that rates are suggested from: without the first tenth, in which the average settles, and, if it diverged, the
  /// last five, in which the loss rises.
  private var settled: ArraySlice<Point> {
    let points = points.dropFirst(points.count / 10)
    return hasDiverged ? points.dropLast(5) : points
  }

  /// The rate at which the loss falls fastest with the logarithm of the rate; nil if it falls nowhere.
  public var steepest: Double? {
    let slopes = zip(settled, settled.dropFirst()).map { left, right in
      (rate: left.rate, slope: (right.loss - left.loss) / log(right.rate / left.rate))
    }
    guard let least = slopes.min(by: { $0.slope < $1.slope }), least.slope < 0 else { return nil }
    return least.rate
  }

  /// The rate of the least loss; nil if the loss falls nowhere.
  public var least: Double? {
    guard steepest != nil else { return nil }
    return settled.min { $0.loss < $1.loss }?.rate
  }
}
