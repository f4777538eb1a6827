import Primitives

/// 64 bits that follow from every bit of `values` and its place, to see whether two ranks hold the same; not against
/// deceit. A single element that differs always shows. Of other differences at most one in 2³² does not.
///
/// FNV-1a (Fowler, Noll & Vo) in 16 lanes of 32 bits, and once more over the lanes: each step is one-to-one in what it takes in.
public func fingerprint(_ values: Buffer<Float>) -> UInt64 {
  let x = unsafe UnsafeRawPointer(values.base)
  let whole = values.count / 16 * 16
  var lanes = SIMD16<UInt32>(repeating: 0x811C_9DC5)
  let prime = SIMD16<UInt32>(repeating: 0x0100_0193)
  for i in stride(from: 0, to: whole, by: 16) {
    unsafe lanes = (lanes ^ x.loadUnaligned(fromByteOffset: 4 * i, as: SIMD16<UInt32>.self)) &* prime
  }
  var result: UInt64 = 0xCBF2_9CE4_8422_2325
  func take(_ word: UInt32) { result = (result ^ UInt64(word)) &* 0x0000_0100_0000_01B3 }
  for lane in 0..<16 { take(lanes[lane]) }
  for i in whole..<values.count { take(values[i].bitPattern) }
  return result
}
