import Kernels

/// Numbers in -1..<1 that look random, from a multiplicative hash: this room knows no generator.
func noise(_ count: Int, seed: UInt64) -> Buffer<Float> {
  var state = seed &* 0x9E37_79B9_7F4A_7C15
  return Buffer(
    (0..<count).map { _ in
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Float(z >> 40) * 0x1p-23 - 1
    })
}

func filled(_ count: Int, with value: Float = .nan) -> Buffer<Float> {
  let buffer = Buffer<Float>(count: count)
  buffer.fill(value)
  return buffer
}

/// The bits of each element: what "the same" means here.
func bits(_ buffer: Buffer<Float>) -> [UInt32] { buffer.array.map(\.bitPattern) }

/// The largest distance of `values` from `expected`, which were worked out in Double; infinite if there is a NaN.
func distance(_ values: Buffer<Float>, _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  var largest = 0.0
  for (k, value) in expected.enumerated() {
    let distance = abs(Double(values[k]) - value)
    if !(distance <= largest) { largest = distance.isNaN ? .infinity : distance }
  }
  return largest
}
