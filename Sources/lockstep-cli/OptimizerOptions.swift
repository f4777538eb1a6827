import ArgumentParser
import Lockstep

/// How gradients become steps.
struct OptimizerOptions: ParsableArguments {
  /// The optimizers that can be named.
  enum Name: String, CaseIterable, ExpressibleByArgument {
    case adam, adamw, sgd
  }

  @Option(help: "The optimizer.")
  var optimizer = Name.adam

  @Option(help: "The step size. \(RecipeOptions.preset(\.learningRate, also: "sgd: \(SGD().learningRate)"))")
  var learningRate: Float?

  @Option(help: "sgd: the part of the last step that is taken again, from 0 to below 1. (default: 0)")
  var momentum: Float?

  @Flag(help: "sgd: Nesterov's momentum.")
  var nesterov = false

  @Option(
    help: """
      The pull of weights towards zero, of biases not: in sgd's gradient, or beside adamw's step. (default: sgd: 0; adamw: \
      \(AdamW().weightDecay))
      """)
  var weightDecay: Float?

  func validate() throws {
    guard learningRate ?? 1 > 0, (learningRate ?? 1).isFinite else {
      throw ValidationError("--learning-rate \(learningRate ?? 0) is not a positive number")
    }
    guard momentum ?? 0 >= 0, momentum ?? 0 < 1 else {
      throw ValidationError("--momentum \(momentum ?? 0) is not from 0 to below 1")
    }
    guard weightDecay ?? 0 >= 0, (weightDecay ?? 0).isFinite else {
      throw ValidationError("--weight-decay \(weightDecay ?? 0) is not a number from 0 on")
    }
    guard optimizer == .sgd || momentum == nil && !nesterov else {
      throw ValidationError(
        "--\(momentum == nil ? "nesterov" : "momentum") needs --optimizer sgd; \(optimizer.rawValue) has none")
    }
    guard !nesterov || momentum ?? 0 > 0 else {
      throw ValidationError("--nesterov needs --momentum above 0, such as 0.9")
    }
    guard optimizer != .adam || weightDecay == nil else {
      throw ValidationError("--weight-decay needs --optimizer adamw or sgd: adam has none")
    }
  }

  /// The optimizer, for a recipe whose usual learning rate, for Adam in both forms, is `usualRate`.
  func specification(usualRate: Float) -> any OptimizerSpecification {
    switch optimizer {
    case .adam: Adam(learningRate: learningRate ?? usualRate)
    case .adamw:
      AdamW(learningRate: learningRate ?? usualRate, weightDecay: weightDecay ?? AdamW().weightDecay)
    case .sgd:
      SGD(
        learningRate: learningRate ?? SGD().learningRate, momentum: momentum ?? 0, weightDecay: weightDecay ?? 0,
        isNesterov: nesterov)
    }
  }
}
