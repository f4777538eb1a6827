import Datasets
import Tensors
import Testing

/// The partners and shares of mixed samples.
@Suite struct MixupTests {
  private let mixup = Mixup(alpha: 0.4)

  /// A draw follows from the step and the place in the batch, however the batch is cut.
  @Test func drawsFollowFromThePlace() {
    let whole = Noise(seed: 5, step: 3, firstPosition: 0)
    for place in 0..<8 {
      let expected = mixup.draw(whole, place: place, of: 100)
      #expect(mixup.draw(whole.advanced(by: place), place: 0, of: 100) == expected)
    }
    let others = [
      mixup.draw(whole, place: 0, of: 100), mixup.draw(whole, place: 1, of: 100),
      mixup.draw(Noise(seed: 5, step: 4, firstPosition: 0), place: 0, of: 100),
      mixup.draw(Noise(seed: 6, step: 3, firstPosition: 0), place: 0, of: 100),
    ]
    #expect(Set(others.map(\.share)).count == 4)
  }

  /// Each sample is a partner as often, and none is without; shares have the mean ½ and the variance 1 / (4·(2α + 1)).
  @Test func partnersAreEvenAndSharesOfBeta() {
    let (samples, count) = (20_000, 10)
    var partners = [Int](repeating: 0, count: count)
    var (sum, squares) = (0.0, 0.0)
    for place in 0..<samples {
      let (partner, share) = mixup.draw(Noise(seed: 1, step: 1, firstPosition: 0), place: place, of: count)
      partners[Int(partner)] += 1
      sum += Double(share)
      squares += (Double(share) - 0.5) * (Double(share) - 0.5)
    }
    // Five standard deviations.
    #expect(partners.allSatisfy { abs($0 - samples / count) < 5 * 43 }, "\(partners)")
    let variance = 1 / (4 * (2 * 0.4 + 1))
    #expect(abs(sum / Double(samples) - 0.5) < 5 * (variance / Double(samples)).squareRoot())
    #expect(abs(squares / Double(samples) - variance) < 0.005)
  }

  /// A data set has no say in targets that are mixed.
  @Test func noDataSetMixes() throws {
    let data = try InMemoryDataset(inputs: Buffer(count: 8), shape: [2, 2, 1], labels: Buffer([0, 1]))
    let error = #expect(throws: DatasetError.self) { try Augmented(of: data, Augmentation("flip,mixup")) }
    #expect(error?.description.contains("mixup:0.2 mixes targets too") == true, "\(error?.description ?? "")")
  }
}
