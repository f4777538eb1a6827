import Training

/// What attacks find out of who was in a model's training data.
public struct MembershipReport: Sendable, Encodable {
  /// The model's name.
  public let model: String
  /// The shadow models; nil of an audit without.
  public let shadows: Int?
  /// The samples that the model was trained on.
  public let members: Int
  /// The samples that it was not.
  public let others: Int
  /// The part of the members that the model classifies rightly.
  public let memberAccuracy: Double
  /// The part of the others.
  public let otherAccuracy: Double
  /// Whether the likelihood ratio has the same deviations for all samples; nil of an audit without shadow models.
  public let sharesVariance: Bool?
  /// The ε that the model's training cost, by the accountant; nil if it is not private or not known.
  public let epsilon: Double?
  /// The part of cases in which an interval holds its figure.
  public let confidence: Double
  /// The figures of each attack.
  public let attacks: [AttackFigures]

  enum CodingKeys: String, CodingKey {
    case model, shadows, members, others, epsilon, confidence, attacks
    case memberAccuracy = "member_accuracy"
    case otherAccuracy = "other_accuracy"
    case sharesVariance = "shared_variance"
  }
}
