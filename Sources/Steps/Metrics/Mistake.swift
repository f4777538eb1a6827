/// A sample that a network takes for another class than its own.
public struct Mistake: Sendable, Codable, Hashable {
  /// The sample's number in its data set.
  public let sample: Int
  /// The class of the sample, from 0.
  public let own: Int
  /// The class that it is taken for, from 0.
  public let predicted: Int
  /// The probability that the network gives to ``predicted``, 0 to 1.
  public let probability: Float
}
