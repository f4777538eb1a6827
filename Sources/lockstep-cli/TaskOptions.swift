import ArgumentParser
import Lockstep

/// What is learnt from the data, and the way from the flags to both of their parts and to a recipe: the same for all commands that train.
struct TaskOptions: ParsableArguments {
  @Option(
    help: """
      What it learns: classify; binary:K, the samples of label K against the rest; CSV: also binary, the second class \
      against the first, and regress. \(PixelTask.models()) predict pixels instead. (default: classify; CSV: found from the target)
      """)
  var task: TaskArgument?

  @Option(help: "The weight of each class in the loss: balanced, or W0,W1,… in the order of the classes.")
  var classWeights: ClassWeights?

  @Option(help: "The part of each target that is spread over all classes, 0 to 1. (default: 0)")
  var labelSmoothing: Float?

  @OptionGroup var pixels: BinariseOption

  /// Both parts of the data, as the model takes them.
  func load(
    _ data: DataOptions, _ labels: LabelOptions, _ table: TableOptions, for recipe: RecipeOptions
  ) throws -> RunData {
    try RunData(data, labels, table, task: task, pixels, try recipe.pixelTask())
  }

  /// The recipe that the flags name, for these data.
  func makeRecipe(_ recipe: RecipeOptions, for data: RunData) throws -> Recipe {
    let loss = try data.task.loss(
      over: data.training, data.test, classWeights: classWeights, labelSmoothing: labelSmoothing ?? 0)
    return try recipe.recipe(input: data.training.inputShape, loss: loss)
  }
}
