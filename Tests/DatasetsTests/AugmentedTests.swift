import Datasets
import Foundation
import Tensors
import Testing

/// Data sets whose images change at random.
@Suite struct AugmentedTests {
  private static let all = Result {
    try Augmentation("shift:2,rotate:10,scale:0.1,shear:5,elastic:8:2,flip,crop:1,erase")
  }

  private static func base(count: Int = 12) throws -> InMemoryDataset {
    let inputs = Buffer<Float>(count: count * 96)
    var words = Philox(seed: 3, purpose: Philox.Purpose(rawValue: 1003), stream: 0)
    for place in 0..<inputs.count { inputs[place] = words.nextUniform() }
    return try InMemoryDataset(
      name: "made up", inputs: inputs, shape: [8, 6, 2], labels: Buffer((0..<count).map { Int32($0 % 10) }))
  }

  private static func copy(_ data: some Dataset, _ samples: [UInt32], _ noise: Noise?) -> [UInt32] {
    let inputs = Buffer<Float>(count: samples.count * data.inputShape.count)
    data.copyInputs(of: samples[...], into: inputs, noise: noise)
    return inputs.array.map(\.bitPattern)
  }

  private let noise = Noise(seed: 7, step: 3, firstPosition: 4)

  @Test func withoutNoiseNothingChanges() throws {
    let base = try Self.base()
    let augmented = try Augmented(of: base, Self.all.get())
    #expect(Self.copy(augmented, [3, 0, 11], nil) == Self.copy(base, [3, 0, 11], nil))
    #expect(Self.copy(augmented, [3, 0, 11], noise) != Self.copy(base, [3, 0, 11], nil))
    let (one, two) = (Buffer<Float>(count: 96 * 4), Buffer<Float>(count: 96 * 4))
    augmented.copyInputs(in: 2..<6, into: one)
    base.copyInputs(in: 2..<6, into: two)
    #expect(one.array == two.array)
    let labels = Buffer<Int32>(count: 3)
    augmented.copyLabels(of: [11, 1, 2], into: labels)
    #expect(labels.array == [1, 1, 2])
    augmented.copyLabels(in: 4..<7, into: labels)
    #expect(labels.array == [4, 5, 6])
    #expect(augmented.count == 12 && augmented.inputShape == [8, 6, 2] && augmented.targets == base.targets)
  }

  /// Whoever copies which part of a batch: a sample's bits follow from its place in the run.
  @Test func aSampleIsTheSameHoweverTheBatchIsCut() throws {
    let augmented = try Augmented(of: Self.base(), Self.all.get())
    let samples: [UInt32] = [5, 1, 9, 9, 0, 3]
    let whole = Self.copy(augmented, samples, noise)
    #expect(Self.copy(augmented, samples, noise) == whole)
    for cut in 1...5 {
      let parts =
        Self.copy(augmented, Array(samples[..<cut]), noise)
        + Self.copy(augmented, Array(samples[cut...]), noise.advanced(by: cut))
      #expect(parts == whole)
    }
    // The same sample twice in a batch is not changed alike.
    #expect(whole[192..<288] != whole[288..<384])
  }

  @Test func seedStepAndPlaceDecide() throws {
    let augmented = try Augmented(of: Self.base(), Self.all.get())
    let copies = [
      noise, Noise(seed: 8, step: 3, firstPosition: 4), Noise(seed: 7, step: 4, firstPosition: 4),
      Noise(seed: 7, step: 3, firstPosition: 5),
    ].map { Self.copy(augmented, [2], $0) }
    #expect(Set(copies).count == 4)
  }

  /// Each change by itself, and all in a row: what one makes is what the next begins with.
  @Test func changesFollowOneAnother() throws {
    let base = try Self.base()
    for text in ["shift:2", "rotate:30", "scale:0.3", "shear:20", "elastic", "crop:2", "erase:1"] {
      let augmented = try Augmented(of: base, Augmentation(text))
      let same = zip(Self.copy(augmented, [1, 2, 3, 4], noise), Self.copy(base, [1, 2, 3, 4], nil)).filter { $0 == $1 }
      #expect(same.count < 350, "\(text): \(same.count) of 384 are the same")
    }
    let (both, nested) = (
      try Augmented(of: base, Augmentation("crop:2,flip")),
      try Augmented(of: Augmented(of: base, Augmentation("crop:2")), Augmentation("flip"))
    )
    #expect(Self.copy(both, [1, 2, 3], noise) == Self.copy(nested, [1, 2, 3], noise))
    #expect(nested.base is InMemoryDataset && nested.digest == both.digest)
    #expect(
      Self.copy(both, [1, 2, 3], noise) != Self.copy(try Augmented(of: base, Augmentation("crop:2")), [1, 2, 3], noise))
  }

  @Test func aSubsetChangesAsItsBaseDoes() throws {
    let base = try Self.base()
    let inner = try Augmented(of: Subset(of: base, indices: [4, 7, 1]), Self.all.get())
    let outer = try Subset(of: Augmented(of: base, Self.all.get()), indices: [4, 7, 1])
    let shard = try Augmented(of: base, Self.all.get()).shard(Shard(1, of: 3, .modulo))
    #expect(Self.copy(inner, [2, 0, 1, 2], noise) == Self.copy(outer, [2, 0, 1, 2], noise))
    #expect(Self.copy(shard, [0, 1, 2], noise) == Self.copy(inner, [2, 0, 1], noise))
    #expect(Self.copy(outer, [2, 0], nil) == Self.copy(base, [1, 4], nil))
    #expect(inner.digest != outer.digest && inner.digest != base.digest)
  }

  @Test func threadsShareNoMemory() throws {
    let augmented = try Augmented(of: Self.base(), Self.all.get())
    let noise = self.noise
    let expected = (0..<12).map { Self.copy(augmented, [UInt32($0)], noise.advanced(by: $0)) }
    DispatchQueue.concurrentPerform(iterations: 240) { iteration in
      let sample = iteration % 12
      #expect(Self.copy(augmented, [UInt32(sample)], noise.advanced(by: sample)) == expected[sample])
    }
  }

  @Test func theDigestNamesTheChanges() throws {
    let base = try Self.base()
    let digests = try ["flip", "crop:1", "crop:2", "flip,crop:1", "crop:1,flip"].map {
      try Augmented(of: base, Augmentation($0)).digest
    }
    #expect(Set(digests + [base.digest]).count == 6)
    #expect(try Augmented(of: Self.base(), Augmentation("flip")).digest == digests[0])
  }

  @Test func dataThatAreNoImagesAreRefused() throws {
    let flat = try InMemoryDataset(inputs: Buffer(count: 20), shape: [10], values: Buffer(count: 2))
    let error = #expect(throws: DatasetError.self) { try Augmented(of: flat, Augmentation("flip")) }
    #expect(error?.description.contains("[10]") == true)
    #expect(throws: DatasetError.self) { try Augmented(of: Self.base(), Augmentation("shift:6")) }
  }
}
