import ArgumentParser
import Lockstep

/// A way to train that has a name: `--recipe`. What it says are defaults, and any flag wins over them.
enum NamedRecipe: String, CaseIterable, ExpressibleByArgument {
  /// The article's: its network as Keras trains it.
  case article
  /// 99 % of MNIST's test images, in as little time as that takes (docs/benchmarks.md).
  case fast

  /// What it says.
  struct Defaults {
    var model = "article"
    var epochs = 5
    var globalBatch = 32
    var learningRate = Adam().learningRate
    var schedule = Schedule.Shape.constant
    var warmup = 0
  }

  var defaults: Defaults {
    switch self {
    case .article: Defaults()
    case .fast:
      Defaults(
        model: "keras-convnet", epochs: 3, globalBatch: 128, learningRate: 8e-3, schedule: .cosine, warmup: 150)
    }
  }
}
