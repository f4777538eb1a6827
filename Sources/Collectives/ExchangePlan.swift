/// The transfers of one rank in an ``Communicator/exchange(_:from:into:)``; made once, used every step.
public struct ExchangePlan: Sendable, Equatable {
  /// A range of floats, to or from another rank.
  public struct Transfer: Sendable, Equatable {
    /// The other rank.
    public var peer: Int
    /// The range of the floats in the exchange's buffer.
    public var range: Range<Int>

    /// A transfer of `range` to or from `peer`.
    public init(peer: Int, range: Range<Int>) {
      self.peer = peer
      self.range = range
    }
  }

  /// The transfers that leave, in order.
  public var sends: [Transfer]
  /// The transfers that arrive, in order.
  public var receives: [Transfer]

  /// A plan of these transfers.
  public init(sends: [Transfer] = [], receives: [Transfer] = []) {
    self.sends = sends
    self.receives = receives
  }
}
