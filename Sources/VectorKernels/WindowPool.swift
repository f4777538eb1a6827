import Primitives
import Vectors

/// A window's four positions as a winner, and the mark of a closed ReLU, each in all lanes. The position is in the lowest two bits
/// of a number near 1, where `lockstep_pick8` reads it, and the mark is negative: blending and comparing floats stays in
/// vector registers on every target. In memory, because the compiler would split the blends of literals in halves.
let poolPlaces = Buffer<Float>(
  (0..<5 * laneCount).map { $0 / laneCount < 4 ? Float(bitPattern: 0x3F80_0000 | UInt32($0 / laneCount)) : -1 })

/// Writes the maximum of a window's four sums behind a ReLU, and its position.
@inline(__always)
func pool(
  _ a0: Lanes, _ a1: Lanes, _ a2: Lanes, _ a3: Lanes, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ winner: UnsafeMutablePointer<Float>, _ place: UnsafePointer<Float>
) {
  let zero = Lanes(repeating: 0)
  let top = a0.replacing(with: a1, where: a1 .> a0)
  let bottom = a2.replacing(with: a3, where: a3 .> a2)
  let largest = unsafe top.replacing(with: bottom, where: bottom .> top) + bias.lanes(0)
  let topPlace = unsafe place.lanes(0).replacing(with: place.lanes(laneCount), where: a1 .> a0)
  let bottomPlace = unsafe place.lanes(2 * laneCount).replacing(with: place.lanes(3 * laneCount), where: a3 .> a2)
  let largestPlace = topPlace.replacing(with: bottomPlace, where: bottom .> top)
  unsafe winner.store(largestPlace.replacing(with: place.lanes(4 * laneCount), where: largest .<= zero), 0)
  unsafe output.store(largest.replacing(with: zero, where: largest .<= zero), 0)
}
