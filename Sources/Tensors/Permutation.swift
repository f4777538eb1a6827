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

extension Philox {
  /// The numbers below `count` in an order that all are equally likely to have, by these words from here on.
  package func permutation(of count: Int) -> [Int] {
    var order = [UInt32](repeating: 0, count: count)
    order.permute(by: self)
    return order.map(Int.init)
  }
}
