extension [UInt32] {
  /// Becomes a permutation of the numbers below its count, by Fisher and Yates' shuffle of `0, 1, 2, …`.
  package mutating func permute(by generator: Philox) {
    var generator = generator
    for position in indices { self[position] = UInt32(position) }
    for last in stride(from: count - 1, to: 0, by: -1) {
      swapAt(last, Int(generator.next(below: UInt32(last + 1))))
    }
  }
}
