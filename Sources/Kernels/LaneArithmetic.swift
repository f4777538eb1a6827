internal import CIntrinsics

// Arithmetic of whole vectors, an instruction each. The standard library's own, which these stand before, are loops over the lanes: the
// compiler takes longer over them, and does not always find that a loop is one instruction.

extension SIMD16<Float> {
  @inline(always)
  static func + (x: Self, y: Self) -> Self { lockstep_add16(x, y) }

  @inline(always)
  static func - (x: Self, y: Self) -> Self { lockstep_subtract16(x, y) }

  @inline(always)
  static func * (x: Self, y: Self) -> Self { lockstep_multiply16(x, y) }

  @inline(always)
  static func / (x: Self, y: Self) -> Self { lockstep_divide16(x, y) }

  @inline(always)
  static func += (x: inout Self, y: Self) { x = lockstep_add16(x, y) }

  @inline(always)
  func addingProduct(_ x: Self, _ y: Self) -> Self { lockstep_fma16(x, y, self) }

  @inline(always)
  mutating func addProduct(_ x: Self, _ y: Self) { self = lockstep_fma16(x, y, self) }

  @inline(always)
  func replacing(with other: Self, where mask: SIMDMask<SIMD16<Int32>>) -> Self {
    lockstep_select16(unsafe unsafeBitCast(mask, to: SIMD16<Int32>.self), other, self)
  }

  @inline(always)
  mutating func replace(with other: Self, where mask: SIMDMask<SIMD16<Int32>>) {
    self = replacing(with: other, where: mask)
  }
}

extension SIMD8<Float> {
  @inline(always)
  static func + (x: Self, y: Self) -> Self { lockstep_add8(x, y) }

  @inline(always)
  static func - (x: Self, y: Self) -> Self { lockstep_subtract8(x, y) }

  @inline(always)
  static func * (x: Self, y: Self) -> Self { lockstep_multiply8(x, y) }

  @inline(always)
  static func / (x: Self, y: Self) -> Self { lockstep_divide8(x, y) }

  @inline(always)
  static func += (x: inout Self, y: Self) { x = lockstep_add8(x, y) }

  @inline(always)
  func addingProduct(_ x: Self, _ y: Self) -> Self { lockstep_fma8(x, y, self) }

  @inline(always)
  mutating func addProduct(_ x: Self, _ y: Self) { self = lockstep_fma8(x, y, self) }

  @inline(always)
  func replacing(with other: Self, where mask: SIMDMask<SIMD8<Int32>>) -> Self {
    lockstep_select8(unsafe unsafeBitCast(mask, to: SIMD8<Int32>.self), other, self)
  }

  @inline(always)
  mutating func replace(with other: Self, where mask: SIMDMask<SIMD8<Int32>>) {
    self = replacing(with: other, where: mask)
  }
}
