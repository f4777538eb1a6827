import ArgumentParser
import Lockstep

/// When a run ends early, and what it guards against.
struct ControlOptions: ParsableArguments {
  @Option(help: "Stops after a checkpoint once this has passed since the start: 2h, 90min, 30s, HH:MM:SS, D-HH:MM:SS.")
  var maxTime: TimeSpan?

  @Option(
    name: .customLong("on-nonfinite"),
    help: "At a step whose loss or gradient is not finite: stop ends the run, skip goes on without it.")
  var onNonFinite = Execution.NonFiniteResponse.stop

  @Option(name: .customLong("nonfinite-limit"), help: "The most steps that are skipped one after another.")
  var nonFiniteLimit = 10

  @Option(help: "Scales the mean gradient down to this norm where its own is larger.")
  var clipNorm: Float?

  @Option(help: "How often the ranks compare their weights: 100steps, never.")
  var verifyEvery = Execution.VerifyInterval.steps(100)

  func validate() throws {
    guard nonFiniteLimit >= 0 else { throw ValidationError("--nonfinite-limit \(nonFiniteLimit) is less than 0") }
    guard clipNorm.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--clip-norm \(clipNorm ?? 0) is not a positive number")
    }
  }

  /// Puts them into what they belong to.
  func apply(to recipe: inout Recipe, _ execution: inout Execution, _ options: inout RunOptions) {
    recipe.clipNorm = clipNorm
    execution.onNonFinite = onNonFinite
    execution.nonFiniteLimit = nonFiniteLimit
    execution.verifyEvery = verifyEvery
    options.maxTime = maxTime
  }
}

extension Execution.NonFiniteResponse: ExpressibleByArgument {}

extension Execution.VerifyInterval: ExpressibleByArgument {
  /// See `VerifyInterval.init(_:)`.
  public init?(argument: String) { self.init(argument) }
}
