import Foundation
import Lockstep
import Testing

/// Any optimizer computes the same on any ranks: element by element in slices, or as a whole.
@Suite struct OptimizerTests {
  private static let optimizers: [any OptimizerSpecification] = [
    AdamW(weightDecay: 0.1), SGD(learningRate: 0.1), SGD(learningRate: 0.1, momentum: 0.9),
    SGD(learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, isNesterov: true), LAMB(), LayerwiseSGD(),
  ]

  private static let ways = [(false, false), (false, true), (true, false), (true, true)]

  @Test(arguments: optimizers.indices)
  func `Any ranks, shared or not, sharded or not: one digest`(_ index: Int) throws {
    let optimizer = Self.optimizers[index]
    for clipNorm in [nil, 0.05 as Float] {
      let expected = try ShardingTests.train(optimizer, hosts: .together(1), shards: false, clipNorm: clipNorm)
      let maps = [[0, 0], [0, 0, 0], [0, 0, 0, 0], [0, 0, 1], [0, 0, 1, 1]].map { HostMap(colours: $0) }
      for hosts in maps {
        for (sharesMemory, shards) in Self.ways {
          let summary = try ShardingTests.train(
            optimizer, hosts: hosts, sharesMemory: sharesMemory, shards: shards, clipNorm: clipNorm)
          #expect(
            summary.weightsDigest == expected.weightsDigest,
            "\(optimizer), \(hosts.ranks), shared: \(sharesMemory), sharded: \(shards)")
        }
      }
    }
  }

  @Test func `Each optimizer takes steps of its own`() throws {
    let digests = try ([Adam()] + Self.optimizers).map {
      try ShardingTests.train($0, hosts: .together(1), shards: false).weightsDigest
    }
    #expect(Set(digests).count == digests.count)
  }

  /// What the way through is for: the test's optimizer, cut into slices, computes something else.
  @Test func `An optimizer that needs whole parameters must not be cut`() throws {
    let expected = try ShardingTests.train(LayerwiseSGD(), hosts: .together(1), shards: false).weightsDigest
    let cut = LayerwiseSGD(isElementwise: true)
    #expect(try ShardingTests.train(cut, hosts: .together(1), shards: false).weightsDigest == expected)
    #expect(try ShardingTests.train(cut, hosts: .together(3), shards: false).weightsDigest != expected)
  }

  @Test func `A rank keeps the state that its optimizer has`() throws {
    func bytes(_ optimizer: any OptimizerSpecification, _ hosts: HostMap, shards: Bool = false) throws -> Int {
      try ShardingTests.train(optimizer, hosts: hosts, shards: shards).momentBytes
    }
    let whole = try bytes(SGD(momentum: 0.9), .together(1))
    #expect(try bytes(Adam(), .together(1)) == 2 * whole)
    #expect(try bytes(SGD(), .together(1)) == 0)
    #expect(try bytes(SGD(), .together(3)) == 0)
    #expect(abs(try bytes(SGD(momentum: 0.9), .together(2)) - whole / 2) <= 64)
    // Nobody's is cut where each rank steps all.
    for hosts in [HostMap.together(2), .apart(2)] { #expect(try bytes(LayerwiseSGD(), hosts, shards: true) == whole) }
  }

  @Test(arguments: optimizers.indices)
  func `A run goes on from a checkpoint on other ranks, sharded or not`(_ index: Int) throws {
    let optimizer = Self.optimizers[index]
    let expected = try ShardingTests.train(optimizer, hosts: .together(1), shards: false, maxSteps: 17).weightsDigest
    let halves: [(HostMap, Bool)] = [
      (.together(1), false), (.together(3), false), (.apart(3), true), (.apart(2), false),
    ]
    for (before, shardsBefore) in halves {
      for (after, shardsAfter) in halves {
        let directory = FileManager.default.temporaryDirectory.appending(path: "lockstep-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        _ = try ShardingTests.train(
          optimizer, hosts: before, shards: shardsBefore, maxSteps: 8, runDirectory: directory.path)
        let summary = try ShardingTests.train(
          optimizer, hosts: after, shards: shardsAfter, maxSteps: 17, runDirectory: directory.path)
        #expect(summary.steps == 17)
        #expect(summary.weightsDigest == expected, "\(before.ranks) \(shardsBefore), \(after.ranks) \(shardsAfter)")
      }
    }
  }

  /// Stopped in the middle of an epoch, as by a signal.
  @Test(arguments: optimizers.indices, [1, 2, 3, 4])
  func `A stopped run ends with the uninterrupted digest on other ranks`(_ index: Int, ranks: Int) throws {
    var run = try SmallRun()
    run.recipe.optimizer = Self.optimizers[index]
    let uninterrupted = try run.run(ranks: ranks)[0].digest
    run.startAnew()
    let controls = (0..<ranks).map { _ in RunControl() }
    _ = try run.run(ranks: ranks, controls: controls) { _, step in if step == 6 { controls[0].ask(.stop) } }
    #expect(try run.checkpoints == [7])
    #expect(try run.run(ranks: 5 - ranks).allSatisfy { $0.digest == uninterrupted })
  }

  @Test func `Another optimizer does not go on from a checkpoint`() throws {
    var run = try SmallRun()
    _ = try run.run(ranks: 1)
    for (optimizer, text) in [
      (SGD(learningRate: 1e-3), "optimizer is adam there and sgd here"),
      (Adam(beta1: 0.5), "beta1 is not given there and 0.5 here"),
      (Adam(learningRate: 0.5), "learning_rate is 0.001 there"),
    ] as [(any OptimizerSpecification, String)] {
      run.recipe.optimizer = optimizer
      let error = #expect(throws: TrainingError.self) { try run.run(ranks: 2) }
      #expect(error?.code == .badData && error?.description.contains(text) == true, "\(String(describing: error))")
    }
  }
}

/// An optimizer that needs the norms of whole parameters: LARS without weight decay (You et al. 2017).
private struct LayerwiseSGD: OptimizerSpecification {
  var learningRate: Float = 0.1
  var isElementwise = false
  var name: String { "layerwise-sgd" }
  var stateNames: [String] { ["momentum"] }

  func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer {
    Stepping(self, state, layout, schedule)
  }

  private final class Stepping: Optimizer {
    let state: OptimizerState
    private let specification: LayerwiseSGD
    private let layout: ParameterLayout
    private let schedule: Schedule

    init(_ specification: LayerwiseSGD, _ state: OptimizerState, _ layout: ParameterLayout, _ schedule: Schedule) {
      (self.specification, self.state, self.layout, self.schedule) = (specification, state, layout, schedule)
    }

    func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int) {
      for whole in layout.ranges where whole.overlaps(range) {
        let part = whole.clamped(to: range)
        func norm(_ buffer: Buffer<Float>) -> Float {
          Float(part.reduce(0.0) { $0 + Double(buffer[$1]) * Double(buffer[$1]) }.squareRoot())
        }
        let trust = norm(parameters) / (norm(gradient) * scale + 1e-6)
        let rate = specification.learningRate * Float(schedule.factor(step: step)) * (trust > 0 ? trust : 1)
        let momentum = state.values(0, of: part)
        for place in part {
          let index = place - part.lowerBound
          momentum[index] = 0.9 * momentum[index] + rate * gradient[place] * scale
          parameters[place] -= momentum[index]
        }
      }
    }
  }
}
