import FoundationEssentials
import Lockstep
import Testing

/// The spread of the samples over the clients.
@Suite struct ClientPartitionTests {
  /// `count` samples with these labels, in no order.
  private static func data(_ count: Int, labels: Int = 10) throws -> InMemoryDataset {
    try InMemoryDataset(
      inputs: Buffer(count: count), shape: [1], labels: Buffer((0..<count).map { Int32($0 * 7 % labels) }))
  }

  private static func split(
    _ partition: ClientPartition, samples: Int = 600, clients: Int = 20, seed: UInt64 = 3
  ) throws -> [[Int]] {
    try partition.split(data(samples), clients: clients, seed: seed)
  }

  private static let all: [ClientPartition] = [
    .iid, .shards(perClient: 2), .shards(perClient: 3), .dirichlet(alpha: 0.05), .dirichlet(alpha: 1),
    .dirichlet(alpha: 100),
  ]

  @Test(arguments: all) func everySampleIsWithOneClient(_ partition: ClientPartition) throws {
    for (samples, clients) in [(600, 20), (601, 7), (97, 31), (20, 1)] {
      let parts = try Self.split(partition, samples: samples, clients: clients)
      #expect(parts.count == clients && parts.allSatisfy { !$0.isEmpty })
      #expect(parts.flatMap { $0 }.sorted() == Array(0..<samples))
    }
    #expect(try Self.split(partition) == Self.split(partition))
    #expect(try Self.split(partition) != Self.split(partition, seed: 4))
  }

  @Test func sizesAreEven() throws {
    #expect(try Self.split(.iid).allSatisfy { $0.count == 30 })
    #expect(try Self.split(.iid, samples: 601, clients: 7).allSatisfy { 85...86 ~= $0.count })
    #expect(try Self.split(.shards(perClient: 2)).allSatisfy { $0.count == 30 })
  }

  /// McMahan's: 60 samples a label in four shards of 15, of which each client has two.
  @Test func shardsHaveFewLabels() throws {
    let data = try Self.data(600)
    func labels(_ part: [Int]) -> Set<Int32> { Set(part.map { Int32($0 * 7 % 10) }) }
    let parts = try ClientPartition.shards(perClient: 2).split(data, clients: 20, seed: 3)
    #expect(parts.allSatisfy { labels($0).count <= 2 } && parts.contains { labels($0).count == 2 })
    let mixed = try ClientPartition.iid.split(data, clients: 20, seed: 3)
    #expect(mixed.allSatisfy { labels($0).count >= 7 })
  }

  /// The smaller α, the larger the largest label's part of a client.
  @Test func dirichletIsAsSkewedAsItsParameterSays() throws {
    func largestPart(_ alpha: Double) throws -> Double {
      let parts = try Self.split(.dirichlet(alpha: alpha), samples: 6000)
      let largest = parts.map { part in
        let counts = (0..<10).map { label in part.count { $0 * 7 % 10 == label } }
        return Double(counts.max() ?? 0) / Double(part.count)
      }
      return largest.reduce(0, +) / Double(parts.count)
    }
    let parts = try [0.02, 0.3, 3, 1000].map(largestPart)
    #expect(parts == parts.sorted(by: >), "\(parts)")
    #expect(parts[0] > 0.7 && parts[3] < 0.2, "\(parts)")
    // With equal parts each client has as many.
    #expect(try Self.split(.dirichlet(alpha: 1e6), samples: 6000).allSatisfy { 250...350 ~= $0.count })
  }

  /// Gamma(α, 1) has mean and variance α; at α = 0.001 most numbers underflow a float.
  @Test(arguments: [0.001, 0.3, 1, 2.5, 40]) func gammaHasItsMoments(_ alpha: Double) {
    var words = Philox(seed: 5, purpose: .split, stream: 1)
    let draws = GammaDraws(alpha: alpha)
    let count = 40_000.0
    let values = (0..<Int(count)).map { _ in portableExp(draws.log(from: &words)) }
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    #expect(abs(mean - alpha) < 5 * (alpha / count).squareRoot(), "\(mean)")
    // Its fourth central moment is 3α² + 6α.
    #expect(abs(variance - alpha) < 5 * ((2 * alpha * alpha + 6 * alpha) / count).squareRoot(), "\(variance)")
  }

  @Test func texts() {
    for partition in Self.all + [.given] { #expect(ClientPartition("\(partition)") == partition) }
    #expect(ClientPartition("shards") == .shards(perClient: 2))
    for text in [
      "", "iid:1", "shards:", "shards:0", "shards:-1", "shards:x", "dirichlet", "dirichlet:", "dirichlet:0",
      "dirichlet:nan",
      "dirichlet:inf", "dirichlet:-1", "given:2", "IID",
    ] {
      #expect(ClientPartition(text) == nil, "\(text)")
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let numbers = try InMemoryDataset(inputs: Buffer(count: 30), shape: [1], values: Buffer(count: 30))
    #expect(try ClientPartition.iid.split(numbers, clients: 3, seed: 0).count == 3)
    for (partition, data, clients, words) in [
      (.shards(perClient: 2), numbers, 3, "labels"), (.dirichlet(alpha: 1), numbers, 3, "labels"),
      (.iid, numbers, 31, "31"), (.shards(perClient: .max), try Self.data(30), 3, "shards"),
      (.shards(perClient: 20), try Self.data(30), 3, "shards"), (.given, numbers, 3, "JoinedDataset"),
    ] as [(ClientPartition, InMemoryDataset, Int, String)] {
      let error = #expect(throws: TrainingError.self) { try partition.split(data, clients: clients, seed: 0) }
      #expect(error?.code == .usage && error?.description.contains(words) == true, "\(error as Any)")
    }
  }

  @Test func dataSetsAreJoined() throws {
    func part(_ count: Int, _ first: Float) throws -> InMemoryDataset {
      try InMemoryDataset(
        inputs: Buffer((0..<2 * count).map { first + Float($0) }), shape: [2],
        labels: Buffer((0..<count).map { Int32($0) + Int32(first) }))
    }
    let joined = try JoinedDataset([part(3, 10), part(1, 20), part(2, 30)])
    #expect(joined.count == 6 && joined.ranges == [0..<3, 3..<4, 4..<6])
    #expect(joined.targets == .labels(10...31))
    let (inputs, labels) = (Buffer<Float>(count: 12), Buffer<Int32>(count: 6))
    joined.copyInputs(in: 0..<6, into: inputs)
    joined.copyLabels(in: 0..<6, into: labels)
    #expect(inputs.array == [10, 11, 12, 13, 14, 15, 20, 21, 30, 31, 32, 33])
    #expect(labels.array == [10, 11, 12, 20, 30, 31])
    #expect(try ClientPartition.given.split(joined, clients: 3, seed: 0) == [[0, 1, 2], [3], [4, 5]])
    #expect(try joined.digest != JoinedDataset([part(3, 10), part(1, 21), part(2, 30)]).digest)
    #expect(throws: TrainingError.self) { try JoinedDataset([]) }
    let others = try InMemoryDataset(inputs: Buffer(count: 3), shape: [1], labels: Buffer(count: 3))
    #expect(throws: TrainingError.self) { try JoinedDataset([part(1, 0), others]) }
    let numbers = try InMemoryDataset(inputs: Buffer(count: 2), shape: [2], values: Buffer(count: 1))
    #expect(throws: TrainingError.self) { try JoinedDataset([part(1, 0), numbers]) }
  }
}
