import ArgumentParser
import FoundationEssentials
import Glibc
import Kernels
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

  @Option(help: "The network: \(Model.names.joined(separator: ", ")).")
  var model = "article"

  @Option(help: "Samples in a step.")
  var batch = 256

  @Option(help: "Samples in a microbatch. (default: an eighth of the batch, 4 to 32)")
  var microbatch: Int?

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
    let report = try measure(try data.load(.train))
    if json { try report.printJSON() } else { report.printTable() }
  }

  private func measure(_ data: any Dataset) throws(TrainingError) -> StepReport {
    // A batch smaller than what is asked for a microbatch grows to it.
    let globalBatch = min(max(batch, microbatch ?? 1), data.count)
    var measurement = StepMeasurement(
      try OneRankStep(model: model, data, globalBatch: globalBatch, microbatch: microbatch))
    return try measurement.run(seconds: seconds)
  }
}

/// Repetitions of some milliseconds each: the multiply-adds' peak, steps, and steps with every layer timed.
private struct StepMeasurement {
  private var step: OneRankStep
  private let sums = Buffer<Float>((0..<multiplyAdderSums).map { Float($0) * 1e-3 })

  init(_ step: OneRankStep) { self.step = step }

  mutating func run(seconds: Double) throws(TrainingError) -> StepReport {
    let network = step.network
    let operations = network.trainingOperations
    var peaks: [Double] = []
    var speeds: [Double] = []
    var fractions: [Double] = []
    var layers: [[(forward: Double, backward: Double)]] = network.stages.map { _ in [] }
    // The first steps find cold caches and weights that say nothing yet.
    _ = try repetition()
    let start = ContinuousClock.now
    repeat {
      let peak = measuredPeak()
      let speed = try repetition()
      peaks.append(peak)
      speeds.append(speed)
      fractions.append(speed * Double(operations) / peak)

      let times = StageTimes(count: layers.count)
      network.stageTimes = times
      let before = step.taken
      _ = try repetition()
      network.stageTimes = nil
      let samples = Double((step.taken - before) * step.batches.globalBatch)
      for index in layers.indices {
        layers[index].append((times.forward[index] / samples, times.backward[index] / samples))
      }
    } while (ContinuousClock.now - start).seconds < seconds
    let speed = median(speeds)
    return StepReport(
      model: network.model.name, batch: step.batches.globalBatch, microbatch: step.batches.microbatch,
      samplesPerSecond: speed, flopPerSample: operations, gflops: speed * Double(operations) * 1e-9,
      peak: median(peaks) * 1e-9, fraction: median(fractions), repetitions: speeds.count,
      layers: zip(network.stages, layers).map { stage, times in
        StepReport.Layer(
          name: stage.name, output: "\(stage.output)", flopPerSample: stage.trainingOperations,
          forwardMicroseconds: median(times.map(\.forward)) * 1e6,
          backwardMicroseconds: median(times.map(\.backward)) * 1e6)
      })
  }

  /// Floating-point operations a second, over some milliseconds.
  private func measuredPeak() -> Double {
    let start = processorSeconds()
    var operations = 0
    repeat { operations += exerciseMultiplyAdders(rounds: 4096, sums) } while processorSeconds() - start < 2e-3
    return Double(operations) / (processorSeconds() - start)
  }

  /// Samples a second, over some steps.
  private mutating func repetition() throws(TrainingError) -> Double {
    let start = processorSeconds()
    let before = step.taken
    repeat { try step.take() } while processorSeconds() - start < 10e-3
    return Double((step.taken - before) * step.batches.globalBatch) / (processorSeconds() - start)
  }

  /// Of this process: what its neighbours on the machine take does not count. To the microsecond.
  private func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
}

private struct StepReport: Encodable {
  struct Layer: Encodable {
    var name: String
    var output: String
    var flopPerSample: Int
    var forwardMicroseconds: Double
    var backwardMicroseconds: Double

    enum CodingKeys: String, CodingKey {
      case name, output
      case flopPerSample = "flop_per_sample"
      case forwardMicroseconds = "forward_microseconds"
      case backwardMicroseconds = "backward_microseconds"
    }
  }

  var model: String
  var batch: Int
  var microbatch: Int
  var samplesPerSecond: Double
  var flopPerSample: Int
  var gflops: Double
  var peak: Double
  var fraction: Double
  var repetitions: Int
  var layers: [Layer]

  enum CodingKeys: String, CodingKey {
    case model, batch, microbatch, gflops, repetitions, layers
    case samplesPerSecond = "samples_per_second"
    case flopPerSample = "flop_per_sample"
    case peak = "fma_peak_gflops"
    case fraction = "fraction_of_fma_peak"
  }

  func printJSON() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    print(String(decoding: try encoder.encode(self), as: UTF8.self))
  }

  func printTable() {
    print("\(model), batch \(batch) in microbatches of \(microbatch), one core, \(KernelIdentity.current)")
    print(
      "\(fixed(samplesPerSecond, 0)) samples/s, \(flopPerSample) FLOP a sample: \(fixed(gflops, 1)) GFLOP/s of an FMA peak of "
        + "\(fixed(peak, 1)), \(fixed(fraction * 100, 1)) %; medians of \(repetitions)")
    print("")
    row("layer", "output", "forward", "backward", "µs a sample", "GFLOP/s")
    for layer in layers {
      let whole = layer.forwardMicroseconds + layer.backwardMicroseconds
      row(
        layer.name, layer.output, fixed(layer.forwardMicroseconds, 2), fixed(layer.backwardMicroseconds, 2),
        fixed(whole, 2),
        layer.flopPerSample > 0 ? fixed(Double(layer.flopPerSample) * 1e-3 / whole, 1) : "")
    }
    let inLayers = layers.reduce(0) { $0 + $1.forwardMicroseconds + $1.backwardMicroseconds }
    row("the rest", "", "", "", fixed(1e6 / samplesPerSecond - inLayers, 2), "")
  }

  private func row(_ name: String, _ output: String, _ figures: String...) {
    print(
      [name.padded(to: 14), output.padded(to: 14)].joined()
        + figures.map { String(repeating: " ", count: max(1, 13 - $0.count)) + $0 }.joined())
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
