import Glibc
import Kernels
import Lockstep

/// Measures a training step in repetitions of some milliseconds each: multiply-adds alone, whole steps, and steps with
/// every layer timed.
struct StepMeasurement {
  private var step: OneRankStep
  private let sums = Buffer<Float>((0..<multiplyAdderSums).map { Float($0) * 1e-3 })

  init(_ step: OneRankStep) { self.step = step }

  mutating func run(seconds: Double) throws -> StepReport {
    let network = step.network
    let operations = network.trainingOperations
    var peaks: [Double] = []
    var speeds: [Double] = []
    var fractions: [Double] = []
    var layers: [[(forward: Double, backward: Double)]] = network.stages.map { _ in [] }
    // The first steps find cold caches and initial weights.
    _ = try repetition()
    let start = ContinuousClock.now
    repeat {
      let peak = measuredPeak()
      let speed = try repetition()
      peaks.append(peak)
      speeds.append(speed)
      fractions.append(speed * Double(operations) / peak)

      let times = StageTimes(count: layers.count)
      network.stageObserver = times
      let before = step.taken
      _ = try repetition()
      network.stageObserver = nil
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
          backwardMicroseconds: median(times.map(\.backward)) * 1e6,
          leastBytesPerSample: stage.leastBytes(pass: min(network.capacity, step.batches.globalBatch)))
      })
  }

  /// The processor's peak in floating-point operations a second, measured over some milliseconds.
  private func measuredPeak() -> Double {
    let start = processorSeconds()
    var operations = 0
    repeat { operations += exerciseMultiplyAdders(rounds: 4096, sums) } while processorSeconds() - start < 2e-3
    return Double(operations) / (processorSeconds() - start)
  }

  /// The speed of some steps, in samples a second.
  private mutating func repetition() throws -> Double {
    let start = processorSeconds()
    let before = step.taken
    repeat { try step.take() } while processorSeconds() - start < 10e-3
    return Double((step.taken - before) * step.batches.globalBatch) / (processorSeconds() - start)
  }

  /// The processor time of this process in seconds, to the microsecond. Other processes on the machine do not count.
  private func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
}
