/// The reason why a round of secure aggregation ended, or a message was refused. One line each.
public enum AggregationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Settings that no round can have.
  case setup(String)
  /// An update that cannot be quantised: a value that is not finite, too many or too few of them, a weight out of range.
  case update(String)
  /// Bytes that are no message.
  case malformed(String)
  /// A message of another round or stage, of a client that does not take part, or a second one.
  case unexpected(String)
  /// A ciphertext, a key or a share that somebody changed on the way or made up.
  case forged(String)
  /// A client's refusal to reveal what would unmask somebody.
  case refused(String)
  /// Fewer clients are left than are needed to take the masks off.
  case tooFew(String)

  public var description: String {
    switch self {
    case .setup(let line), .update(let line), .malformed(let line), .unexpected(let line), .forged(let line),
      .refused(let line), .tooFew(let line):
      line
    }
  }

  /// The case's number among ranks.
  var code: UInt8 {
    switch self {
    case .setup: 0
    case .update: 1
    case .malformed: 2
    case .unexpected: 3
    case .forged: 4
    case .refused: 5
    case .tooFew: 6
    }
  }

  /// The case of this number; nil if there is none.
  init?(code: Int, line: String) {
    let cases = [
      Self.setup, Self.update, Self.malformed, Self.unexpected, Self.forged, Self.refused, Self.tooFew,
    ]
    guard cases.indices.contains(code) else { return nil }
    self = cases[code](line)
  }
}
