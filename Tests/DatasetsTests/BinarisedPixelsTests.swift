import Datasets
import Tensors
import Testing

/// Images in black and white, each its own target.
@Suite struct BinarisedPixelsTests {
  /// Two images of 2 × 4, of two channels if asked.
  private static func base(channels: Int = 1) throws -> InMemoryDataset {
    let pixels: [Float] = [
      0, 0.5, 1, 0.9,  //
      0.6, 0.9, 0, 0.2,
      0.5, 0.51, 0.49, 1,  //
      0.5, 0.5, 0.5, 0.5,
    ]
    return try InMemoryDataset(
      inputs: Buffer(pixels.flatMap { value in (0..<channels).map { $0 == 0 ? value : 1 - value } }),
      shape: [2, 4, channels], labels: Buffer([3, 1]))
  }

  /// All samples by their numbers, which must be those by a range.
  private func images(_ data: some Dataset) -> [Float] {
    let (inputs, again) = (
      Buffer<Float>(count: data.count * data.inputShape.count), Buffer<Float>(count: data.count * data.inputShape.count)
    )
    data.copyInputs(of: (0..<UInt32(data.count)).map { $0 }[...], into: inputs, noise: nil)
    data.copyInputs(in: 0..<data.count, into: again)
    #expect(inputs.array == again.array)
    return inputs.array
  }

  @Test func thresholds() throws {
    let data = try BinarisedPixels(of: Self.base(), .threshold(0.5))
    #expect(data.inputShape == [2, 4, 1] && data.count == 2 && data.targets == .input(count: 8))
    #expect(images(data) == [0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0])
    try data.validate()
    let lower = try BinarisedPixels(of: Self.base(), .threshold(0.1))
    #expect(images(lower) == [0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
  }

  /// The means are 0.5, 0.525; 0.5025, 0.6225; and of a second channel one less these.
  @Test func means() throws {
    let data = try BinarisedPixels(of: Self.base(), poolingBy: 2, .threshold(0.51))
    #expect(data.inputShape == [1, 2, 1] && images(data) == [0, 1, 0, 1])
    let both = try BinarisedPixels(of: Self.base(channels: 2), poolingBy: 2, .threshold(0.48))
    #expect(both.inputShape == [1, 2, 2] && images(both) == [1, 1, 1, 0, 1, 1, 1, 0])
  }

  @Test func imagesThatAreNotInSquaresAreRefused() throws {
    let flat = try InMemoryDataset(inputs: Buffer(count: 8), shape: [8], labels: Buffer([0]))
    for (data, side) in [(try Self.base(), 3), (try Self.base(), 4), (try Self.base(), 0), (flat, 1)] {
      #expect(throws: DatasetError(data.name, .notInSquares(data.inputShape, side: side))) {
        try BinarisedPixels(of: data, poolingBy: side, .threshold(0.5))
      }
    }
    #expect(
      DatasetError("x", .notInSquares([27, 28, 1], side: 2)).description
        == "x: inputs of shape [27, 28, 1] cannot be cut into squares of 2×2; take images whose height and width are multiples of that"
    )
  }

  private static func grey(_ count: Int) throws -> InMemoryDataset {
    let pixels = Buffer<Float>(count: count * 64)
    pixels.fill(0.25)
    return try InMemoryDataset(inputs: pixels, shape: [8, 8, 1], labels: Buffer(count: count))
  }

  /// In an evaluation a sample has its one draw, however the samples are asked for.
  @Test func drawsOfAnEvaluation() throws {
    let data = try BinarisedPixels(of: Self.grey(50), .bernoulli(seed: 7))
    let all = images(data)
    #expect(Set(all) == [0, 1])
    let share = all.reduce(0, +) / Float(all.count)
    #expect(abs(share - 0.25) < 0.04, "\(share)")
    let some = Buffer<Float>(count: 2 * 64)
    data.copyInputs(of: [49, 3], into: some, noise: nil)
    #expect(some.array == Array(all[49 * 64..<50 * 64] + all[3 * 64..<4 * 64]))
    #expect(all[0..<64] != all[64..<128])
    let other = images(try BinarisedPixels(of: Self.grey(50), .bernoulli(seed: 8)))
    #expect(other != all)
  }

  /// In training a sample has the draw of its place in the run, however the batch is cut.
  @Test func drawsOfTraining() throws {
    let data = try BinarisedPixels(of: Self.grey(50), .bernoulli(seed: 7))
    func draw(_ samples: [UInt32], step: Int, from first: Int) -> [Float] {
      let pixels = Buffer<Float>(count: samples.count * 64)
      data.copyInputs(of: samples[...], into: pixels, noise: Noise(seed: 1, step: step, firstPosition: first))
      return pixels.array
    }
    let together = draw([5, 9, 5], step: 1, from: 4)
    #expect(together == draw([5], step: 1, from: 4) + draw([9, 5], step: 1, from: 5))
    #expect(together.prefix(64) != together.suffix(64), "a draw of its own each time")
    #expect(together != draw([5, 9, 5], step: 2, from: 4))
    #expect(together.prefix(64) != images(data)[5 * 64..<6 * 64])
  }

  @Test func theDigestIsThatOfTheSettings() throws {
    let base = try Self.base()
    let sets = [
      try BinarisedPixels(of: base, .threshold(0.5)), try BinarisedPixels(of: base, .threshold(0.25)),
      try BinarisedPixels(of: base, poolingBy: 2, .threshold(0.5)), try BinarisedPixels(of: base, .bernoulli(seed: 0)),
      try BinarisedPixels(of: base, .bernoulli(seed: 1)), try BinarisedPixels(of: Self.grey(2), .threshold(0.5)),
    ]
    #expect(Set(sets.map(\.digest) + [base.digest]).count == 7)
    #expect(sets[0].digest == (try BinarisedPixels(of: base, .threshold(0.5))).digest)
    #expect(sets[2].preparation.map(\.key) == ["pixels", "pooling", "binarisation"])
    #expect(sets[2].preparation.map(\.value) == ["[1, 2, 1]", "2", "threshold 0.5"])
    let subset = try Subset(of: sets[3], indices: [1])
    #expect(subset.targets == .input(count: 8) && subset.preparation.map(\.value).last == "bernoulli 0")
    #expect(images(subset) == Array(images(sets[3]).suffix(8)))
  }

  @Test func binarisationsAreReadAsTheyAreWritten() {
    for way in [Binarisation.threshold(0.5), .threshold(-1e-3), .bernoulli(seed: .max)] {
      #expect(Binarisation("\(way)") == way)
    }
    for text in ["", "threshold", "threshold nan", "threshold 0.5 ", "bernoulli -1", "bernoulli 0.5", "grey 1"] {
      #expect(Binarisation(text) == nil, "\(text)")
    }
  }
}
