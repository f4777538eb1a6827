import ArgumentParser
import Lockstep

/// The recipe: the flags that have defaults in a named recipe.
struct RecipeOptions: ParsableArguments {
  @Option(help: "The defaults of the flags below it: article, or fast, for 99 % of MNIST's test images in seconds.")
  var recipe = NamedRecipe.article

  @Option(help: "The network: \(modelNames). \(preset(also: "CSV: mlp") { $0.model })")
  var model: String?

  @Option(help: "Passes over the training data. \(preset(\.epochs))")
  var epochs: Int?

  @Option(
    help: """
      Samples in a step, over all ranks, or auto: the smallest power of two that trains nearly as fast as any, and its fastest \
      microbatch, both measured. \(preset(\.globalBatch))
      """)
  var globalBatch: BatchSize?

  @Option(
    help: ArgumentHelp(
      "Samples in a microbatch, the unit that ranks share out. (default: an eighth of the batch, from 4 to what suits "
        + "the model, 32 at most)"))
  var microbatch: Int?

  @OptionGroup var optimizer: OptimizerOptions

  @Option(
    help:
      "How the step size falls to the run's end: \(Schedule.Shape.allCases.map(\.rawValue).joined(separator: ", ")). \(preset(\.schedule))"
  )
  var schedule: Schedule.Shape?

  @Option(help: "Steps at the start in which the step size grows to its full. \(preset(\.warmup))")
  var warmup: Int?

  @Option(
    help: """
      The factors of products: fp32, or bf16, rounded to nearest even. Sums, weights, gradients and losses stay fp32. As fast as the \
      processor's own bf16 products allow; the bits are the same on all.
      """)
  var precision = ProductPrecision.fp32

  /// Whether the batch is to be measured.
  var measuresBatch: Bool { globalBatch == .auto }

  /// The task of a model that predicts pixels, which its name or its file says; nil for any other. Throws if the file cannot be used.
  func pixelTask() throws -> PixelTask? { try Model.pixelTask(of: model ?? recipe.model) }

  func validate() throws {
    let fault = Recipe.fault(
      epochs: epochs ?? 1, globalBatch: globalBatch?.samples ?? 1, microbatch: microbatch, warmup: warmup ?? 0)
    if let fault { throw ValidationError(fault) }
  }

  /// The named recipe with the flags that were given, for data of shape `input`. Throws if there is no such model for
  /// them.
  func recipe(input: Shape, loss: any Loss) throws -> Recipe {
    // The rows of a table are no images, which the recipes' models are for.
    let model = try Model.load(
      model ?? (input.rank == 1 ? "mlp" : recipe.model), input: input, outputs: loss.outputs)
    var made = recipe.recipe(model: model, loss: loss)
    made.epochs = epochs ?? made.epochs
    made.globalBatch = globalBatch?.samples ?? made.globalBatch
    made.microbatch = microbatch
    made.optimizer = optimizer.specification(usualRate: made.learningRate)
    made.schedule = schedule ?? made.schedule
    made.warmup = warmup ?? made.warmup
    made.precision = precision
    return made
  }

  /// The text of a flag's default, with those of other recipes and `more`: `(default: 5; fast: 4)`.
  static func preset<Value: Equatable>(_ path: KeyPath<Recipe, Value>, also more: String? = nil) -> String {
    // No default depends on these two.
    let (model, loss) = (Model(name: "", input: [1], layers: []), MeanSquaredError(outputs: 1))
    return preset(also: more) { $0.recipe(model: model, loss: loss)[keyPath: path] }
  }

  private static func preset<Value: Equatable>(also more: String? = nil, _ value: (NamedRecipe) -> Value) -> String {
    let usual = value(.article)
    let others = NamedRecipe.allCases.filter { value($0) != usual }
    return "(default: \(usual)" + others.map { "; \($0): \(value($0))" }.joined()
      + (more.map { "; \($0)" } ?? "") + ")"
  }
}
