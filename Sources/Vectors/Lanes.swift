public import CIntrinsics

/// The vector that every hand-written kernel works in.
///
/// `launch/build` defines `LOCKSTEP_LANES_16` if the CPU has AVX-512; elsewhere eight lanes fill an AVX2 register, or
/// two of NEON's. One source serves all widths. The width changes the order in which lanes are summed, hence bits: it
/// is part of ``KernelIdentity``, which ranks compare before they train together.
#if LOCKSTEP_LANES_16
  @usableFromInline package typealias Lanes = SIMD16<Float>
#else
  @usableFromInline package typealias Lanes = SIMD8<Float>
#endif

/// The number of floats in one vector of the kernels; every parameter starts at a multiple of 16 floats, which both widths divide.
@inlinable
public var laneCount: Int { Lanes.scalarCount }

/// The floats of a row of `count` that has room for whole vectors.
@inlinable
public func wholeVectors(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

extension UnsafePointer<Float> {
  /// The lanes at `offset` floats from here, aligned or not.
  @inlinable
  @inline(__always)
  package func lanes(_ offset: Int) -> Lanes {
    unsafe UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
  }

  /// The first `count` lanes at `offset`, and zeros in the others: the rest behind whole vectors, to which then the same is done as
  /// to these.
  @inlinable
  @inline(__always)
  package func lanes(_ offset: Int, first count: Int) -> Lanes {
    count == laneCount ? unsafe lanes(offset) : unsafe firstLanes(self + offset, count)
  }

  /// The float at `offset`, in every lane.
  @inlinable
  @inline(__always)
  package func broadcast(_ offset: Int) -> Lanes { unsafe Lanes(repeating: self[offset]) }

  /// The same address, which the compiler takes for a new one. In a loop it keeps the compiler from going from row to row by additions, each of
  /// which would wait for the last.
  @inlinable
  @inline(__always)
  package var asUnknown: UnsafePointer { unsafe lockstep_unknown(self) }

  /// Prefetches the `count` floats from `offset` on, which are needed soon.
  @inlinable
  @inline(__always)
  package func prefetch(_ offset: Int, count: Int) {
    for line in stride(from: offset, to: offset + count, by: cacheLine) { unsafe lockstep_prefetch(self + line) }
  }
}

/// The floats of a cache line.
@inlinable
var cacheLine: Int { 16 }

/// How far ahead of a write memory is asked for, in floats: 4 KB, a page, beyond which processors do not look by themselves.
@inlinable
var writeAhead: Int { 1024 }

extension UnsafeMutablePointer<Float> {
  /// Prefetches the `count` floats from `offset` on, which are written soon.
  @inlinable
  @inline(__always)
  package func prefetchToWrite(_ offset: Int, count: Int) {
    for line in stride(from: offset, to: offset + count, by: cacheLine) {
      unsafe lockstep_prefetch_to_write(self + line)
    }
  }

  /// Prefetches the line that will be written some time after the one at `offset`, if it is one of the `count` floats from here on. For loops
  /// that write more, one vector after the other, than the near caches hold: else stores wait for the lines that they change.
  @inlinable
  @inline(__always)
  package func prefetchToWrite(after offset: Int, of count: Int) {
    let next = offset + writeAhead
    if next < count { unsafe lockstep_prefetch_to_write(self + next) }
  }

  /// The lanes at `offset` floats from here, aligned or not.
  @inlinable
  @inline(__always)
  package func lanes(_ offset: Int) -> Lanes {
    unsafe UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
  }

  /// The float at `offset`, in every lane.
  @inlinable
  @inline(__always)
  package func broadcast(_ offset: Int) -> Lanes { unsafe Lanes(repeating: self[offset]) }

  /// Overwrites the lanes at `offset` floats from here.
  @inlinable
  @inline(__always)
  package func store(_ lanes: Lanes, _ offset: Int) {
    unsafe UnsafeMutableRawPointer(self + offset).storeBytes(of: lanes, as: Lanes.self)
  }

  /// See `UnsafePointer`'s.
  @inlinable
  @inline(__always)
  package func lanes(_ offset: Int, first count: Int) -> Lanes {
    unsafe UnsafePointer(self).lanes(offset, first: count)
  }

  /// Overwrites the first `count` floats at `offset` by the first lanes.
  @inlinable
  @inline(__always)
  package func store(_ lanes: Lanes, _ offset: Int, first count: Int) {
    if count == laneCount {
      unsafe store(lanes, offset)
    } else {
      unsafe storeFirst(lanes, self + offset, count)
    }
  }
}

@inlinable
@inline(__always)
func firstLanes(_ memory: UnsafePointer<Float>, _ count: Int) -> Lanes {
  #if LOCKSTEP_LANES_16
    unsafe lockstep_load16(memory, count)
  #else
    unsafe firstEightLanes(memory, count)
  #endif
}

@inlinable
@inline(__always)
func storeFirst(_ lanes: Lanes, _ memory: UnsafeMutablePointer<Float>, _ count: Int) {
  #if LOCKSTEP_LANES_16
    unsafe lockstep_store16(memory, lanes, count)
  #else
    unsafe storeFirstEight(lanes, memory, count)
  #endif
}

#if !LOCKSTEP_LANES_16
  // Calls: loops within a kernel would keep the compiler from inlining what it computes.

  @usableFromInline @inline(never)
  func firstEightLanes(_ memory: UnsafePointer<Float>, _ count: Int) -> Lanes {
    unsafe lockstep_load8(memory, count)
  }

  @usableFromInline @inline(never)
  func storeFirstEight(_ lanes: Lanes, _ memory: UnsafeMutablePointer<Float>, _ count: Int) {
    unsafe lockstep_store8(memory, lanes, count)
  }
#endif

/// Calls `body` with the offset of each whole vector of `count` floats and ``laneCount``, and then with that of the rest and its floats.
///
/// A body that reads and writes by `lanes(_:first:)` computes an element with the same roundings wherever it lies.
@inlinable
@inline(__always)
package func forEachVector(of count: Int, _ body: (_ offset: Int, _ width: Int) -> Void) {
  let whole = count / laneCount * laneCount
  for offset in stride(from: 0, to: whole, by: laneCount) { body(offset, laneCount) }
  if whole < count { body(whole, count - whole) }
}

extension Lanes {
  /// √ of each lane, correctly rounded as IEEE 754 asks.
  @inlinable
  @inline(__always)
  package func root() -> Lanes {
    #if LOCKSTEP_LANES_16
      lockstep_sqrt16(self)
    #else
      lockstep_sqrt8(self)
    #endif
  }

  /// The sum of the lanes, halving: the order is fixed by the width alone.
  @inlinable
  @inline(__always)
  package func total() -> Float {
    #if LOCKSTEP_LANES_16
      let eight = lowHalf + highHalf
    #else
      let eight = self
    #endif
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}

/// The same numbers, which Double has exactly. `SIMD8<Double>(_:)` takes them one by one.
@inlinable
@inline(always)
package func doubles(_ floats: SIMD8<Float>) -> SIMD8<Double> { lockstep_doubles8(floats) }

/// The treatment of a gradient buffer's content by a kernel that writes to it.
public enum Accumulation: Sendable {
  /// The microbatch's sum replaces the content.
  case replace
  /// The microbatch's sum, once complete, is added to the content: one rounding an element, so that adding in place
  /// gives the same bits as replacing elsewhere and adding the two buffers.
  case add
}
