import ArgumentParser
import Lockstep

/// What is trained, and how: the flags that a named recipe gives defaults for.
struct RecipeOptions: ParsableArguments {
  @Option(help: "The defaults of the flags below it: article, or fast, for 99 % of MNIST's test images in seconds.")
  var recipe = NamedRecipe.article

  @Option(help: "The network: \(Model.names.joined(separator: ", ")). \(preset(\.model))")
  var model: String?

  @Option(help: "Passes over the training data. \(preset(\.epochs))")
  var epochs: Int?

  @Option(help: "Samples in a step, over all ranks. \(preset(\.globalBatch))")
  var globalBatch: Int?

  @Option(help: "Samples in a microbatch, the unit that ranks share out. (default: an eighth of the batch, 4 to 32)")
  var microbatch: Int?

  @OptionGroup var optimizer: OptimizerOptions

  @Option(help: "How the step size falls to the run's end: constant, cosine, linear. \(preset(\.schedule))")
  var schedule: Schedule.Shape?

  @Option(help: "Steps at the start in which the step size grows to its full. \(preset(\.warmup))")
  var warmup: Int?

  func validate() throws {
    guard epochs ?? 1 >= 1 else { throw ValidationError("--epochs \(epochs ?? 0) is less than 1") }
    guard globalBatch ?? 1 >= 1 else { throw ValidationError("--global-batch \(globalBatch ?? 0) is less than 1") }
    guard microbatch ?? 1 >= 1 else { throw ValidationError("--microbatch \(microbatch ?? 0) is less than 1") }
    guard warmup ?? 0 >= 0 else { throw ValidationError("--warmup \(warmup ?? 0) is less than 0") }
  }

  /// The recipe with the flags that were given, for a loss over the data.
  func recipe(input: Shape, loss: any Loss) throws(ModelError) -> Recipe {
    let defaults = recipe.defaults
    let model = try Model.named(model ?? defaults.model, input: input, outputs: loss.outputs)
    var recipe = Recipe(model: model, loss: loss)
    recipe.epochs = epochs ?? defaults.epochs
    recipe.globalBatch = globalBatch ?? defaults.globalBatch
    recipe.microbatch = microbatch
    recipe.optimizer = optimizer.specification(usualRate: defaults.learningRate)
    recipe.schedule = schedule ?? defaults.schedule
    recipe.warmup = warmup ?? defaults.warmup
    return recipe
  }

  /// A flag's default, with the recipes that have another: `(default: 5; fast: 4)`, and what is to be said of it beside.
  static func preset<Value: Equatable>(
    _ path: KeyPath<NamedRecipe.Defaults, Value>, also more: String? = nil
  ) -> String {
    let usual = NamedRecipe.article.defaults[keyPath: path]
    let others = NamedRecipe.allCases.filter { $0.defaults[keyPath: path] != usual }
    return "(default: \(usual)" + others.map { "; \($0): \($0.defaults[keyPath: path])" }.joined()
      + (more.map { "; \($0)" } ?? "") + ")"
  }
}

extension Schedule.Shape: ExpressibleByArgument {}
