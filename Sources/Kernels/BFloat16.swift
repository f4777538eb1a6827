internal import CIntrinsics

/// The numbers that a product's factors are rounded to. Sums are of single precision in both.
public enum ProductPrecision: String, Sendable, CaseIterable {
  /// Single precision: factors as they are.
  case fp32
  /// bfloat16: the factors rounded to 8 bits of mantissa, to nearest even, as they are laid out. Twice as fast where the processor has
  /// AVX512-BF16 (``hasBFloat16Products``); elsewhere the same bits by many instructions.
  ///
  /// Two products are added to a sum at once, as VDPBF16PS does (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2): that
  /// of the odd k, rounded to nearest even, then that of the even k. Numbers below 2⁻¹²⁶ count as zero, and become zero. So |error| ≤
  /// γₖ · Σ |a| · |b| beside that of the factors' rounding, 2⁻⁸ of each product, and of underflow.
  case bf16
}

/// Whether this program multiplies bfloat16 by the processor's own instruction.
public var hasBFloat16Products: Bool { lockstep_has_bfloat16_products() != 0 }

/// How a kernel multiplies.
protocol ProductOperands {
  /// Adds the products of `factor` and `vector` to `sum`, lane by lane.
  static func add(to sum: Lanes, _ factor: Lanes, _ vector: Lanes) -> Lanes
}

/// A float in each lane.
enum SingleOperands: ProductOperands {
  @inline(__always)
  static func add(to sum: Lanes, _ factor: Lanes, _ vector: Lanes) -> Lanes {
    sum.addingProduct(factor, vector)
  }
}

/// Two bfloat16 in each lane: of an even k in the low half, and of the k behind it in the high one.
enum BFloat16Operands: ProductOperands {
  @inline(__always)
  static func add(to sum: Lanes, _ factor: Lanes, _ vector: Lanes) -> Lanes {
    #if LOCKSTEP_LANES_16
      lockstep_bfloat16_products16(sum, factor, vector)
    #else
      lockstep_bfloat16_products8(sum, factor, vector)
    #endif
  }

  /// The number of pairs of `depth` values in parts of `part`, an odd one at the end of a part being a pair with zero.
  static func pairs(_ depth: Int, part: Int) -> Int {
    depth / part * ((part + 1) / 2) + (depth % part + 1) / 2
  }

  /// Rounds rows of `width` floats at `memory` and writes pairs of them there, one behind the other; `depth` rows in parts of `part`.
  static func roundPairs(_ memory: UnsafeMutablePointer<Float>, depth: Int, width: Int, part: Int) {
    var pair = 0
    for start in stride(from: 0, to: depth, by: part) {
      let end = min(start + part, depth)
      for row in stride(from: start, to: end, by: 2) {
        let (even, odd, to) = unsafe (
          memory + row * width, memory + (row + 1) * width, memory + pair * width
        )
        let isPaired = row + 1 < end
        forEachVector(of: width) { at, count in
          let second = isPaired ? unsafe odd.lanes(at, first: count) : Lanes(repeating: 0)
          #if LOCKSTEP_LANES_16
            let rounded = unsafe lockstep_pairs16(even.lanes(at, first: count), second)
          #else
            let rounded = unsafe lockstep_pairs8(even.lanes(at, first: count), second)
          #endif
          unsafe to.store(rounded, at, first: count)
        }
        pair += 1
      }
    }
  }
}
