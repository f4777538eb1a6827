import Glibc

/// How well scores tell members of a training set from others: the receiver operating characteristic of "a member if the score is at least t"
/// over all thresholds t. Samples of equal scores are on one side together.
public struct ROCCurve: Sendable {
  /// The samples that a threshold takes for members.
  public struct Point: Hashable, Sendable {
    /// Others among them.
    public var falsePositives: Int
    /// Members among them.
    public var truePositives: Int
  }

  /// The number of members, at least 1.
  public let members: Int
  /// The number of others, at least 1.
  public let others: Int
  /// A point a threshold, from none taken for members to all.
  public let points: [Point]
  /// The probability that a member has a larger score than another sample, with half of the equal ones: the area under the curve.
  public let area: Double
  /// The variance of ``area``; nil if there are fewer than two members or others.
  private let variance: Double?

  /// The curve of these scores, which must be numbers; at least one of each kind.
  public init(members: [Double], others: [Double]) {
    precondition(!members.isEmpty && !others.isEmpty, "a curve of \(members.count) members and \(others.count) others")
    let scores = (members.map { (score: $0, isMember: true) } + others.map { (score: $0, isMember: false) })
      .sorted { $0.score > $1.score }
    var points = [Point(falsePositives: 0, truePositives: 0)]
    // DeLong's placements: of each member, twice the others below it and once those equal to it; of each other, the members above it. Their
    // sums and sums of squares are whole numbers, or exact as doubles for all but enormous samples.
    var (memberSum, memberSquares, otherSum, otherSquares) = (0.0, 0.0, 0.0, 0.0)
    var start = 0
    while start < scores.count {
      var (end, own) = (start, Point(falsePositives: 0, truePositives: 0))
      while end < scores.count && scores[end].score == scores[start].score {
        if scores[end].isMember { own.truePositives += 1 } else { own.falsePositives += 1 }
        end += 1
      }
      let above = points[points.count - 1]
      let below = others.count - above.falsePositives - own.falsePositives
      let placement = Double(2 * below + own.falsePositives)
      memberSum += Double(own.truePositives) * placement
      memberSquares += Double(own.truePositives) * placement * placement
      let otherPlacement = Double(2 * above.truePositives + own.truePositives)
      otherSum += Double(own.falsePositives) * otherPlacement
      otherSquares += Double(own.falsePositives) * otherPlacement * otherPlacement
      points.append(
        Point(
          falsePositives: above.falsePositives + own.falsePositives,
          truePositives: above.truePositives + own.truePositives))
      start = end
    }
    (self.members, self.others, self.points) = (members.count, others.count, points)
    let (m, n) = (Double(members.count), Double(others.count))
    area = memberSum / (2 * m * n)
    guard members.count > 1 && others.count > 1 else {
      variance = nil
      return
    }
    // The placements over twice the size of the other side are V10 and V01 of the source.
    let ofMembers = (memberSquares - memberSum * memberSum / m) / (m - 1) / (4 * n * n)
    let ofOthers = (otherSquares - otherSum * otherSum / n) / (n - 1) / (4 * m * m)
    variance = max(0, ofMembers / m + ofOthers / n)
  }

  /// The interval in which the area of all such samples lies with this confidence: normal, with the variance of DeLong, DeLong and
  /// Clarke-Pearson 1988, cut to 0…1. All of 0…1 if there are fewer than two members or others.
  public func areaInterval(confidence: Double) -> ClosedRange<Double> {
    guard let variance else { return 0...1 }
    let reach = normalQuantile(0.5 + confidence / 2) * variance.squareRoot()
    return max(0, area - reach)...min(1, area + reach)
  }

  /// The most members that a threshold finds by which at most the part `rate` of the others is taken for members.
  public func truePositives(atFalsePositiveRate rate: Double) -> Int {
    points.last { Double($0.falsePositives) / Double(others) <= rate }?.truePositives ?? 0
  }

  /// The interval in which the part of the members lies with this confidence that such a threshold finds (Clopper and Pearson 1934). The
  /// threshold is taken as it is, though it was chosen on these samples.
  public func truePositiveInterval(atFalsePositiveRate rate: Double, confidence: Double) -> ClosedRange<Double> {
    BinomialDistribution.clopperPearson(
      successes: truePositives(atFalsePositiveRate: rate), of: members, confidence: confidence)
  }
}

/// The number that a normal variable of mean 0 and variance 1 is below with this probability, between 0 and 1.
package func normalQuantile(_ probability: Double) -> Double {
  var (low, high) = (-40.0, 40.0)
  for _ in 0..<80 {
    let middle = (low + high) / 2
    if 0.5 * erfc(-middle / 2.0.squareRoot()) < probability { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
