import ArgumentParser
import Lockstep

/// A way to train that has a name: `--recipe`. It sets defaults, which any flag overrides.
enum NamedRecipe: String, CaseIterable, ExpressibleByArgument {
  /// The article's network, as Keras trains it.
  case article
  /// The shortest time to 99 % of MNIST's test images (docs/benchmarks.md).
  case fast

  /// The name of its model.
  var model: String {
    switch self {
    case .article: "article"
    case .fast: "keras-convnet"
    }
  }

  /// The recipe for its model or another.
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
