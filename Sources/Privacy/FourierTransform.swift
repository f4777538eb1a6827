import Glibc

/// A complex number: its real part is `x`, its imaginary part `y`.
package typealias Complex = SIMD2<Double>

/// The discrete Fourier transform of N complex numbers, N a power of two, by Cooley and Tukey's fast algorithm.
///
/// Forward leaves the frequencies in bit-reversed order, which inverse expects, so that neither need sort them.
package struct FourierTransform {
  /// N.
  package let count: Int
  /// exp(−πi·j/h) at place h + j, for j below h: the roots that join halves of h numbers, one after another.
  private let roots: [Complex]

  /// The transform of `count` numbers, a power of two.
  package init(count: Int) {
    precondition(count > 0 && count & (count - 1) == 0, "a transform of \(count) numbers")
    self.count = count
    var roots = [Complex](repeating: Complex(1, 0), count: count)
    let half = count / 2
    for place in stride(from: count - 1, to: 1, by: -1) {
      if place >= half {
        let angle = Double.pi * Double(place - half) / Double(half)
        roots[place] = Complex(cos(angle), -sin(angle))
      } else {
        // Those of h are every second one of 2h.
        roots[place] = roots[2 * place]
      }
    }
    self.roots = roots
  }

  /// Replaces x by X, X[k] = Σ x[n]·exp(−2πi·kn/N), with k in bit-reversed order.
  package func forward(_ values: inout [Complex]) {
    precondition(values.count == count, "a transform of \(count) numbers for \(values.count)")
    var x = values.mutableSpan
    let roots = roots.span
    var size = count
    while size > 1 {
      let half = size / 2
      var start = 0
      while start < count {
        for j in 0..<half {
          let (a, b) = (x[start + j], x[start + j + half])
          x[start + j] = a + b
          x[start + j + half] = product(a - b, roots[half + j])
        }
        start += size
      }
      size = half
    }
  }

  /// The inverse of ``forward(_:)``, 1/N included.
  package func inverse(_ values: inout [Complex]) {
    precondition(values.count == count, "a transform of \(count) numbers for \(values.count)")
    var x = values.mutableSpan
    let roots = roots.span
    var size = 2
    while size <= count {
      let half = size / 2
      var start = 0
      while start < count {
        for j in 0..<half {
          let root = roots[half + j]
          let (a, b) = (x[start + j], product(x[start + j + half], Complex(root.x, -root.y)))
          x[start + j] = a + b
          x[start + j + half] = a - b
        }
        start += size
      }
      size *= 2
    }
    for i in 0..<count { x[i] /= Double(count) }
  }
}

/// a·b.
@inline(__always)
func product(_ a: Complex, _ b: Complex) -> Complex { Complex(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x) }

/// z to the power of `exponent`, at least 0, by repeated squaring.
package func power(_ z: Complex, _ exponent: Int) -> Complex {
  var (result, base, rest) = (Complex(1, 0), z, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result = product(result, base) }
    rest >>= 1
    base = product(base, base)
  }
  return result
}
