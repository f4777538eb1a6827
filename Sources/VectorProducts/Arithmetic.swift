internal import COpenBLAS
import Glibc
import Primitives
import Vectors

/// The part of arithmetic that is not this program's: the processor's modes, OpenBLAS and the C library's functions. They decide bits, so
/// ranks compare them.
public enum Arithmetic {
  /// Makes this thread compute as every rank's does: ``useOneBLASThread()`` and ``useDefaultFloatingPoint()``.
  ///
  /// - Returns: whether there is enough memory for OpenBLAS to compute in.
  public static func prepare() -> Bool {
    useOneBLASThread()
    useDefaultFloatingPoint()
    return hasMemory
  }

  /// The address space of OpenBLAS' buffer: 128 MiB on most processors, less on others.
  public static let bufferBytes = 32 << 22

  /// Whether OpenBLAS has its memory. If the address space is limited, it takes its buffer here, because later it would
  /// try for ever if it could not have it.
  private static let hasMemory: Bool = {
    guard availableAddressSpace != .max else { return true }
    // Beside the buffer, what the product itself and the reading of the limit take.
    guard availableAddressSpace > bufferBytes + 8 << 20 else { return false }
    // Large enough that OpenBLAS has no shorter way for it.
    let matrix = Matrix(Buffer(count: 128 * 128), rows: 128, columns: 128)
    multiply(matrix, matrix, into: Matrix(Buffer(count: 128 * 128), rows: 128, columns: 128))
    return true
  }()

  /// The libraries' names, and digests of their results for numbers that are chosen to round: lines of a name and a
  /// value, the same on ranks that compute the same bits. They take a millisecond, once.
  public static let facts: [(name: String, value: String)] = [
    ("OpenBLAS", "\(KernelIdentity.current.blasCore), \(blasConfiguration)"),
    ("products of OpenBLAS", hexadecimal(fingerprint(products()))),
    ("results of the C library's functions", hexadecimal(fingerprint(functions()))),
  ]

  /// Products with every pair of transpositions, small and large: OpenBLAS has other kernels for each.
  private static func products() -> Buffer<Float> {
    let shapes = [(m: 13, k: 300, n: 37), (m: 96, k: 512, n: 160)]
    let product = Buffer<Float>(count: shapes.map { $0.m * $0.n }.reduce(0, +) * 4)
    var start = 0
    for (m, k, n) in shapes {
      let (left, right) = (numbers(m * k, from: 0), numbers(k * n, from: m * k))
      let lefts = [Matrix(left, rows: m, columns: k), Matrix(left, rows: k, columns: m).transposed]
      let rights = [Matrix(right, rows: k, columns: n), Matrix(right, rows: n, columns: k).transposed]
      for left in lefts {
        for right in rights {
          let target = Matrix(product[start..<start + m * n], rows: m, columns: n)
          multiply(left, right, into: target)
          multiply(left, right, into: target, .add)
          start += m * n
        }
      }
    }
    return product
  }

  /// Results of the functions that training computes losses, step sizes, Adam's corrections and changes of images with.
  private static func functions() -> Buffer<Float> {
    let arguments = numbers(64, from: 0).array
    let single = arguments.flatMap { [expf($0), logf(abs($0)), log1pf(abs($0))] }
    let double = arguments.map(Double.init).flatMap { [cos($0), sin($0), exp(-abs($0)), pow(0.999, abs($0) * 100)] }
    return Buffer(
      single
        + double.flatMap { [Float(bitPattern: UInt32(truncatingIfNeeded: $0.bitPattern)), Float($0)] })
  }

  /// Positive and negative numbers of all mantissas between 2⁻⁸ and 2⁸, a function of their place.
  private static func numbers(_ count: Int, from start: Int) -> Buffer<Float> {
    Buffer(
      (start..<start + count).map { place in
        var word = UInt32(place) &* 0x9E37_79B9
        word = (word ^ word >> 15) &* 0x85EB_CA6B
        word ^= word >> 13
        return Float(bitPattern: word & 0x807F_FFFF | (119 + word >> 23 & 15) << 23)
      })
  }

  private static func hexadecimal(_ word: UInt64) -> String { String(word, radix: 16) }
}

/// Sets this thread's floating-point environment to the default: rounding to the nearest, with subnormal numbers,
/// without traps. The parent process or a library may have set another, and threads inherit it.
public func useDefaultFloatingPoint() { _ = lockstep_default_floating_point() }
