import Datasets
import Synchronization
import Tensors
import Testing

/// Subsets, and the shards that are made of them.
@Suite struct SubsetTests {
  /// Sample i of ten is [i, -i], of label 3i and with the numbers [i/2, i].
  private static func base(values: Bool = false, count: Int = 10) throws -> InMemoryDataset {
    let inputs = Buffer((0..<count).flatMap { [Float($0), -Float($0)] })
    guard values else {
      return try InMemoryDataset(
        name: "ten", inputs: inputs, shape: [2], labels: Buffer((0..<count).map { Int32(3 * $0) }))
    }
    return try InMemoryDataset(
      name: "ten", inputs: inputs, shape: [2], values: Buffer((0..<count).flatMap { [Float($0) / 2, Float($0)] }))
  }

  /// The first number of each sample's input, by a range and by number, which must agree; the labels must be theirs.
  private func samples(_ data: some Dataset) -> [Int] {
    let count = data.count
    let (inputs, again) = (Buffer<Float>(count: 2 * count), Buffer<Float>(count: 2 * count))
    let (labels, labelsAgain) = (Buffer<Int32>(count: count), Buffer<Int32>(count: count))
    let numbers = (0..<UInt32(count)).map { $0 }[...]
    data.copyInputs(in: 0..<count, into: inputs)
    data.copyInputs(of: numbers, into: again, noise: nil)
    data.copyLabels(in: 0..<count, into: labels)
    data.copyLabels(of: numbers, into: labelsAgain)
    #expect(inputs.array == again.array && labels.array == labelsAgain.array)
    let found = (0..<count).map { Int(inputs[2 * $0]) }
    for sample in 0..<count {
      #expect(inputs[2 * sample + 1] == -Float(found[sample]) && Int(labels[sample]) == 3 * found[sample])
    }
    return found
  }

  @Test func samplesAreThoseOfTheBase() throws {
    let subset = try Subset(of: Self.base(), indices: [7, 0, 7, 2])
    #expect(subset.count == 4 && subset.inputShape == [2])
    #expect(subset.targets == .labels(0...27), "the classes are the base's, whichever occur")
    #expect(samples(subset) == [7, 0, 7, 2])
    let copies = Buffer<Float>(count: 4)
    subset.copyInputs(of: [3, 1], into: copies, noise: nil)
    #expect(copies.array == [2, -2, 0, 0])
    subset.copyInputs(in: 1..<3, into: copies)
    #expect(copies.array == [0, 0, 7, -7])
  }

  @Test func realNumbersAreThoseOfTheBase() throws {
    let subset = try Subset(of: Self.base(values: true), indices: [7, 0, 2])
    #expect(subset.targets == .values(count: 2))
    let copies = Buffer<Float>(count: 4)
    subset.copyValues(of: [2, 0], into: copies)
    #expect(copies.array == [1, 2, 3.5, 7])
    subset.copyValues(in: 0..<2, into: copies)
    #expect(copies.array == [3.5, 7, 0, 0])
  }

  @Test func aSubsetOfASubsetIsOneOfTheBase() throws {
    let outer = try Subset(of: Self.base(), indices: [9, 8, 7, 6])
    let inner = try Subset(of: outer, indices: [3, 0])
    #expect(samples(inner) == [6, 9])
    #expect(inner.base is InMemoryDataset)
    #expect(inner.digest == (try Subset(of: Self.base(), indices: [6, 9]).digest))
  }

  /// A sample's noise is that of its place in the batch, not of its place in a call.
  @Test func noiseIsHandedOnByPlace() throws {
    final class Places: Dataset {
      let seen = Mutex<[UInt32: Noise?]>([:])
      var count: Int { 5 }
      var inputShape: Shape { [1] }
      var targets: Targets { .labels(0...1) }
      var digest: SHA256Digest { SHA256Digest(of: [1]) }
      func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
        for (place, sample) in samples.enumerated() {
          seen.withLock { $0[sample] = .some(noise?.advanced(by: place)) }
        }
      }
    }
    let base = Places()
    let subset = try Subset(of: base, indices: [4, 1, 3])
    subset.copyInputs(
      of: [2, 0], into: Buffer(count: 2), noise: Noise(seed: 1, step: 2, firstPosition: 8))
    func noise(_ place: Int) -> Noise? { Noise(seed: 1, step: 2, firstPosition: place) }
    #expect(base.seen.withLock { $0 } == [3: noise(8), 4: noise(9)])
    subset.copyInputs(in: 0..<3, into: Buffer(count: 3))
    #expect(base.seen.withLock { $0 } == [1: nil, 3: nil, 4: nil])
  }

  @Test func theDigestIsThatOfTheBaseAndTheNumbers() throws {
    let base = try Self.base()
    let digests = try [
      base.digest, Subset(of: base, indices: 0..<10).digest, Subset(of: base, indices: [1, 2]).digest,
      Subset(of: base, indices: [2, 1]).digest, Subset(of: base, indices: [1, 2, 2]).digest,
      Subset(of: Self.base(count: 11), indices: [1, 2]).digest,
    ]
    #expect(Set(digests).count == digests.count)
    #expect(try Subset(of: Self.base(), indices: [1, 2]).digest == digests[2])
  }

  @Test func samplesThatAreNotThereAreRefused() throws {
    let base = try Self.base()
    for index in [-1, 10, Int.max] {
      #expect(throws: DatasetError("ten", .sample(index, count: 10))) { try Subset(of: base, indices: [0, index]) }
    }
    #expect(throws: DatasetError("a subset of ten", .noSamples)) { try Subset(of: base, indices: []) }
  }

  @Test(arguments: [Shard.Cut.contiguous, .modulo])
  func shardsHoldEverySampleOnce(cut: Shard.Cut) throws {
    let base = try Self.base()
    for count in 1...10 {
      let shards = try (0..<count).map { try base.shard(Shard($0, of: count, cut)) }
      let found = shards.map(samples)
      #expect(found.joined().sorted() == Array(0..<10))
      #expect(found.allSatisfy { $0 == $0.sorted() && $0.count * count >= 10 - count + 1 })
      #expect((found.map(\.count).max() ?? 0) - (found.map(\.count).min() ?? 0) <= 1)
      #expect(Set(shards.map(\.digest)).count == count)
    }
    let third = samples(try base.shard(Shard(2, of: 3, cut)))
    #expect(third == (cut == .modulo ? [2, 5, 8] : [6, 7, 8, 9]))
  }

  @Test func shardsThatCannotBeAreRefused() throws {
    let base = try Self.base()
    for (index, count) in [(-1, 3), (3, 3), (0, 0), (0, -1), (0, 11)] {
      for cut in [Shard.Cut.contiguous, .modulo] {
        #expect(throws: DatasetError("ten", .shard(index, of: count))) {
          try base.shard(Shard(index, of: count, cut))
        }
      }
    }
  }
}
