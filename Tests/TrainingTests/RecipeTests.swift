import Lockstep
import Testing

@Suite struct RecipeTests {
  @Test func valuesOutOfTheirRangesAreRefused() throws {
    let run = try SmallRun()
    func refusal(_ change: (inout Recipe, inout Execution, inout RunOptions) -> Void) -> TrainingError? {
      var (recipe, execution, options) = (run.recipe, run.execution, RunOptions())
      change(&recipe, &execution, &options)
      return #expect(throws: TrainingError.self) {
        _ = try Trainer(
          recipe, training: run.training, test: run.test, execution: execution, options: options)
      }
    }
    for (words, change) in [
      ("epochs 0 is less than 1", { recipe, _, _ in recipe.epochs = 0 }),
      ("globalBatch -1 is less than 1", { recipe, _, _ in recipe.globalBatch = -1 }),
      ("microbatch 0 is less than 1", { recipe, _, _ in recipe.microbatch = 0 }),
      ("warmup -3 is less than 0", { recipe, _, _ in recipe.warmup = -3 }),
      ("clipNorm 0.0 is not a positive number", { recipe, _, _ in recipe.clipNorm = 0 }),
      ("clipNorm inf is not a positive number", { recipe, _, _ in recipe.clipNorm = .infinity }),
      ("adam: learningRate nan is not a positive number", { recipe, _, _ in recipe.learningRate = .nan }),
      ("adam: beta2 1.0 is not from 0 to below 1", { recipe, _, _ in recipe.optimizer = Adam(beta2: 1) }),
      ("adam: epsilon 0.0 is not a positive number", { recipe, _, _ in recipe.optimizer = Adam(epsilon: 0) }),
      ("adamw: weightDecay -1.0", { recipe, _, _ in recipe.optimizer = AdamW(weightDecay: -1) }),
      ("sgd: momentum 1.5 is not from 0", { recipe, _, _ in recipe.optimizer = SGD(momentum: 1.5) }),
      ("sgd: isNesterov needs momentum above 0", { recipe, _, _ in recipe.optimizer = SGD(isNesterov: true) }),
      ("keep 0 is less than 1", { _, _, options in options.keep = 0 }),
      ("maxSteps 0 is less than 1", { _, _, options in options.maxSteps = 0 }),
      ("nonFiniteLimit -1 is less than 0", { _, execution, _ in execution.nonFiniteLimit = -1 }),
      (
        "shardsOptimizer needs reduction lockstep",
        { recipe, execution, _ in
          execution.shardsOptimizer = true
          recipe.reduction = .mpi
        }
      ),
      (
        "over 9 classes, but the data's labels are 0 to 9",
        { recipe, _, _ in recipe.loss = SoftmaxCrossEntropy(classes: 9) }
      ),
      (
        "over 10 classes, but the data's labels are 0 to 9",
        { recipe, _, _ in recipe.loss = SoftmaxCrossEntropy(classes: 10, firstLabel: 1) }
      ),
      ("regress is over 10 real numbers", { recipe, _, _ in recipe.loss = MeanSquaredError(outputs: 10) }),
    ] as [(String, (inout Recipe, inout Execution, inout RunOptions) -> Void)] {
      let error = refusal(change)
      #expect(
        error?.code == .usage && error?.description.contains(words) == true, "\(error?.description ?? "none"): \(words)"
      )
    }
  }

  /// What a recipe leaves open suits its model; what it names stays.
  @Test func theUsualMicrobatchIsTheModels() throws {
    var run = try SmallRun()
    run.recipe.globalBatch = 256
    #expect(run.recipe.usualMicrobatch == 32)
    run.recipe.model = Model("mine", input: [8, 8, 1]) {
      Reshape([8, 8])
      LSTM(4)
      Dense(10)
    }
    #expect(run.recipe.usualMicrobatch == 8)
    for (named, samples) in [(nil, 8), (16, 16)] as [(Int?, Int)] {
      run.recipe.microbatch = named
      let plan = try RunPlan(
        run.recipe, training: run.training, test: run.test, run.execution, RunOptions(), ranks: 1)
      #expect(plan.batches.microbatch == samples)
    }
  }

  /// The name of a model of one's own says nothing of its layers; the checkpoint does.
  @Test func aNetOfOnesOwnGoesOnAsItIsAndAsNoOther() throws {
    var run = try SmallRun()
    func net(_ size: Int, _ rectifies: Bool) -> Model {
      Model("mine", input: [8, 8, 1]) {
        Flatten()
        Dense(size)
        if rectifies { ReLU() } else { Sigmoid() }
        Dense(10)
      }
    }
    run.recipe.model = net(16, true)
    let named = try SmallRun().run(ranks: 1)[0].digest
    let whole = try run.run(ranks: 1)[0].digest
    #expect(named == whole, "the same layers by another name")

    run.startAnew()
    run.options.maxSteps = 4
    _ = try run.run(ranks: 2)
    run.options.maxSteps = nil
    for other in [net(16, false), net(12, true)] {
      run.recipe.model = other
      let error = #expect(throws: TrainingError.self) { _ = try run.run(ranks: 1) }
      #expect(error?.description.contains("layers is \"Flatten()") == true, "\(error?.description ?? "no error")")
    }
    run.recipe.model = net(16, true)
    #expect(try run.run(ranks: 3).map(\.digest) == Array(repeating: whole, count: 3))
  }
}
