import Datasets
import Tensors
import Testing

/// Samples that are chosen, and set aside.
@Suite struct TrainingPartsTests {
  private static func whole(_ count: Int) throws -> InMemoryDataset {
    try InMemoryDataset(
      name: "whole", inputs: Buffer((0..<count).map { Float($0) }), shape: [1],
      labels: Buffer((0..<count).map { Int32($0 % 10) }))
  }

  private static func samples(_ data: (any Dataset)?) -> [Int] {
    guard let data else { return [] }
    let inputs = Buffer<Float>(count: data.count)
    data.copyInputs(in: 0..<data.count, into: inputs)
    return inputs.array.map { Int($0) }
  }

  @Test func withoutPartsTheDataAreAsTheyAre() throws {
    let parts = try TrainingParts(of: Self.whole(20), subset: nil, validation: nil, seed: 1)
    #expect(parts.training is InMemoryDataset && parts.validation == nil)
  }

  @Test func bothPartsHoldEverySampleOnce() throws {
    for (validation, count) in [(0.1, 10), (0.5, 50), (0.99, 99), (0.006, 1), (0.104, 10), (0.106, 11)]
      as [(Float, Int)]
    {
      let parts = try TrainingParts(of: Self.whole(100), subset: nil, validation: validation, seed: 1)
      let (training, held) = (Self.samples(parts.training), Self.samples(parts.validation))
      #expect(held.count == count, "\(validation)")
      #expect((training + held).sorted() == Array(0..<100))
      #expect(training == training.sorted() && held == held.sorted(), "the data's own order")
      #expect(held != Array((100 - count)..<100), "not the last ones")
    }
  }

  @Test func aSmallerSubsetIsAPartOfALarger() throws {
    var last: Set<Int> = []
    for count in [1, 2, 10, 50, 99, 100] {
      let parts = try TrainingParts(of: Self.whole(100), subset: count, validation: nil, seed: 3)
      let chosen = Set(Self.samples(parts.training))
      #expect(chosen.count == count && chosen.isSuperset(of: last) && parts.validation == nil)
      last = chosen
    }
    // The part that is set aside is one of the subset.
    let used = Set(Self.samples(try TrainingParts(of: Self.whole(100), subset: 40, validation: nil, seed: 3).training))
    let parts = try TrainingParts(of: Self.whole(100), subset: 40, validation: 0.25, seed: 3)
    #expect(parts.validation?.count == 10)
    #expect(Set(Self.samples(parts.training) + Self.samples(parts.validation)) == used)
  }

  @Test func theSeedDecides() throws {
    func held(_ seed: UInt64) throws -> [Int] {
      Self.samples(try TrainingParts(of: Self.whole(100), subset: nil, validation: 0.2, seed: seed).validation)
    }
    #expect(try held(1) == held(1))
    #expect(try held(1) != held(2))
    // Not the order of an epoch.
    let first = EpochOrder(seed: 1, epoch: 0, count: 100).samples.suffix(20).map { Int($0) }.sorted()
    #expect(try held(1) != first)
  }

  /// Each class is met about as often as it is there.
  @Test func partsAreFair() throws {
    let parts = try TrainingParts(of: Self.whole(10_000), subset: 5000, validation: 0.2, seed: 9)
    for samples in [Self.samples(parts.training), Self.samples(parts.validation)] {
      for label in 0..<10 {
        let count = samples.filter { $0 % 10 == label }.count
        #expect(abs(count - samples.count / 10) < samples.count / 40, "\(count) of \(samples.count)")
      }
    }
  }

  @Test func partsThatCannotBeAreRefused() throws {
    for (subset, validation) in [
      (0, nil), (101, nil), (-1, nil), (nil, 0), (nil, 1), (nil, -0.5), (nil, 0.001), (nil, 0.999), (nil, .nan),
      (1, 0.5), (nil, 2),
    ] as [(Int?, Float?)] {
      let error = #expect(throws: DatasetError.self, "\(subset ?? 0) \(validation ?? 0)") {
        try TrainingParts(of: Self.whole(100), subset: subset, validation: validation, seed: 1)
      }
      #expect(error?.description.contains(validation == nil ? "subset" : "validation") == true)
    }
  }

  @Test func labelsAreChosen() throws {
    let base = try Self.whole(50)
    let chosen = try Subset(of: base, labels: 3...4)
    #expect(Self.samples(chosen) == (0..<50).filter { [3, 4].contains($0 % 10) })
    #expect(chosen.targets == Classes(checking: 2, firstLabel: 3).map { Targets.classes($0) })
    #expect(try Targets(of: chosen, Subset(of: base, labels: 3...4)) == chosen.targets)
    #expect(throws: DatasetError("whole", .labels(10...12))) { try Subset(of: base, labels: 10...12) }
    #expect(throws: DatasetError.self) { try Subset(of: base, labels: 0...70_000) }
    let values = try InMemoryDataset(inputs: Buffer(count: 4), shape: [1], values: Buffer(count: 4))
    #expect(throws: DatasetError.self) { try Subset(of: values, labels: 0...1) }
  }
}
