/// Multiply-adds on registers alone, the most that a core can do of them, for measurements to be held against.
///
/// Twelve independent sums of the kernels' own width: enough to hide a latency of 4 to 6 cycles on two ports, few enough for the
/// sixteen registers of AVX2. Returns the floating-point operations, a multiply-add counting as two.
///
/// - Parameter rounds: how often each of the sums is added to.
@inline(never)
public func exerciseMultiplyAdders(rounds: Int, _ sums: Buffer<Float>) -> Int {
  precondition(sums.count == multiplyAdderSums, "\(sums.count) floats for \(multiplyAdderSums) sums")
  let s = unsafe sums.base
  var a0 = unsafe s.lanes(0)
  var a1 = unsafe s.lanes(laneCount)
  var a2 = unsafe s.lanes(2 * laneCount)
  var a3 = unsafe s.lanes(3 * laneCount)
  var a4 = unsafe s.lanes(4 * laneCount)
  var a5 = unsafe s.lanes(5 * laneCount)
  var a6 = unsafe s.lanes(6 * laneCount)
  var a7 = unsafe s.lanes(7 * laneCount)
  var a8 = unsafe s.lanes(8 * laneCount)
  var a9 = unsafe s.lanes(9 * laneCount)
  var a10 = unsafe s.lanes(10 * laneCount)
  var a11 = unsafe s.lanes(11 * laneCount)
  let x = unsafe s.lanes(12 * laneCount)
  let y = unsafe s.lanes(13 * laneCount)
  for _ in 0..<rounds {
    a0 = a0.addingProduct(x, y)
    a1 = a1.addingProduct(x, y)
    a2 = a2.addingProduct(x, y)
    a3 = a3.addingProduct(x, y)
    a4 = a4.addingProduct(x, y)
    a5 = a5.addingProduct(x, y)
    a6 = a6.addingProduct(x, y)
    a7 = a7.addingProduct(x, y)
    a8 = a8.addingProduct(x, y)
    a9 = a9.addingProduct(x, y)
    a10 = a10.addingProduct(x, y)
    a11 = a11.addingProduct(x, y)
  }
  unsafe s.store(a0, 0)
  unsafe s.store(a1, laneCount)
  unsafe s.store(a2, 2 * laneCount)
  unsafe s.store(a3, 3 * laneCount)
  unsafe s.store(a4, 4 * laneCount)
  unsafe s.store(a5, 5 * laneCount)
  unsafe s.store(a6, 6 * laneCount)
  unsafe s.store(a7, 7 * laneCount)
  unsafe s.store(a8, 8 * laneCount)
  unsafe s.store(a9, 9 * laneCount)
  unsafe s.store(a10, 10 * laneCount)
  unsafe s.store(a11, 11 * laneCount)
  return 2 * 12 * laneCount * rounds
}

/// The floats that ``exerciseMultiplyAdders(rounds:_:)`` works on: twelve sums and two factors.
public let multiplyAdderSums = 14 * laneCount
