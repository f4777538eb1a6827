import Synchronization

/// What parameters were at one moment: passes of the same version have the same parameters, bit by bit.
///
/// So a layer can keep what it has made of them, such as weights laid out for products, from one pass of a step to the next.
public struct WeightsVersion: Hashable, Sendable {
  private static let last = Atomic<UInt64>(0)
  private let number: UInt64

  /// A version that no other is equal to.
  public init() { number = Self.last.add(1, ordering: .relaxed).newValue }
}
