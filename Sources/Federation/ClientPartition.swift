import Datasets
import Tensors
import Training

/// How the training samples are spread over the clients of a federated run: `--partition`.
///
/// Every sample is with one client, and every client has at least one. The spread follows from the seed alone.
public enum ClientPartition: Sendable, Hashable, CustomStringConvertible {
  /// At random, as evenly as whole samples allow.
  case iid
  /// The samples sorted by label and cut into `clients · perClient` shards of adjoining ones, of which each client gets `perClient` at random
  /// (McMahan et al. 2017, § 3: two a client, so that most clients have two labels).
  case shards(perClient: Int)
  /// Of each label, each client gets a part, and the parts are drawn from a Dirichlet distribution with all parameters α: the smaller α, the
  /// fewer clients have most of a label (Yurochkin et al. 2019, arXiv 1905.12022). A client that got nothing takes a sample of the one with the
  /// most.
  case dirichlet(alpha: Double)
  /// Each client has one part of a ``JoinedDataset``.
  case given

  /// Reads `iid`, `shards`, `shards:N`, `dirichlet:ALPHA` or `given`; nil for anything else.
  public init?(_ text: String) {
    let words = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (words.first, words.count > 1 ? words[1] : nil) {
    case ("iid", nil): self = .iid
    case ("given", nil): self = .given
    case ("shards", nil): self = .shards(perClient: 2)
    case ("shards", let count?):
      guard let count = Int(count), count >= 1 else { return nil }
      self = .shards(perClient: count)
    case ("dirichlet", let alpha?):
      guard let alpha = Double(alpha), alpha >= 0.001, alpha <= 1e6 else { return nil }
      self = .dirichlet(alpha: alpha)
    default: return nil
    }
  }

  /// The text that ``init(_:)`` reads.
  public var description: String {
    switch self {
    case .iid: "iid"
    case .shards(let count): "shards:\(count)"
    case .dirichlet(let alpha): "dirichlet:\(alpha)"
    case .given: "given"
    }
  }

  /// The samples of each client, by their numbers in `training`. Throws ``TrainingError`` with 64 if the data do not allow it.
  package func split(_ training: any Dataset, clients: Int, seed: UInt64) throws -> [[Int]] {
    guard clients <= training.count else {
      throw TrainingError(
        .usage,
        "\(Setting.clients) \(clients) is more than the \(training.count) samples, of which each client needs one")
    }
    let count = training.count
    switch self {
    case .iid:
      let order = Self.permutation(of: count, seed: seed, stream: 0)
      return (0..<clients).map { client in
        Array(order[client * count / clients..<(client + 1) * count / clients])
      }
    case .shards(let perClient):
      let (shards, isTooLarge) = clients.multipliedReportingOverflow(by: perClient)
      guard !isTooLarge && shards <= count else {
        throw TrainingError(
          .usage,
          "\(Setting.partition) \(self) cuts \(count) samples into more shards than there are samples; give fewer")
      }
      let sorted = try labels(of: training).enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
      let order = Self.permutation(of: shards, seed: seed, stream: 0)
      return (0..<clients).map { client in
        order[client * perClient..<(client + 1) * perClient].flatMap { shard in
          sorted[shard * count / shards..<(shard + 1) * count / shards].map(\.offset)
        }
      }
    case .dirichlet(let alpha):
      return Self.dirichlet(alpha, try labels(of: training), clients: clients, seed: seed)
    case .given:
      guard let joined = training as? JoinedDataset, joined.parts.count == clients else {
        throw TrainingError(
          .usage, "\(Setting.partition) \(self) needs a data set of \(clients) parts, one a client; see JoinedDataset")
      }
      return joined.ranges.map(Array.init)
    }
  }

  private func labels(of training: any Dataset) throws -> [Int] {
    guard training.targets.labelRange != nil else {
      throw TrainingError(
        .usage, "\(Setting.partition) \(self) goes by labels, but the data's targets are \(training.targets); give iid")
    }
    var labels: [Int] = []
    labels.reserveCapacity(training.count)
    training.forEachLabel { label, _ in labels.append(Int(label)) }
    return labels
  }

  private static func dirichlet(_ alpha: Double, _ labels: [Int], clients: Int, seed: UInt64) -> [[Int]] {
    var samples = [[Int]](repeating: [], count: clients)
    let gamma = GammaDraws(alpha: alpha)
    for (index, label) in Set(labels).sorted().enumerated() {
      let those = labels.indices.filter { labels[$0] == label }
      // Two streams a label: one for its order, one for the clients' parts.
      let order = permutation(of: those.count, seed: seed, stream: UInt64(2 * index + 1))
      var words = Philox(seed: seed, purpose: .clientData, stream: UInt64(2 * index + 2))
      let logs = (0..<clients).map { _ in gamma.log(from: &words) }
      let most = logs.max() ?? 0
      let parts = logs.map { portableExp($0 - most) }
      let whole = parts.reduce(0, +)
      var (sum, start) = (0.0, 0)
      for client in 0..<clients {
        sum += parts[client]
        let end = client == clients - 1 ? those.count : min(those.count, Int(sum / whole * Double(those.count)))
        samples[client] += order[start..<max(start, end)].map { those[$0] }
        start = max(start, end)
      }
    }
    for client in samples.indices where samples[client].isEmpty {
      let richest = samples.indices.max { (samples[$0].count, -$0) < (samples[$1].count, -$1) } ?? 0
      samples[client].append(samples[richest].removeLast())
    }
    return samples
  }

  private static func permutation(of count: Int, seed: UInt64, stream: UInt64) -> [Int] {
    Philox(seed: seed, purpose: .clientData, stream: stream).permutation(of: count)
  }
}

extension Philox.Purpose {
  /// The samples of the clients.
  static var clientData: Philox.Purpose { Philox.Purpose(rawValue: 48) }
  /// The clients of a round; the stream is the round.
  static var clientChoice: Philox.Purpose { Philox.Purpose(rawValue: 49) }
  /// Whether a client drops out or is slow; the stream is `round << 32 | client`.
  static var clientConduct: Philox.Purpose { Philox.Purpose(rawValue: 50) }
}
