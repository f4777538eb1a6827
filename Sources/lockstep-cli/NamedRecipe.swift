import ArgumentParser
import Lockstep

/// A way to train that has a name: `--recipe`. What it says are defaults, and any flag wins over them.
enum NamedRecipe: String, CaseIterable, ExpressibleByArgument {
  /// The article's: its network as Keras trains it.
  case article
  /// 99 % of MNIST's test images, in as little time as that takes (docs/benchmarks.md).
  case fast

  /// The name of its model.
  var model: String {
    switch self {
    case .article: "article"
    case .fast: "keras-convnet"
    }
  }

  /// What it says, for that model or another.
  func recipe(model: Model, loss: any Loss) -> Recipe {
    var recipe = Recipe(model: model, loss: loss)
    switch self {
    case .article: break
    case .fast:
      recipe.epochs = 3
      recipe.globalBatch = 128
      recipe.learningRate = 8e-3
      recipe.schedule = .cosine
      recipe.warmup = 150
    }
    return recipe
  }
}
