import Lockstep
import Testing

struct TemperatureTests {
  /// Outputs that are `factor` times the logits of the probabilities by which the classes were drawn.
  private func outputs(times factor: Float, samples: Int = 20_000) -> (outputs: Buffer<Float>, classes: [Int]) {
    var words = Philox(seed: 3, purpose: .init(rawValue: 1000), stream: 0)
    let loss = SoftmaxCrossEntropy(classes: 4)
    let (logits, probabilities) = (Buffer<Float>(count: 4 * samples), Buffer<Float>(count: 4 * samples))
    for index in 0..<logits.count { logits[index] = 6 * words.nextUniform() - 3 }
    loss.probabilities(logits, into: probabilities)
    let classes = (0..<samples).map { sample -> Int in
      var (rest, own) = (words.nextUniform(), 0)
      while own < 3, rest >= probabilities[4 * sample + own] {
        rest -= probabilities[4 * sample + own]
        own += 1
      }
      return own
    }
    for index in 0..<logits.count { logits[index] *= factor }
    return (logits, classes)
  }

  @Test(arguments: [0.25, 1, 3] as [Float]) func isFoundAgain(factor: Float) {
    let (outputs, classes) = outputs(times: factor)
    let found = TemperatureScaling.temperature(of: outputs, classes: classes, loss: SoftmaxCrossEntropy(classes: 4))
    #expect(abs(found / Double(factor) - 1) < 0.04, "\(found)")
  }

  /// Where all that is right is as sure as can be, the largest such temperature is taken.
  @Test func ofASureAndRightNetworkIsBelowOne() {
    let outputs = Buffer<Float>([10, 0, 0, 10, 10, 0])
    let found = TemperatureScaling.temperature(of: outputs, classes: [0, 1, 0], loss: SoftmaxCrossEntropy(classes: 2))
    #expect(found < 0.9 && found > 0.3)
  }
}
