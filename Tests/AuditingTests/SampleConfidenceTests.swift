import Foundation
import Lockstep
import Testing

/// How sure nets are of samples, against the plain formula.
@Suite struct SampleConfidenceTests {
  /// The confidences of a net that hands its inputs on as outputs.
  private static func confidences(_ outputs: [Float], _ labels: [Int32], _ loss: any Loss) throws -> [SampleConfidence]
  {
    let width = loss.outputs
    let model = Model("identity", input: [width]) { Dense(width) }
    let network = try Network(model, loss: loss, capacity: Evaluation.slice)
    let parameters = Buffer<Float>(count: network.layout.count)
    for index in 0..<width { parameters[index * width + index] = 1 }
    let data = try InMemoryDataset(
      inputs: Buffer(outputs), shape: [width], labels: Buffer(labels), classes: Classes(checking: 10, firstLabel: 0))
    return try Evaluation(network: network, data: data, communicator: SoloCommunicator()).confidences(parameters)
  }

  @Test func theyAreLogOddsOfTheClass() throws {
    var words = Philox(seed: 2, purpose: .bootstrap, stream: 9)
    let logits = (0..<300).map { _ in words.nextUniform() * 8 - 4 }
    let labels = (0..<100).map { Int32($0 % 3) }
    for (sample, found) in try Self.confidences(logits, labels, SoftmaxCrossEntropy(classes: 3)).enumerated() {
      let own = (0..<3).map { Double(logits[sample * 3 + $0]) }
      let p = exp(own[sample % 3]) / own.reduce(0) { $0 + exp($1) }
      #expect(abs(found.logit - log(p / (1 - p))) < 1e-5, "\(sample)")
      #expect(found.isCorrect == (own.firstIndex(of: own.max()!) == sample % 3))
    }
    for (sample, found) in try Self.confidences(Array(logits.prefix(100)), labels, SigmoidCrossEntropy(positive: 1))
      .enumerated()
    {
      let p = 1 / (1 + exp(-Double(logits[sample])))
      let own = sample % 3 == 1 ? p : 1 - p
      #expect(abs(found.logit - log(own / (1 - own))) < 1e-5 && found.isCorrect == (own > 0.5), "\(sample)")
    }
  }

  /// Where the probability rounds to 1 or 0, and where there is none.
  @Test func farOut() throws {
    let found = try Self.confidences(
      [200, 0, 0, -200, 0, 0, 1e30, -1e30, 0, .infinity, 0, 0, .nan, 0, 0], [0, 0, 0, 0, 0],
      SoftmaxCrossEntropy(classes: 3))
    #expect(abs(found[0].logit - (200 - log(2))) < 1e-9 && abs(found[1].logit - (-200 - log(2))) < 1e-9)
    #expect(found[2].logit == Double(Float(1e30)) && !found[3].logit.isFinite && !found[4].logit.isFinite)
  }

  @Test func numbersHaveNone() throws {
    let network = try Network(
      Model("numbers", input: [2]) { Dense(1) }, loss: MeanSquaredError(outputs: 1), capacity: Evaluation.slice)
    let data = try InMemoryDataset(inputs: Buffer([1, 2]), shape: [2], values: Buffer([1]))
    #expect(throws: TrainingError.self) {
      try Evaluation(network: network, data: data, communicator: SoloCommunicator()).confidences(
        Buffer(count: network.layout.count))
    }
  }
}
