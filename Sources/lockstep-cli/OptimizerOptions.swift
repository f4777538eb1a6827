import ArgumentParser
import Lockstep

/// The optimizer and its constants.
struct OptimizerOptions: ParsableArguments {
  /// The optimizers that have a name.
  enum Name: String, CaseIterable, ExpressibleByArgument {
    case adam, adamw, lamb, sgd
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
      The pull of weights towards zero, of biases not: in sgd's gradient, or beside adamw's or lamb's step. (default: sgd: 0; \
      adamw and lamb: \(AdamW().weightDecay))
      """)
  var weightDecay: Float?

  func validate() throws {
    guard optimizer == .sgd || momentum == nil && !nesterov else {
      throw ValidationError(
        "--\(momentum == nil ? "nesterov" : "momentum") needs --optimizer sgd; \(optimizer.rawValue) has none")
    }
    guard optimizer != .adam || weightDecay == nil else {
      throw ValidationError("--weight-decay needs --optimizer adamw, lamb or sgd: adam has none")
    }
    if let fault = specification(usualRate: Adam().learningRate).fault { throw ValidationError(fault) }
  }

  /// The optimizer. `usualRate` is the learning rate of all but SGD if none is given.
  func specification(usualRate: Float) -> any OptimizerSpecification {
    switch optimizer {
    case .adam: Adam(learningRate: learningRate ?? usualRate)
    case .adamw:
      AdamW(learningRate: learningRate ?? usualRate, weightDecay: weightDecay ?? AdamW().weightDecay)
    case .lamb:
      LAMB(learningRate: learningRate ?? usualRate, weightDecay: weightDecay ?? LAMB().weightDecay)
    case .sgd:
      SGD(
        learningRate: learningRate ?? SGD().learningRate, momentum: momentum ?? 0, weightDecay: weightDecay ?? 0,
        isNesterov: nesterov)
    }
  }
}
