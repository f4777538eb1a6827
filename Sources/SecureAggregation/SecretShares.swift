import Privacy

/// One client's shares of another one's two secrets, or of its own.
struct SecretShares: Sendable {
  /// A share of the seed of the owner's own mask, and one of its private mask key.
  var seed, key: ShamirSharing.Share

  init(seed: ShamirSharing.Share, key: ShamirSharing.Share) {
    self.seed = seed
    self.key = key
  }

  /// The 128 bytes that are encrypted.
  var text: [UInt8] {
    [seed, key].flatMap { share in
      (0..<64).map { UInt8(truncatingIfNeeded: share[$0 / 8] >> (8 * UInt64($0 % 8))) }
    }
  }

  /// The shares in ``text``; nil if it holds none.
  init?(_ text: [UInt8]) {
    guard text.count == 128 else { return nil }
    var numbers = [UInt64](repeating: 0, count: 16)
    for (index, byte) in text.enumerated() { numbers[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8)) }
    guard numbers.allSatisfy({ FieldElement($0) != nil }) else { return nil }
    self.init(seed: ShamirSharing.Share(numbers[..<8]), key: ShamirSharing.Share(numbers[8...]))
  }
}
