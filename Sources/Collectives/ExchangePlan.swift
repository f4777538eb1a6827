/// What one rank sends and receives in an ``Communicator/exchange(_:from:into:)``; made once, used every step.
public struct ExchangePlan: Sendable, Equatable {
  /// A range of floats, to or from another rank.
  public struct Transfer: Sendable, Equatable {
    /// The other rank.
    public var peer: Int
    /// The floats, as they lie in the exchange's buffer.
    public var range: Range<Int>

    /// See the properties.
    public init(peer: Int, range: Range<Int>) {
      self.peer = peer
      self.range = range
    }
  }

  /// What leaves, in order.
  public var sends: [Transfer]
  /// What arrives, in order.
  public var receives: [Transfer]

  /// See the properties.
  public init(sends: [Transfer] = [], receives: [Transfer] = []) {
    self.sends = sends
    self.receives = receives
  }
}
