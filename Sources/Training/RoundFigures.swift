/// The clients of one round of a federated run.
public struct RoundFigures: Sendable, Equatable {
  /// The clients whose updates made the round.
  public let clients: Int
  /// The clients that were chosen and dropped out.
  public let dropped: Int
  /// The clients that did a part of their work.
  public let stragglers: Int
  /// The norm that each update was clipped to; nil if none was.
  public let clipNorm: Float?
  /// The spread of the model's accuracy over the clients' own data; nil if it was not measured.
  public let accuracy: ClientSpread?

  package init(clients: Int, dropped: Int, stragglers: Int, clipNorm: Float?, accuracy: ClientSpread? = nil) {
    (self.clients, self.dropped, self.stragglers) = (clients, dropped, stragglers)
    (self.clipNorm, self.accuracy) = (clipNorm, accuracy)
  }
}
