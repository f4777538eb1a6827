/// Ten rounds of Philox4x32 on the blocks from `counter` on (its first word counts them), eight at once: four words a block, in order.
///
/// The words are those of `Philox`, which explains them. `words` must hold whole groups of ``philoxGroup`` words, and the blocks
/// must not run past 2³².
public func philoxWords(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, into words: Buffer<UInt32>) {
  precondition(words.count % philoxGroup == 0, "\(words.count) words are no multiple of \(philoxGroup)")
  precondition(UInt64(counter[0]) + UInt64(words.count / 4) <= 1 << 32, "a Philox stream ends after 2^32 blocks")
  // Words of 32 bits in lanes of 64, for products of 64: what is above the lower half is masked away before each.
  let low = SIMD8<UInt64>(repeating: 0xFFFF_FFFF)
  let shift = SIMD8<UInt64>(repeating: 32)
  let places = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7)
  for group in 0..<words.count / philoxGroup {
    var c0 = (places &+ SIMD8(repeating: UInt64(counter[0]) &+ 8 &* UInt64(group))) & low
    var c1 = SIMD8<UInt64>(repeating: UInt64(counter[1]))
    var c2 = SIMD8<UInt64>(repeating: UInt64(counter[2]))
    var c3 = SIMD8<UInt64>(repeating: UInt64(counter[3]))
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let first = (c0 & low) &* SIMD8(repeating: 0xD251_1F53)
      let second = (c2 & low) &* SIMD8(repeating: 0xCD9E_8D57)
      c0 = (second &>> shift) ^ c1 ^ SIMD8(repeating: UInt64(k0))
      c1 = second & low
      c2 = (first &>> shift) ^ c3 ^ SIMD8(repeating: UInt64(k1))
      c3 = first & low
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    let front = c0 | (c1 &<< shift)
    let back = c2 | (c3 &<< shift)
    let target = unsafe UnsafeMutableRawPointer(words.base + group * philoxGroup)
    for block in 0..<8 {
      unsafe target.storeBytes(of: front[block], toByteOffset: 16 * block, as: UInt64.self)
      unsafe target.storeBytes(of: back[block], toByteOffset: 16 * block + 8, as: UInt64.self)
    }
  }
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
