import Foundation
import Lockstep
import Testing

/// The optimizer's moments in slices: a rank holds less, and computes the same.
@Suite struct ShardingTests {
  /// 96 made-up images of 4 × 4.
  private static let part = Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "lockstep-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let pixels = (0..<96 * 16).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 16 &* 11) }
    let (images, labels) = (directory.appending(path: "images"), directory.appending(path: "labels"))
    try Data([0, 0, 8, 3, 0, 0, 0, 96, 0, 0, 0, 4, 0, 0, 0, 4] + pixels).write(to: images)
    try Data([0, 0, 8, 1, 0, 0, 0, 96] + (0..<96).map { UInt8($0 * 7 % 10) }).write(to: labels)
    return try ImageDataset(imagesPath: images.path, labelsPath: labels.path)
  }

  static func train(
    _ optimizer: any OptimizerSpecification = Adam(), hosts: HostMap, sharesMemory: Bool = true, shards: Bool,
    clipNorm: Float? = nil, maxSteps: Int = 12, runDirectory: String? = nil,
    checkpointEvery: RunOptions.CheckpointInterval = .epochs(1)
  ) throws -> TrainingSummary {
    var recipe = Recipe(
      model: try .named("mlp:16-40-10", input: [4, 4, 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10))
    var (execution, options) = (Execution(), RunOptions())
    recipe.optimizer = optimizer
    recipe.epochs = 3
    options.maxSteps = maxSteps
    recipe.globalBatch = 16
    recipe.microbatch = 2
    execution.sharesMemory = sharesMemory
    execution.shardsOptimizer = shards
    recipe.clipNorm = clipNorm
    options.directory = runDirectory
    options.checkpointEvery = checkpointEvery
    let part = try part.get()
    let size = hosts.ranks.reduce(0) { $0 + $1.count }
    let summaries = try InProcessCommunicator.run(size: size, hosts: hosts) {
      [recipe, execution, options] communicator in
      try Trainer(
        recipe, training: part, test: part, execution: execution, options: options, on: communicator
      ).run()
    }
    #expect(Set(summaries.map(\.weightsDigest)).count == 1)
    return summaries[0]
  }

  @Test func `Any hosts, shared or not, sharded or not: one digest`() throws {
    let maps: [[Int]] = [
      [0, 0], [0, 1], [0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 1, 1, 2, 2, 2],
    ]
    // A norm that is clipped is one that every rank must know before it steps its slice.
    for clipNorm in [nil, 0.05 as Float] {
      let expected = try Self.train(hosts: .together(1), shards: false, clipNorm: clipNorm).weightsDigest
      for hosts in maps.map({ HostMap(colours: $0) }) {
        for (sharesMemory, shards) in [(false, false), (false, true), (true, false), (true, true)] {
          let summary = try Self.train(hosts: hosts, sharesMemory: sharesMemory, shards: shards, clipNorm: clipNorm)
          #expect(summary.weightsDigest == expected, "\(hosts.ranks), shared: \(sharesMemory), sharded: \(shards)")
        }
      }
    }
  }

  @Test func `A rank of n holds an nth of the moments`() throws {
    let whole = try Self.train(hosts: .together(1), shards: false).momentBytes
    // Two moments of four bytes; parameters of each tensor are padded to whole cache lines.
    #expect(whole >= 2 * 4 * (16 * 40 + 40 + 40 * 10 + 10))
    for size in [2, 3, 4, 8] {
      #expect(try Self.train(hosts: .apart(size), shards: false).momentBytes == whole)
      let slice = try Self.train(hosts: .apart(size), shards: true).momentBytes
      // Slices are whole cache lines, of two moments.
      #expect(abs(slice - whole / size) <= 2 * 64, "\(size) ranks: \(slice) of \(whole) bytes")
      // On one host each has those of its slice, whether or not that is asked for.
      #expect(abs(try Self.train(hosts: .together(size), shards: false).momentBytes - whole / size) <= 2 * 64)
    }
  }

  @Test func `A run goes on from a checkpoint on any ranks, sharded or not`() throws {
    let expected = try Self.train(hosts: .together(1), shards: false, maxSteps: 17).weightsDigest
    let halves: [(HostMap, Bool)] = [
      (.together(1), false), (.together(3), false), (.apart(3), true), (HostMap(colours: [0, 0, 1, 1]), true),
      (.apart(2), false),
    ]
    for (before, shardsBefore) in halves {
      for (after, shardsAfter) in halves {
        let directory = FileManager.default.temporaryDirectory.appending(path: "lockstep-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        _ = try Self.train(hosts: before, shards: shardsBefore, maxSteps: 8, runDirectory: directory.path)
        let summary = try Self.train(hosts: after, shards: shardsAfter, maxSteps: 17, runDirectory: directory.path)
        #expect(summary.steps == 17)
        #expect(summary.weightsDigest == expected, "\(before.ranks) \(shardsBefore), \(after.ranks) \(shardsAfter)")
      }
    }
  }

  @Test func `Ranks agree on when to save, whatever says it`() throws {
    for interval in [RunOptions.CheckpointInterval.minutes(1e-9), .steps(5), .epochs(2)] {
      let directory = FileManager.default.temporaryDirectory.appending(path: "lockstep-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: directory) }
      _ = try Self.train(
        hosts: .apart(3), shards: true, runDirectory: directory.path, checkpointEvery: interval)
      let names = try FileManager.default.contentsOfDirectory(atPath: directory.appending(path: "checkpoints").path)
      #expect(names.contains("step-00000012.safetensors"), "\(interval): \(names)")
    }
  }
}
