import Datasets
import Testing

@Suite struct EpochOrderTests {
  @Test(arguments: [0, 1, 2, 3, 10, 1000, 60_000])
  func isAPermutation(count: Int) {
    for epoch in 0..<3 {
      let order = EpochOrder(seed: 5, epoch: epoch, count: count)
      #expect(order.count == count)
      #expect(order.samples.sorted() == (0..<UInt32(count)).map { $0 })
    }
  }

  /// Pinned, because runs are compared across machines and resumed across versions: a change here changes every run.
  @Test func firstValuesStayWhatTheyAre() {
    #expect(
      EpochOrder(seed: 0, epoch: 0, count: 60_000).samples.prefix(8) == [
        43408, 31454, 34944, 50538, 22371, 30931, 37963, 7348,
      ])
    #expect(
      EpochOrder(seed: 1, epoch: 2, count: 60_000).samples.prefix(8) == [
        51903, 57654, 44191, 19581, 9738, 33046, 42583, 1095,
      ])
    #expect(EpochOrder(seed: 0, epoch: 0, count: 10).samples == [2, 8, 7, 9, 1, 6, 4, 5, 0, 3])
  }

  @Test func dependsOnSeedAndEpochAndNothingElse() {
    let orders = [(0, 0), (0, 1), (1, 0), (1, 1), (1 << 40, 0)].map {
      EpochOrder(seed: $0.0, epoch: $0.1, count: 1000).samples
    }
    #expect(Set(orders).count == orders.count)
    // `seed + epoch` as the key would make these two the same.
    #expect(orders[1] != orders[2])
    #expect(EpochOrder(seed: 1, epoch: 1, count: 1000).samples == orders[3])
  }

  @Test func aRefilledOrderIsTheFreshOne() {
    var order = EpochOrder(seed: 9, epoch: 4, count: 777)
    for epoch in [0, 7, 4, 0] {
      order.shuffle(epoch: epoch)
      #expect(order.epoch == epoch)
      #expect(order.samples == EpochOrder(seed: 9, epoch: epoch, count: 777).samples)
    }
  }

  @Test func refillingReusesTheMemory() {
    var order = EpochOrder(seed: 9, epoch: 0, count: 777)
    func address(_ samples: [UInt32]) -> Int {
      unsafe samples.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    }
    let before = address(order.samples)
    order.shuffle(epoch: 1)
    #expect(address(order.samples) == before)
  }

  /// Each sample is equally likely at each position. Chi-square with 81 degrees of freedom: deviation 12.7.
  @Test func everySampleGoesEverywhere() {
    let (count, draws) = (10, 20_000)
    var cells = [Int](repeating: 0, count: count * count)
    var order = EpochOrder(seed: 2, epoch: 0, count: count)
    for epoch in 0..<draws {
      order.shuffle(epoch: epoch)
      for (position, sample) in order.samples.enumerated() { cells[position * count + Int(sample)] += 1 }
    }
    let expected = Double(draws) / Double(count)
    let chiSquare = cells.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    #expect((30...150).contains(chiSquare))
  }
}
