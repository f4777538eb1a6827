/// The eight words of a key from which both who puts a mask on and who takes it off expand its words. Known to no one else.
package struct MaskKey: Sendable {
  let words: SIMD8<UInt32>

  package init(_ words: SIMD8<UInt32>) { self.words = words }
}
