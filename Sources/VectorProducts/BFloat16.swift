internal import CIntrinsics
import Primitives
import Synchronization
import Vectors

/// The numbers that the factors of products are rounded to. Sums are of single precision in both.
public enum ProductPrecision: String, Sendable, CaseIterable {
  /// Single precision: factors as they are.
  case fp32
  /// bfloat16: the factors rounded to 8 bits of mantissa, to nearest even.
  ///
  /// The product of two such numbers is exact in single precision, so a sum has the bits of the same multiply-adds of the rounded factors, of
  /// which numbers below 2⁻¹²⁶ count as zero, and become zero: |error| ≤ γₖ · Σ |a| · |b| beside that of the factors' rounding, 2⁻⁸ of each
  /// product, and of underflow. VDPBF16PS does two of these multiply-adds, the first one with the factors in the high halves (Intel 64 and
  /// IA-32 Architectures Software Developer's Manual, volume 2), and is taken where it is faster than multiply-adds; without it they have the
  /// same bits under ``FlushedDenormals``.
  case bf16
}

extension ProductPrecision {
  /// Whether factors of this precision are best laid out in pairs, on this processor: products of pairs have the bits of those of rounded floats.
  public var isPaired: Bool {
    guard self == .bf16 else { return false }
    let choice = Self.choice.load(ordering: .relaxed)
    return choice == 0 ? BFloat16Operands.isFaster : choice > 0
  }

  /// 1 for pairs, −1 for floats, 0 for what is faster.
  private static let choice = Atomic<Int>(0)

  /// Makes ``isPaired`` say so from now on, whatever is faster; nil undoes it. For tests: the bits are the same.
  package static func layOut(inPairs isPaired: Bool?) {
    choice.store(isPaired.map { $0 ? 1 : -1 } ?? 0, ordering: .relaxed)
  }
}

/// Rounds to nearest even bfloat16: `destination[i] = bfloat16(source[i])`, as floats. A NaN stays one. Same count; `destination` may be `source`.
public func roundToBFloat16(_ source: Buffer<Float>, into destination: Buffer<Float>) {
  precondition(source.count == destination.count, "\(source.count) floats rounded into \(destination.count)")
  unsafe roundToBFloat16(source.base, into: destination.base, count: source.count)
}

func roundToBFloat16(_ from: UnsafePointer<Float>, into to: UnsafeMutablePointer<Float>, count: Int) {
  forEachVector(of: count) { at, width in
    unsafe to.store(BFloat16Operands.rounded(from.lanes(at, first: width)), at, first: width)
  }
}

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

/// Two bfloat16 in each lane: of an even k in the high half, which VDPBF16PS multiplies first, and of the k behind it in the low one.
enum BFloat16Operands: ProductOperands {
  /// Whether pairs are faster than rounded floats. AVX512-BF16 does twice the multiply-adds of a Zen 4, and half of those of a Sapphire Rapids;
  /// so it is measured, in some fifty microseconds. The bits are the same.
  static let isFaster: Bool = {
    guard lockstep_has_bfloat16_products() != 0 else { return false }
    let floats = Buffer<Float>((0..<multiplyAdderSums).map { Float($0) * 0x1p-10 })
    func time(_ work: () -> Void) -> Duration {
      (0..<5).map { _ in ContinuousClock().measure(work) }.min() ?? .zero
    }
    let rounds = 1024
    // A pair counts as two multiply-adds; what it gains must be worth the laying out.
    let single = time { exercise(SingleOperands.self, rounds: rounds, floats) }
    return time { exercise(BFloat16Operands.self, rounds: rounds, floats) } < single * 1.6
  }()

  /// Rounds each lane, as ``roundToBFloat16(_:into:)``.
  @inline(__always)
  static func rounded(_ lanes: Lanes) -> Lanes {
    #if LOCKSTEP_LANES_16
      lockstep_rounded16(lanes)
    #else
      lockstep_rounded8(lanes)
    #endif
  }

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
  ///
  /// - Parameter padding: what an odd row at the end of a part is paired with: zeros on both sides, of which one is −0, so that a sum of −0 stays
  ///   one.
  static func roundPairs(
    _ memory: UnsafeMutablePointer<Float>, depth: Int, width: Int, part: Int, padding: Float
  ) {
    var pair = 0
    for start in stride(from: 0, to: depth, by: part) {
      let end = min(start + part, depth)
      for row in stride(from: start, to: end, by: 2) {
        let (even, odd, to) = unsafe (
          memory + row * width, memory + (row + 1) * width, memory + pair * width
        )
        let isPaired = row + 1 < end
        forEachVector(of: width) { at, count in
          let second = isPaired ? unsafe odd.lanes(at, first: count) : Lanes(repeating: padding)
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
