import ArgumentParser
import Lockstep

struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Measures a training step on one core against the most multiply-adds that the core can do.",
    discussion: """
      The step is a whole one: forward, backward, the sum over microbatches and Adam, on real data. In turn, repetition after \
      repetition, the same process measures multiply-adds on registers alone; figures are medians, of processor time. The table \
      by layer is of repetitions of its own. A layer's operations are those of products alone.

      Example: lockstep bench step --model article --batch 256
      """)

  @OptionGroup var data: DataOptions

  @Option(help: "The network: \(modelNames).")
  var model = "article"

  @Option(help: "Samples in a step.")
  var batch = 256

  @Option(help: "Samples in a microbatch. (default: an eighth of the batch, from 4 to what suits the model)")
  var microbatch: Int?

  @Option(help: "The factors of products: fp32, or rounded to bf16.")
  var precision = ProductPrecision.fp32

  @Option(help: "How long to measure.")
  var seconds = 5.0

  @Flag(help: "Prints one JSON object instead of the table.")
  var json = false

  func validate() throws {
    guard batch >= 1 else { throw ValidationError("--batch \(batch) is less than 1") }
    guard microbatch ?? 1 >= 1 else { throw ValidationError("--microbatch \(microbatch ?? 0) is less than 1") }
    guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds \(seconds) is not in 0 to 3600") }
  }

  func run() throws {
    guard World.isFirst else { return }
    try prepareArithmetic()
    let training = try waiting(while: "reading \(data.data)") { try data.load(.train) }
    let report = try waiting(while: "measuring steps of \(model) for \(plain(seconds)) s") { try measure(training) }
    if json { try report.printJSON() } else { report.printTable() }
  }

  private func measure(_ data: any Dataset) throws -> StepReport {
    // A batch smaller than what is asked for a microbatch grows to it.
    let globalBatch = min(max(batch, microbatch ?? 1), data.count)
    var measurement = StepMeasurement(
      try OneRankStep(
        model: model, data, globalBatch: globalBatch, microbatch: microbatch, precision: precision))
    return try measurement.run(seconds: seconds)
  }
}
