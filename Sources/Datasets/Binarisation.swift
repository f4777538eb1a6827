import Tensors

/// How a pixel from 0 to 1 becomes 0 or 1.
public enum Binarisation: Hashable, Sendable, CustomStringConvertible {
  /// 1 above this value.
  case threshold(Float)
  /// 1 with the pixel's value as probability (Salakhutdinov & Murray 2008): in training a new draw every time that the sample is used, keyed
  /// by the noise; in an evaluation one draw, which follows from `seed` and the sample's number.
  case bernoulli(seed: UInt64)

  /// Reads ``description``; nil for anything else.
  public init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 2 else { return nil }
    switch words[0] {
    case "threshold":
      guard let value = Float(words[1]), value.isFinite else { return nil }
      self = .threshold(value)
    case "bernoulli":
      guard let seed = UInt64(words[1]) else { return nil }
      self = .bernoulli(seed: seed)
    default: return nil
    }
  }

  /// `threshold 0.5` or `bernoulli 0`.
  public var description: String {
    switch self {
    case .threshold(let value): "threshold \(value)"
    case .bernoulli(let seed): "bernoulli \(seed)"
    }
  }
}
