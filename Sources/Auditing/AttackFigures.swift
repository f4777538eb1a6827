/// How well an attack tells the samples that a model was trained on from others.
public struct AttackFigures: Sendable, Encodable {
  /// A part of the members, and the interval in which it lies.
  public struct Found: Sendable, Hashable, Encodable {
    /// The most of the others that may be taken for members, as a part.
    public let falsePositiveRate: Double
    /// The part of the members that is found.
    public let truePositiveRate: Double
    /// Its interval (``ROCCurve/truePositiveInterval(atFalsePositiveRate:confidence:)``).
    public let interval: ClosedRange<Double>

    enum CodingKeys: String, CodingKey {
      case falsePositiveRate = "false_positive_rate"
      case truePositiveRate = "true_positive_rate"
      case interval
    }
  }

  /// The attack's name: `loss threshold`, `LiRA online`, `LiRA offline`.
  public let name: String
  /// The area under ``curve``: 0.5 is guessing, 1 is knowing.
  public let auc: Double
  /// Its interval (``ROCCurve/areaInterval(confidence:)``).
  public let aucInterval: ClosedRange<Double>
  /// The members found at 0.1 % and at 1 % of false positives.
  public let found: [Found]
  /// The curve; not in JSON.
  public let curve: ROCCurve

  enum CodingKeys: String, CodingKey {
    case name, auc, found
    case aucInterval = "auc_interval"
  }

  /// The figures of an attack by scores, the larger the more likely a member.
  init(_ name: String, _ scores: [Double], isMember: [Bool], confidence: Double) {
    self.init(
      name, members: scores.indices.filter { isMember[$0] }.map { scores[$0] },
      others: scores.indices.filter { !isMember[$0] }.map { scores[$0] }, confidence: confidence)
  }

  /// The figures of an attack by the scores of members and of others.
  init(_ name: String, members: [Double], others: [Double], confidence: Double) {
    let curve = ROCCurve(members: members, others: others)
    (self.name, self.curve, auc) = (name, curve, curve.area)
    aucInterval = curve.areaInterval(confidence: confidence)
    found = [0.001, 0.01].map { rate in
      Found(
        falsePositiveRate: rate,
        truePositiveRate: Double(curve.truePositives(atFalsePositiveRate: rate)) / Double(curve.members),
        interval: curve.truePositiveInterval(atFalsePositiveRate: rate, confidence: confidence))
    }
  }
}
