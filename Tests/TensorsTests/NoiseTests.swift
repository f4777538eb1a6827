import Tensors
import Testing

@Suite struct NoiseTests {
  private func words(_ noise: Noise, sample: Int, _ purpose: Philox.Purpose = .augmentation) -> [UInt32] {
    var stream = noise.words(forSample: sample, purpose)
    return (0..<4).map { _ in stream.next() }
  }

  /// However a batch is cut, the sample at a place of it gets the same words.
  @Test func wordsFollowFromThePlaceInTheBatch() {
    let whole = Noise(seed: 5, step: 3, firstPosition: 0)
    for place in 0..<6 {
      let expected = words(whole, sample: place)
      for first in 0...place {
        #expect(words(Noise(seed: 5, step: 3, firstPosition: first), sample: place - first) == expected)
        #expect(words(whole.advanced(by: first), sample: place - first) == expected)
      }
    }
  }

  @Test func wordsDifferInSeedStepPlaceAndPurpose() {
    let noise = Noise(seed: 5, step: 3, firstPosition: 2)
    let all = [
      words(noise, sample: 0), words(noise, sample: 1), words(noise, sample: 0, .dropout),
      words(Noise(seed: 6, step: 3, firstPosition: 2), sample: 0),
      words(Noise(seed: 5, step: 4, firstPosition: 2), sample: 0), words(noise.ofPartners, sample: 0),
      words(noise.ofPartners, sample: 1), words(noise, sample: 0, .mixing),
    ]
    #expect(Set(all).count == all.count)
  }
}
