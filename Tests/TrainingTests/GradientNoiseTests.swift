import Foundation
import Lockstep
import Testing

/// The gradient's norm and noise scale in an epoch's report.
@Suite struct GradientNoiseTests {
  private static func figures(_ run: SmallRun, ranks: Int, hosts: HostMap? = nil) throws -> [[Double?]] {
    try ToldRun(run, ranks: ranks, hosts: hosts).reports.map { [$0.gradientNorm, $0.gradientNoiseScale] }
  }

  /// Steps so small that weights stay as they begin.
  private static func standingRun() throws -> SmallRun {
    var run = try SmallRun()
    run.options.directory = nil
    run.recipe.optimizer = SGD(learningRate: 1e-30)
    return run
  }

  @Test func theFiguresAreTheSameOnAnyRanks() throws {
    var run = try SmallRun()
    run.options.directory = nil
    for (passes, clipNorm) in [(false, nil), (true, 0.1)] as [(Bool, Float?)] {
      // Microbatches of one sample, of which a pass takes several.
      if passes { run.recipe.microbatch = 1 }
      run.recipe.clipNorm = clipNorm
      let one = try Self.figures(run, ranks: 1)
      #expect(one.count == 3 && one.allSatisfy { $0[0] ?? 0 > 0 })
      #expect(one.contains { $0[1] != nil }, "\(one)")
      for ranks in 1...4 {
        for (sharesMemory, shards) in [(true, false), (false, false), (false, true)] {
          run.execution.sharesMemory = sharesMemory
          run.execution.shardsOptimizer = shards
          #expect(try Self.figures(run, ranks: ranks) == one, "\(ranks) ranks, \(sharesMemory), \(shards)")
        }
      }
      run.execution.shardsOptimizer = false
      run.execution.sharesMemory = true
      #expect(try Self.figures(run, ranks: 4, hosts: HostMap(colours: [0, 0, 1, 1])) == one)
    }
  }

  /// Against the formula, on the gradients of the one batch of each epoch that is measured: the last full one. If the
  /// halves are equal, it is that of McCandlish's appendix A.1, from squared norms of small batches and of the large one.
  @Test(arguments: [4, 5, 10])
  func theFiguresAreThoseOfTheFormula(_ microbatch: Int) throws {
    var run = try Self.standingRun()
    run.recipe.microbatch = microbatch
    let reports = try Self.figures(run, ranks: 2)
    let network = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 20)
    let weights = Buffer<Float>(count: network.layout.count)
    network.initialise(weights, seed: 0)
    let leftSamples = microbatch == 4 ? 16 : 10
    for (epoch, found) in reports.enumerated() {
      let samples = EpochOrder(seed: 0, epoch: epoch, count: 84).samples[60..<80]
      func gradient(_ samples: ArraySlice<UInt32>) -> [Double] {
        let inputs = Buffer<Float>(count: samples.count * 64)
        let labels = Buffer<Int32>(count: samples.count)
        let noise = Noise(seed: 0, step: 1, firstPosition: 0)
        run.training.copyInputs(of: samples, into: inputs, noise: noise)
        run.training.copyLabels(of: samples, into: labels)
        let sum = Buffer<Float>(count: weights.count)
        network.differentiate(
          Examples(inputs: inputs, labels: labels), parameters: weights, into: sum, .replace, noise: noise)
        return sum.array.map(Double.init)
      }
      let (left, right) = (gradient(samples.prefix(leftSamples)), gradient(samples.dropFirst(leftSamples)))
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      let whole = zip(left, right).map { $0 + $1 }
      let (m, n) = (Double(leftSamples), Double(20 - leftSamples))
      let square: Double
      let covariance: Double
      if m == n {
        let (small, large) = ((dot(left, left) + dot(right, right)) / (2 * m * m), dot(whole, whole) / 400)
        square = (20 * large - m * small) / (20 - m)
        covariance = (small - large) / (1 / m - 1 / 20)
      } else {
        square = dot(left, right) / (m * n)
        covariance = (dot(left, left) + dot(right, right) - (m * m + n * n) * square) / 20
      }
      #expect(abs(try #require(found[0]) / (dot(whole, whole).squareRoot() / 20) - 1) < 1e-5)
      if square > 0 {
        #expect(abs(try #require(found[1]) / (covariance / square) - 1) < 1e-3, "\(found)")
      } else {
        #expect(found[1] == nil)
      }
    }
  }

  /// The measured scale is near that which all samples' gradients have, by their covariance.
  @Test func manyBatchesFindTheScaleOfTheData() throws {
    var run = try Self.standingRun()
    let data = run.training
    // So often that a batch is nearly a draw of samples that are put back.
    run.training = try Subset(of: data, indices: (0..<120 * 84).map { $0 % 84 })
    (run.recipe.globalBatch, run.recipe.microbatch, run.recipe.epochs) = (256, 32, 1)
    let found = try #require(try ToldRun(run, ranks: 1).reports[0].gradientNoiseScale)
    let network = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1)
    let weights = Buffer<Float>(count: network.layout.count)
    network.initialise(weights, seed: 0)
    var (mean, squares) = (Array(repeating: 0.0, count: weights.count), 0.0)
    let (inputs, labels) = (Buffer<Float>(count: 64), Buffer<Int32>(count: 1))
    let sum = Buffer<Float>(count: weights.count)
    for sample in 0..<84 {
      let noise = Noise(seed: 0, step: 1, firstPosition: 0)
      data.copyInputs(of: [UInt32(sample)], into: inputs, noise: noise)
      data.copyLabels(of: [UInt32(sample)], into: labels)
      network.differentiate(
        Examples(inputs: inputs, labels: labels), parameters: weights, into: sum, .replace, noise: noise)
      for (index, value) in sum.array.map(Double.init).enumerated() {
        mean[index] += value / 84
        squares += value * value / 84
      }
    }
    let norm = mean.reduce(0) { $0 + $1 * $1 }
    let expected = (squares - norm) / norm
    #expect(abs(found / expected - 1) < 0.25, "\(found), expected \(expected)")
  }

  @Test func thereIsNothingToMeasureInOneMicrobatchOrByMPI() throws {
    var run = try Self.standingRun()
    run.recipe.reduction = .mpi
    #expect(try Self.figures(run, ranks: 2) == Array(repeating: [nil, nil], count: 3))
    run.recipe.reduction = .lockstep
    run.recipe.microbatch = 20
    #expect(try Self.figures(run, ranks: 1) == Array(repeating: [nil, nil], count: 3))
    // No full batch.
    (run.recipe.globalBatch, run.recipe.microbatch) = (100, 10)
    #expect(try Self.figures(run, ranks: 2) == Array(repeating: [nil, nil], count: 3))
  }

  @Test func frozenParametersDoNotCount() throws {
    var run = try Self.standingRun()
    let all = try Self.figures(run, ranks: 2)
    run.recipe.frozen = [Glob("dense1*")]
    let some = try Self.figures(run, ranks: 2)
    #expect(zip(all, some).allSatisfy { ($0[0] ?? 0) > ($1[0] ?? .infinity) })
  }
}
