import ArgumentParser
import Kernels
import Lockstep

struct BenchScaling: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract:
      "Predicts how a model trains on more ranks than there are, from one core's speed and what a message costs.",
    discussion: """
      Measures one rank's work here, on real data, and adds what the fixed tree's messages cost at α and β, which `mpirun … \
      lockstep bench allreduce` measures on your network. docs/scaling.md compares such predictions with measured runs.

      Example: lockstep bench scaling --model mlp --global-batch 4096 --alpha 2e-6 --beta 4e-10
      """)

  @OptionGroup var data: DataOptions

  @Option(help: "The network: \(modelNames).")
  var model = "article"

  @Option(help: "The numbers of ranks, with commas between.")
  var ranks = "1,2,4,8,16,32,64,128,256,512,1024"

  @Option(help: "Samples in a step, over all ranks: strong scaling.")
  var globalBatch = 4096

  @Option(help: "Samples in a step for each rank instead: weak scaling.")
  var batchPerRank: Int?

  @Option(help: "Samples in a microbatch. (default: an eighth of the batch, from 4 to what suits the model)")
  var microbatch: Int?

  @Option(help: "α: the seconds of a message before its first float arrives.")
  var alpha = 2e-6

  @Option(help: "β: the seconds of a float in a message.")
  var beta = 4e-10

  @Option(help: "The processors that all ranks share, where they are fewer than the ranks.")
  var processors: Int?

  @Flag(help: "Each rank keeps the moments of its slice alone.")
  var optimizerSharding = false

  func validate() throws {
    guard ranksAsked != nil else { throw ValidationError("--ranks \(ranks) is not a list such as 1,2,4") }
    for (name, size) in [("--global-batch", globalBatch), ("--batch-per-rank", batchPerRank ?? 1)] {
      guard (1...Self.mostSamples).contains(size) else {
        throw ValidationError("\(name) \(size) is not in 1 to \(Self.mostSamples)")
      }
    }
    guard microbatch ?? 1 >= 1 else { throw ValidationError("--microbatch \(microbatch ?? 0) is less than 1") }
    guard processors ?? 1 >= 1 else { throw ValidationError("--processors \(processors ?? 0) is less than 1") }
    for (name, seconds) in [("--alpha", alpha), ("--beta", beta)] {
      guard (0...1000).contains(seconds) else {
        throw ValidationError("\(name) \(seconds) is not in 0 to 1000 seconds")
      }
    }
  }

  /// The most samples in a step: so few that no count overflows, not even on 100,000 ranks.
  private static let mostSamples = 1 << 40

  private var ranksAsked: [Int]? {
    let parts = ranks.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }.filter { (1...100_000).contains($0) }
    return numbers.count == parts.count ? numbers : nil
  }

  func run() throws {
    guard World.isFirst else { return }
    try prepareArithmetic()
    let training = try waiting(while: "reading \(data.data)") { try data.load(.train) }
    let most = try OneRankStep.load(model, training).0.usualMicrobatch
    let sizes = try (ranksAsked ?? []).map { ranks in
      let batch = batchPerRank.map { $0 * ranks } ?? globalBatch
      do {
        // A batch may be larger than the data, because only its cut matters here.
        let samples = max(training.count, batch)
        let plan = try BatchPlan(samples: samples, globalBatch: batch, microbatch: microbatch, atMost: most)
        return (ranks, plan)
      } catch {
        throw TrainingError(.usage, "\(error)")
      }
    }
    guard let microbatch = sizes.first?.1.microbatch else { return }
    let prediction = try waiting(while: "measuring steps of \(model) on one core") {
      try measure(training, microbatch: max(1, min(microbatch, training.count / 8)))
    }
    Terminal.say(
      "\(model), \(grouped(prediction.gradientCount)) floats; on one core a microbatch of \(microbatch) takes "
        + "\(fixed(prediction.microbatchSeconds * 1e6, 0)) µs and the update \(fixed(prediction.updateSeconds * 1e6, 0)) µs; "
        + "α \(scientific(alpha)) s, β \(scientific(beta)) s a float")
    row([
      "ranks", "global batch", "compute ms", "reduction ms", "samples/s", "efficiency", "communication", "MB a rank",
    ])
    for (ranks, batches) in sizes {
      guard let step = prediction.step(batches, ranks: ranks),
        let efficiency = prediction.efficiency(batches, ranks: ranks)
      else {
        Terminal.say(
          "\(ranks) ranks: a global batch of \(batches.globalBatch) has \(batches.microbatchesInFullBatch) microbatches; raise "
            + "--global-batch or lower --microbatch")
        continue
      }
      row([
        "\(ranks)", grouped(batches.globalBatch), fixed(step.compute * 1e3, 3), fixed(step.communication * 1e3, 3),
        grouped(Double(batches.globalBatch) / step.seconds), percent(efficiency),
        percent(step.communicationFraction),
        fixed(Double(prediction.bytes(batches, ranks: ranks, shardsOptimizer: optimizerSharding)) * 1e-6, 0),
      ])
    }
  }

  /// Measures one rank's work: steps of one and of eight microbatches tell the microbatch's time from the update's.
  private func measure(_ data: any Dataset, microbatch: Int) throws -> ScalingPrediction {
    var eight = try OneRankStep(model: model, data, globalBatch: 8 * microbatch, microbatch: microbatch)
    let eightSeconds = try eight.medianSeconds()
    var prediction = ScalingPrediction(
      microbatchSeconds: 0, updateSeconds: 0, gradientCount: eight.gradientCount,
      message: MessageCost(latency: alpha, secondsPerFloat: beta), processors: processors)
    prediction.otherBytes = max(0, ProcessFacts.peakResidentBytes - prediction.bytes(eight.batches, ranks: 1))
    var one = try OneRankStep(model: model, data, globalBatch: microbatch, microbatch: microbatch)
    let oneSeconds = try one.medianSeconds()
    // On a busy machine the difference of two short times can be anything.
    prediction.microbatchSeconds = max((eightSeconds - oneSeconds) / 7, oneSeconds * 1e-3, 1e-9)
    prediction.updateSeconds = max(0, oneSeconds - prediction.microbatchSeconds)
    return prediction
  }

  private func row(_ cells: [String]) {
    Terminal.say(cells.map { String(repeating: " ", count: max(1, 14 - $0.count)) + $0 }.joined())
  }
}
