import Tensors

/// The facts of a federated run that begins.
public struct FederationDescription: Sendable {
  /// The lines of its recipe that other runs have not, such as `clients` and `100`.
  public let settings: [(key: String, value: String)]
  /// The same for people, in one line.
  public let text: String
  /// The factor of the learning rate from one round to the next.
  public let rateDecay: Float

  package init(settings: [(key: String, value: String)], text: String, rateDecay: Float) {
    (self.settings, self.text, self.rateDecay) = (settings, text, rateDecay)
  }

  /// The learning rate of the clients in `round`, from 1, if `rate` is that of the first.
  public func learningRate(round: Int, of rate: Float) -> Float {
    guard rateDecay != 1 && round > 1 else { return rate }
    return Float(Double(rate) * portableExp(Double(round - 1) * portableLog(Double(rateDecay))))
  }
}
