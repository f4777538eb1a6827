import ArgumentParser
import Lockstep

/// The limits of a run, and its guards against wrong numbers.
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

  @Option(help: "Scales each sample's gradient down to this norm before they are added; several times the work.")
  var sampleClipNorm: Float?

  @Option(help: "How often the ranks compare their weights: 100steps, never.")
  var verifyEvery = Execution.VerifyInterval.steps(100)

  func validate() throws {
    if let fault = Recipe.fault(clipNorm: clipNorm, sampleClipNorm: sampleClipNorm) { throw ValidationError(fault) }
  }

  /// Sets the properties of `execution` that these options give.
  func apply(to execution: inout Execution) {
    execution.onNonFinite = onNonFinite
    execution.nonFiniteLimit = nonFiniteLimit
    execution.verifyEvery = verifyEvery
  }
}
