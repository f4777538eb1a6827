import Glibc
import Kernels
import Testing

/// Activations by vectors, against the same formulas in Double.
@Suite struct ActivationTests {
  /// From the far left to the far right, and densely around 0.
  private static let arguments = Buffer<Float>(
    (-2000...2000).map { Float($0) / 50 } + (-300...300).map { Float($0) * 1e-4 })

  private static let functions: [(name: String, apply: @Sendable (Buffer<Float>, Buffer<Float>) -> Void)] = [
    ("tanh", { tanh($0, into: $1) }), ("gelu", { gelu($0, into: $1) }), ("silu", { silu($0, into: $1) }),
  ]

  private static let gradients:
    [(name: String, apply: @Sendable (Buffer<Float>, Buffer<Float>, Buffer<Float>) -> Void)] = [
      ("tanh", { tanhGradient($0, output: $1, into: $2) }), ("gelu", { geluGradient($0, input: $1, into: $2) }),
      ("silu", { siluGradient($0, input: $1, into: $2) }),
    ]

  /// What an activation of this name is.
  private func exact(_ name: String, _ x: Double) -> Double {
    switch name {
    case "tanh": tanh(x)
    // x/2 · (1 + tanh u), which on the left loses all of its digits, written without that.
    case "gelu": x / (1 + exp(-2 * 0.7978845608028654 * (x + 0.044715 * x * x * x)))
    default: x / (1 + exp(-x))
    }
  }

  /// Its derivative by x; by the output y where the kernel has that.
  private func slope(_ name: String, _ at: Double) -> Double {
    switch name {
    case "tanh": return 1 - at * at
    case "gelu":
      let t = tanh(0.7978845608028654 * (at + 0.044715 * at * at * at))
      return 0.5 * (1 + t) + 0.5 * at * (1 - t * t) * 0.7978845608028654 * (1 + 3 * 0.044715 * at * at)
    default:
      let s = 1 / (1 + exp(-at))
      return s * (1 + at * (1 - s))
    }
  }

  @Test func values() {
    let x = Self.arguments
    for (name, apply) in Self.functions {
      let y = filled(x.count)
      apply(x, y)
      for k in 0..<x.count {
        let expected = exact(name, Double(x[k]))
        // A sigmoid of u is as wrong as u, which is rounded: |u| times an ulp.
        let tolerance = name == "gelu" ? 6e-7 * (1 + abs(Double(x[k] * x[k] * x[k]))) : 4e-7
        #expect(abs(Double(y[k]) - expected) <= tolerance * abs(expected) + 1e-36, "\(name)(\(x[k])) = \(y[k])")
      }
    }
  }

  @Test func derivatives() {
    // An output of tanh is in -1…1.
    let x = Self.arguments
    let outputs = Buffer(x.array.map { $0 / 40 })
    let g = noise(x.count, seed: 1)
    for (name, apply) in Self.gradients {
      let at = name == "tanh" ? outputs : x
      let d = filled(x.count)
      apply(g, at, d)
      // 1 − sigmoid is right to 6·10⁻⁸, which GELU's gradient has 35 times and more.
      #expect(distance(d, (0..<x.count).map { Double(g[$0]) * slope(name, Double(at[$0])) }) < 3e-6, "\(name)")
    }
  }

  @Test func farValues() {
    let x = Buffer<Float>([0, 1e4, -1e4, .infinity, -1e30, 3e38, .nan])
    let y = filled(7)
    tanh(x, into: y)
    #expect(y.array.prefix(6) == [0, 1, -1, 1, -1, 1] && y[6].isNaN)
    silu(x, into: y)
    #expect(y.array.prefix(6) == [0, 1e4, 0, .infinity, 0, 3e38] && y[6].isNaN)
    gelu(x, into: y)
    #expect(y.array.prefix(6) == [0, 1e4, 0, .infinity, 0, 3e38] && y[6].isNaN)
  }

  /// An element's bits do not depend on whether it lies in a whole vector or in the rest, nor on its neighbours.
  @Test func anyCutMakesTheSameBits() {
    let count = 50
    let x = noise(count, seed: 1)
    for k in 0..<count { x[k] *= 5 }
    let g = noise(count, seed: 2)
    for (function, gradient) in zip(Self.functions, Self.gradients) {
      func computed(_ cuts: [Int]) -> [[UInt32]] {
        let (y, d) = (filled(count), filled(count))
        for (start, end) in zip(cuts, cuts.dropFirst()) {
          function.apply(x[start..<end], y[start..<end])
          gradient.apply(g[start..<end], x[start..<end], d[start..<end])
        }
        return [bits(y), bits(d)]
      }
      let whole = computed([0, count])
      for cut in 1..<count { #expect(computed([0, cut, count]) == whole, "\(function.name) cut at \(cut)") }
    }
  }
}
