import Lockstep
import Testing

struct MistakesTests {
  /// What rank 0 finds when it looks at the outputs for every test sample itself.
  private final class Looker: Observer {
    var expected: [(sample: Int, probability: Float)] = []

    func finished(_ run: FinishedRun) {
      let (inputs, labels) = (Buffer<Float>(count: 64), Buffer<Int32>(count: 1))
      let probabilities = Buffer<Float>(count: 10)
      for sample in 0..<run.test.count {
        run.test.copyInputs(in: sample..<sample + 1, into: inputs)
        run.test.copyLabels(in: sample..<sample + 1, into: labels)
        let outputs = run.network.outputs(Examples(inputs: inputs, labels: labels), parameters: run.parameters)
        SoftmaxCrossEntropy(classes: 10).probabilities(outputs, into: probabilities)
        let surest = probabilities.array.max() ?? 0
        if probabilities[Int(labels[0])] < surest { expected.append((sample, surest)) }
      }
      expected.sort { $0.probability > $1.probability }
    }
  }

  @Test func theSurestOfAllAreFoundOnAnyNumberOfRanks() throws {
    var run = try SmallRun()
    run.options.directory = nil
    let looker = Looker()
    try Trainer(run.recipe, training: run.training, test: run.test, options: run.options, observers: [looker]).run()
    let one = try ToldRun(run, ranks: 1).mistakes
    #expect(one.count == 24 && looker.expected.count > 24, "the labels follow no rule")
    for (mistake, expected) in zip(one, looker.expected) {
      // A sample alone goes through another product than one of a slice.
      #expect(abs(mistake.probability - expected.probability) < 1e-5)
    }
    #expect(one.allSatisfy { $0.own == $0.sample * 7 % 10 && $0.own != $0.predicted })
    for ranks in 2...4 { #expect(try ToldRun(run, ranks: ranks).mistakes == one, "\(ranks) ranks") }
  }

  @Test func aRegressionMakesNone() throws {
    var run = try SmallRun()
    run.options.directory = nil
    let (inputs, values) = (Buffer<Float>(count: 30 * 4), Buffer<Float>(count: 30 * 2))
    for index in 0..<inputs.count { inputs[index] = Float(index % 7) }
    for index in 0..<values.count { values[index] = Float(index % 5) }
    let data = try InMemoryDataset(inputs: inputs, shape: [4], values: values)
    run.recipe = Recipe(model: try .named("mlp:4-3-2", input: [4], outputs: 2), loss: MeanSquaredError(outputs: 2))
    (run.training, run.test) = (data, data)
    run.recipe.epochs = 1
    #expect(try ToldRun(run, ranks: 2).mistakes.isEmpty)
  }
}
