/// Ten rounds of Philox4x32 on the blocks from `counter` on (its first word counts them), eight at once: four words a block, in order.
///
/// The words are those of `Philox`, which explains them. `words` must hold whole groups of ``philoxGroup`` words, and the blocks
/// must not run past 2³².
public func philoxWords(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, into words: Buffer<UInt32>) {
  precondition(words.count % philoxGroup == 0, "\(words.count) words are no multiple of \(philoxGroup)")
  precondition(UInt64(counter[0]) + UInt64(words.count / 4) <= 1 << 32, "a Philox stream ends after 2^32 blocks")
  // Words of 32 bits in the lower halves of lanes of 64, for products of 64; what is above them does not count. A block is two lanes of
  // `front`, c0 and c2, and two of `back`, c1 and c3: so a round is one product for both, whose lanes then change places, and the words
  // come to lie in their order. With a vector for each of the four, the compiler permuted them in each round.
  let low = SIMD8<UInt64>(repeating: 0xFFFF_FFFF)
  let half = SIMD8<UInt64>(repeating: 32)
  let factors = lanes(0xD251_1F53, 0xCD9E_8D57)
  let increments = lanes(0x9E37_79B9, 0xBB67_AE85)
  let places = SIMD8<UInt64>(0, 0, 1, 0, 2, 0, 3, 0)
  for group in 0..<words.count / philoxGroup {
    var front = places &+ lanes(counter[0] &+ UInt32(truncatingIfNeeded: 8 &* group), counter[2])
    var back = lanes(counter[1], counter[3])
    var (front4, back4) = (front &+ lanes(4, 0), back)
    var keys = lanes(key[0], key[1])
    for _ in 0..<10 {
      let (products, products4) = (swapped((front & low) &* factors), swapped((front4 & low) &* factors))
      front = (products &>> half) ^ back ^ keys
      front4 = (products4 &>> half) ^ back4 ^ keys
      back = products & low
      back4 = products4 & low
      keys &+= increments
    }
    let target = unsafe UnsafeMutableRawPointer(words.base + group * philoxGroup)
    unsafe target.storeBytes(of: (front & low) | (back &<< half), as: SIMD8<UInt64>.self)
    unsafe target.storeBytes(of: (front4 & low) | (back4 &<< half), toByteOffset: 64, as: SIMD8<UInt64>.self)
  }
}

/// The two words in turn, for four blocks.
private func lanes(_ even: UInt32, _ odd: UInt32) -> SIMD8<UInt64> {
  var lanes = SIMD8<UInt64>(repeating: UInt64(even))
  lanes.oddHalf = SIMD4(repeating: UInt64(odd))
  return lanes
}

/// Each pair of lanes in the other order.
@inline(__always) private func swapped(_ lanes: SIMD8<UInt64>) -> SIMD8<UInt64> {
  var swapped = lanes
  swapped.evenHalf = lanes.oddHalf
  swapped.oddHalf = lanes.evenHalf
  return swapped
}

/// The words of eight blocks.
public let philoxGroup = 32

/// `mask[i]` = 0 if the i-th half word, the lower half of each first, is below `threshold`, and else `kept`.
public func keepMask(_ words: Buffer<UInt32>, below threshold: UInt32, kept: Float, into mask: Buffer<Float>) {
  precondition(2 * words.count >= mask.count, "\(words.count) words for a mask of \(mask.count)")
  let m = unsafe mask.base
  // The lower half of a word lies first on every processor that Swift knows.
  unsafe UnsafeRawPointer(words.base).withMemoryRebound(to: UInt16.self, capacity: 2 * words.count) { halves in
    for i in 0..<mask.count { unsafe m[i] = UInt32(halves[i]) < threshold ? 0 : kept }
  }
}
