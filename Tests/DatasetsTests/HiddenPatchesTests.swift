import Datasets
import Tensors
import Testing

/// Images with half of their patches hidden, each its own target.
@Suite struct HiddenPatchesTests {
  /// `count` images of 12 × 8 pixels, each a number of its own.
  private static func base(_ count: Int = 50, shape: Shape = [12, 8, 1]) throws -> InMemoryDataset {
    try InMemoryDataset(
      inputs: Buffer((0..<count * shape.count).map { Float($0) }), shape: shape, labels: Buffer(count: count))
  }

  /// Samples by their numbers: each image's pixels, and whether each is hidden.
  private func images(
    _ data: some Dataset, _ samples: [UInt32], noise: Noise? = nil
  ) -> [(pixels: [Float], hidden: [Float])] {
    let size = data.inputShape.count
    let inputs = Buffer<Float>(count: samples.count * size)
    data.copyInputs(of: samples[...], into: inputs, noise: noise)
    return samples.indices.map { place in
      let image = Array(inputs.array[place * size..<(place + 1) * size])
      let places = stride(from: 0, to: size, by: 2)
      return (places.map { image[$0] }, places.map { image[$0 + 1] })
    }
  }

  /// The patches of `hidden`, of images 8 pixels wide in patches of 4 × 4, that are hidden. Records an issue if one is in part.
  private func patches(_ hidden: [Float]) -> Set<Int> {
    var patches: [Int: Set<Float>] = [:]
    for (pixel, value) in hidden.enumerated() { patches[pixel / 32 * 2 + pixel % 8 / 4, default: []].insert(value) }
    #expect(patches.values.allSatisfy { $0 == [0] || $0 == [1] }, "a patch is hidden whole or not at all")
    return Set(patches.filter { $0.value == [1] }.keys)
  }

  @Test func pixelsStayAndHalfAreHidden() throws {
    let data = try HiddenPatches(of: Self.base())
    #expect(data.inputShape == [12, 8, 2] && data.count == 50 && data.targets == .input(count: 192))
    try data.validate()
    var seen: [Set<Int>: Int] = [:]
    for (sample, image) in images(data, (0..<50).map { $0 }).enumerated() {
      #expect(image.pixels == (sample * 96..<(sample + 1) * 96).map { Float($0) })
      let hidden = patches(image.hidden)
      #expect(hidden.count == 3)
      seen[hidden, default: 0] += 1
    }
    #expect(seen.count > 10, "there are 20 choices, and 50 images")
  }

  /// 24 of 49 patches: half, rounded down. Every patch as often as any other.
  @Test func everyPatchIsAsLikely() throws {
    let data = try HiddenPatches(of: Self.base(1, shape: [28, 28, 1]))
    var counts = [Int](repeating: 0, count: 49)
    for step in 1...2000 {
      let hidden = images(data, [0], noise: Noise(seed: 1, step: step, firstPosition: 0))[0].hidden
      #expect(hidden.reduce(0, +) == 24 * 16)
      for patch in 0..<49 { counts[patch] += Int(hidden[patch / 7 * 4 * 28 + patch % 7 * 4]) }
    }
    // 980 a patch; the deviation is 22.
    #expect(counts.allSatisfy { abs($0 - 980) < 110 }, "\(counts)")
  }

  /// In an evaluation a sample has its one draw, however the samples are asked for.
  @Test func drawsOfAnEvaluation() throws {
    let data = try HiddenPatches(of: Self.base(), seed: 7)
    let all = images(data, (0..<50).map { $0 })
    for (place, sample) in [49, 3, 49].enumerated() {
      let image = images(data, [49, 3, 49])[place]
      #expect(image.hidden == all[sample].hidden && image.pixels == all[sample].pixels)
    }
    let again = Buffer<Float>(count: 50 * 192)
    data.copyInputs(in: 0..<50, into: again)
    #expect(stride(from: 1, to: again.count, by: 2).map { again[$0] } == all.flatMap(\.hidden))
    let other = images(try HiddenPatches(of: Self.base(), seed: 8), (0..<50).map { $0 })
    #expect(other.map(\.hidden) != all.map(\.hidden) && other.map(\.pixels) == all.map(\.pixels))
  }

  /// In training a sample has the draw of its place in the run, however the batch is cut: another in every epoch.
  @Test func drawsOfTraining() throws {
    let data = try HiddenPatches(of: Self.base(shape: [28, 28, 1]))
    func draw(_ samples: [UInt32], step: Int, from first: Int) -> [[Float]] {
      images(data, samples, noise: Noise(seed: 1, step: step, firstPosition: first)).map(\.hidden)
    }
    let together = draw([5, 9, 5], step: 1, from: 4)
    #expect(together == draw([5], step: 1, from: 4) + draw([9, 5], step: 1, from: 5))
    #expect(together[0] != together[2], "a draw of its own each time")
    #expect(together != draw([5, 9, 5], step: 2, from: 4))
    #expect(together[0] != images(data, [5])[0].hidden)
  }

  /// What hides is drawn apart from what changes the images, and the images are changed before.
  @Test func changedImages() throws {
    let data = try HiddenPatches(of: Self.base(), side: 2, seed: 3)
    let changed = try #require(try data.augmented(by: Augmentation("flip")) as? HiddenPatches)
    #expect(changed.side == 2 && changed.seed == 3 && changed.base is Augmented)
    let noise = Noise(seed: 1, step: 1, firstPosition: 0)
    let (before, after) = (images(data, [0, 1, 2, 3], noise: noise), images(changed, [0, 1, 2, 3], noise: noise))
    #expect(before.map(\.hidden) == after.map(\.hidden) && before.map(\.pixels) != after.map(\.pixels))
  }

  @Test func imagesThatAreNotInPatchesAreRefused() throws {
    for (shape, side) in [([12, 8, 1], 5), ([12, 8, 1], 0), ([12, 8, 3], 4), ([4, 4, 1], 4), ([96], 4)]
      as [(Shape, Int)]
    {
      let data = try Self.base(2, shape: shape)
      #expect(throws: DatasetError(data.name, .notInPatches(shape, side: side))) {
        try HiddenPatches(of: data, side: side)
      }
    }
    #expect(
      DatasetError("x", .notInPatches([27, 28, 1], side: 4)).description
        == "x: inputs of shape [27, 28, 1] cannot be cut into grey patches of 4×4; take images of one channel and two patches or "
        + "more, whose height and width are multiples of that")
  }

  @Test func theDigestIsThatOfTheSettings() throws {
    let base = try Self.base()
    let sets = [
      try HiddenPatches(of: base), try HiddenPatches(of: base, side: 2), try HiddenPatches(of: base, seed: 1),
      try HiddenPatches(of: Self.base(49)),
    ]
    #expect(Set(sets.map(\.digest) + [base.digest]).count == 5)
    #expect(sets[0].digest == (try HiddenPatches(of: base)).digest)
    #expect(sets[2].preparation.map(\.key) == ["hidden_patches", "hiding_seed"])
    #expect(sets[2].preparation.map(\.value) == ["4", "1"])
    let subset = try Subset(of: sets[2], indices: [11])
    #expect(subset.targets == .input(count: 192) && subset.preparation.map(\.value) == ["4", "1"])
    #expect(images(subset, [0])[0].hidden == images(sets[2], [11])[0].hidden)
  }
}
