import Glibc
import Tensors

/// Numbers that PyTorch's side of a golden value can make too: element k is `scale · sin(1.3 k + at)`, worked out in Double.
func wave(_ count: Int, at phase: Double = 0, scale: Double = 1) -> Buffer<Float> {
  Buffer((0..<count).map { Float(scale * sin(1.3 * Double($0) + phase)) })
}

/// As ``wave(_:at:scale:)``, but element k is `scale · sin(1.3 k² + at)`: a matrix of them has rows that are no mixture of a few.
func chirp(_ count: Int, at phase: Double = 0, scale: Double = 1) -> Buffer<Float> {
  Buffer((0..<count).map { Float(scale * sin(1.3 * Double($0) * Double($0) + phase)) })
}

/// Uniform numbers in -1..<1.
func noise(_ count: Int, seed: UInt64, stream: UInt64 = 0) -> Buffer<Float> {
  var generator = Philox(seed: seed, purpose: Philox.Purpose(rawValue: 1000), stream: stream)
  return Buffer((0..<count).map { _ in 2 * generator.nextUniform() - 1 })
}

/// The bits of each element: what "the same" means here.
func bits(_ buffer: Buffer<Float>) -> [UInt32] { buffer.array.map(\.bitPattern) }
