/// A way to train that has a name: `--recipe`. What it says are defaults, and any flag wins over them.
public enum NamedRecipe: String, Sendable, CaseIterable {
  /// The article's: its network as Keras trains it.
  case article
  /// 99 % of MNIST's test images, in as little time as that takes (docs/benchmarks.md).
  case fast

  /// What it stands for, in no run directory.
  public var configuration: TrainingConfiguration {
    var configuration = TrainingConfiguration()
    switch self {
    case .article: break
    case .fast:
      configuration.model = "keras-convnet"
      configuration.epochs = 3
      configuration.globalBatch = 128
      configuration.learningRate = 8e-3
      configuration.schedule = .cosine
      configuration.warmup = 150
    }
    return configuration
  }
}
