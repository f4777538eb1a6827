import Privacy

/// The key from which both who puts a mask on and who takes it off expand its words. Known to no one else.
struct MaskKey: Sendable {
  let words: SIMD8<UInt32>

  /// The mask between two clients of a round, from what they agreed on. The lower client adds it, the other one subtracts it.
  static func pair(agreed secret: [UInt8], _ setup: AggregationSetup, _ one: Int, _ other: Int) -> MaskKey {
    let purpose = setup.purpose("pairwise mask", min(one, other), max(one, other))
    return MaskKey(words: SIMD8(littleEndian: LibCrypto.derived(from: secret, purpose: purpose)))
  }

  /// The mask that a client puts on alone.
  static func own(seed: [UInt8], _ setup: AggregationSetup, _ client: Int) -> MaskKey {
    MaskKey(
      words: SIMD8(littleEndian: LibCrypto.derived(from: seed, purpose: setup.purpose("self mask", client))))
  }
}

extension WordVector {
  /// Adds the mask of `key`.
  mutating func add(_ key: MaskKey) { add(maskOf: key.words) }

  /// Takes the mask of `key` off again.
  mutating func subtract(_ key: MaskKey) { subtract(maskOf: key.words) }
}
