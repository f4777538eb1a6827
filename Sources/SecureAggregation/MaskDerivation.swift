import Privacy

extension MaskKey {
  /// The mask between two clients of a round, from what they agreed on. The lower client adds it, the other one subtracts it.
  static func pair(agreed secret: [UInt8], _ setup: AggregationSetup, _ one: Int, _ other: Int) -> MaskKey {
    derived(from: secret, setup.purpose("pairwise mask", min(one, other), max(one, other)))
  }

  /// The mask that a client puts on alone.
  static func own(seed: [UInt8], _ setup: AggregationSetup, _ client: Int) -> MaskKey {
    derived(from: seed, setup.purpose("self mask", client))
  }

  private static func derived(from secret: [UInt8], _ purpose: [UInt8]) -> MaskKey {
    MaskKey(SIMD8(littleEndian: LibCrypto.derived(from: secret, purpose: purpose)))
  }
}
