public import CIntrinsics

// Arithmetic of whole vectors, an instruction each. The standard library's own, which these stand before, are loops over the lanes: the
// compiler takes longer over them, and does not always find that a loop is one instruction.

extension SIMD16<Float> {
  @inlinable
  @inline(always)
  package static func + (x: Self, y: Self) -> Self { lockstep_add16(x, y) }

  @inlinable
  @inline(always)
  package static func - (x: Self, y: Self) -> Self { lockstep_subtract16(x, y) }

  @inlinable
  @inline(always)
  package static func * (x: Self, y: Self) -> Self { lockstep_multiply16(x, y) }

  @inlinable
  @inline(always)
  package static func / (x: Self, y: Self) -> Self { lockstep_divide16(x, y) }

  @inlinable
  @inline(always)
  package static func += (x: inout Self, y: Self) { x = lockstep_add16(x, y) }

  @inlinable
  @inline(always)
  package func addingProduct(_ x: Self, _ y: Self) -> Self { lockstep_fma16(x, y, self) }

  @inlinable
  @inline(always)
  package mutating func addProduct(_ x: Self, _ y: Self) { self = lockstep_fma16(x, y, self) }

  @inlinable
  @inline(always)
  package func replacing(with other: Self, where mask: SIMDMask<SIMD16<Int32>>) -> Self {
    lockstep_select16(unsafe unsafeBitCast(mask, to: SIMD16<Int32>.self), other, self)
  }

  @inlinable
  @inline(always)
  package mutating func replace(with other: Self, where mask: SIMDMask<SIMD16<Int32>>) {
    self = replacing(with: other, where: mask)
  }
}

extension SIMD8<Float> {
  @inlinable
  @inline(always)
  package static func + (x: Self, y: Self) -> Self { lockstep_add8(x, y) }

  @inlinable
  @inline(always)
  package static func - (x: Self, y: Self) -> Self { lockstep_subtract8(x, y) }

  @inlinable
  @inline(always)
  package static func * (x: Self, y: Self) -> Self { lockstep_multiply8(x, y) }

  @inlinable
  @inline(always)
  package static func / (x: Self, y: Self) -> Self { lockstep_divide8(x, y) }

  @inlinable
  @inline(always)
  package static func += (x: inout Self, y: Self) { x = lockstep_add8(x, y) }

  @inlinable
  @inline(always)
  package func addingProduct(_ x: Self, _ y: Self) -> Self { lockstep_fma8(x, y, self) }

  @inlinable
  @inline(always)
  package mutating func addProduct(_ x: Self, _ y: Self) { self = lockstep_fma8(x, y, self) }

  @inlinable
  @inline(always)
  package func replacing(with other: Self, where mask: SIMDMask<SIMD8<Int32>>) -> Self {
    lockstep_select8(unsafe unsafeBitCast(mask, to: SIMD8<Int32>.self), other, self)
  }

  @inlinable
  @inline(always)
  package mutating func replace(with other: Self, where mask: SIMDMask<SIMD8<Int32>>) {
    self = replacing(with: other, where: mask)
  }
}
