import Collectives
import Kernels
import Privacy
import SecureAggregation
import Tensors
import Training

/// The sum of updates behind masks, which no server can take off a single one: a round of ``SecureAggregationRound``.
///
/// Clients that drop out have shared their secrets before. A rank keeps the updates of its clients until all are there, since a round may
/// be given up until then.
final class SecureUpdates: UpdateAggregation {
  /// The step to which a weighted value is rounded.
  static let step = 2 * UpdateQuantiser.clip / Double(UpdateQuantiser.levels)

  private let communicator: any Communicator
  private let seed: UInt64
  /// The largest weight of a client.
  private let largestWeight: Int
  /// The origin of the secrets of this rank's clients, which no file holds. The sum does not depend on it.
  private let source = RandomSource.secret(SecretKey())
  private let updates: Buffer<Float>
  private let count: Int
  private var choice: RoundChoice?
  private var round = 0
  private var places: [Int] = []

  /// Means of updates of `count` floats of up to `mostClients` clients of these weights.
  init(count: Int, mostClients: Int, largestWeight: Int, seed: UInt64, communicator: any Communicator) {
    (self.count, self.largestWeight, self.seed) = (count, largestWeight, seed)
    self.communicator = communicator
    updates = Buffer(count: (mostClients + communicator.size - 1) / communicator.size * count)
  }

  func begin(_ choice: RoundChoice, round: Int) -> [Int] {
    (self.choice, self.round) = (choice, round)
    places = Array(microbatches(of: choice.participants.count, heldBy: communicator.rank, of: communicator.size))
    return places
  }

  func add(_ update: Buffer<Float>, of place: Int) {
    guard let index = places.firstIndex(of: place) else { preconditionFailure("client \(place) is another rank's") }
    updates[index * count..<(index + 1) * count].copy(from: update)
  }

  func mean(into mean: Buffer<Float>) throws -> String? {
    guard let choice else { preconditionFailure("a mean without clients") }
    let clients = choice.participants.map(\.client) + choice.dropped
    do {
      let setup = try AggregationSetup(
        round: round, clients: clients, parameterCount: count, maximumWeight: largestWeight, roundingSeed: seed)
      let mine = Dictionary(uniqueKeysWithValues: places.enumerated().map { (choice.participants[$1].client, $0) })
      let dropped = choice.dropped.enumerated().filter { $0.offset % communicator.size == communicator.rank }
        .map(\.element)
      let sum = try SecureAggregationRound(setup, source: source, on: communicator).sum(
        of: Array(mine.keys) + dropped, dropouts: Dictionary(uniqueKeysWithValues: dropped.map { ($0, .update) })
      ) { client in
        communicator.entered(.reduction, step: round)
        guard let index = mine[client], let participant = choice.participants.first(where: { $0.client == client })
        else { preconditionFailure("client \(client) is another rank's") }
        return (updates[index * count..<(index + 1) * count], participant.weight)
      }
      sum.mean(into: mean)
      // A private round divides by another number than its clients', which is private itself.
      let weights = choice.participants.reduce(0) { $0 + $1.weight }
      let factor = Double(weights) / choice.divisor
      if factor != 1 { scale(mean, by: Float(factor)) }
      return nil
    } catch let error as AggregationError {
      switch error {
      case .tooFew, .setup: return error.description
      default: throw TrainingError.agreed(.rankFailed, "\(error)")
      }
    }
  }
}
