import Primitives
import Vectors

/// Computes multiply-adds on registers alone, as many as a core can do: the peak that measurements are compared with.
///
/// Twelve independent sums of the kernels' own width: enough to hide a latency of 4 to 6 cycles on two ports, few enough for the
/// sixteen registers of AVX2. Returns the floating-point operations, a multiply-add counting as two.
///
/// - Parameters:
///   - rounds: how often each of the sums is added to.
///   - floats: the sums, ``multiplyAdderSums`` floats.
public func exerciseMultiplyAdders(rounds: Int, _ floats: Buffer<Float>) -> Int {
  precondition(floats.count == multiplyAdderSums, "\(floats.count) floats for \(multiplyAdderSums) sums")
  exercise(SingleOperands.self, rounds: rounds, floats)
  return 2 * 12 * laneCount * rounds
}

/// The same for products of any operands.
@inline(never)
func exercise<Operands: ProductOperands>(_: Operands.Type, rounds: Int, _ floats: Buffer<Float>) {
  let s = unsafe floats.base
  var sums = unsafe Registers<12>(s)
  let x = unsafe s.lanes(12 * laneCount)
  let y = unsafe s.lanes(13 * laneCount)
  for _ in 0..<rounds {
    for index in 0..<12 { sums[index] = Operands.add(to: sums[index], x, y) }
  }
  unsafe sums.store(to: s)
}

/// The floats that ``exerciseMultiplyAdders(rounds:_:)`` works on: twelve sums and two factors.
public let multiplyAdderSums = 14 * laneCount
