import Privacy
import Tensors

/// The clients of one round, and what becomes of them: the same on every rank.
struct RoundChoice {
  /// A client whose update is added up.
  struct Participant {
    let client: Int
    /// The steps that it takes.
    let steps: Int
    /// The number that its update is multiplied by before it is added up: its samples or, in a private round, 1.
    let weight: Int
  }

  /// In the order of the round, which is that of the leaves of the tree.
  let participants: [Participant]
  /// The clients that drop out, in order.
  let dropped: [Int]
  /// The number of participants that take a part of their steps.
  let stragglers: Int
  /// The number that the sum of the updates is divided by: that of the weights or, in a private round, of the expected clients.
  let divisor: Double

  /// The choice of `round`, from 1. `source` is that of a private run, whose choices must be secret; nil of any other.
  init(_ plan: FederatedPlan, round: Int, source: RandomSource?) throws {
    let recipe = plan.recipe
    let chosen: [Int]
    if let source {
      chosen = try PoissonSampling(rate: recipe.clientFraction, source: source).batch(
        of: 0..<recipe.clients, step: UInt64(round))
    } else {
      chosen = Self.choose(recipe.clientsPerRound, of: recipe.clients, seed: recipe.seed, round: round)
    }
    var (participants, dropped, stragglers): ([Participant], [Int], Int) = ([], [], 0)
    for client in chosen {
      var words = Philox(
        seed: recipe.seed, purpose: .clientConduct, stream: UInt64(round) << 32 | UInt64(client))
      let (drops, straggles, part) = (words.nextUniform(), words.nextUniform(), words.nextUniform())
      if Double(drops) < recipe.dropouts {
        dropped.append(client)
        continue
      }
      var steps = plan.steps(of: client)
      if Double(straggles) < recipe.stragglers {
        stragglers += 1
        steps = min(steps, 1 + Int(Double(part) * Double(steps)))
      }
      participants.append(
        Participant(client: client, steps: steps, weight: source == nil ? plan.clients[client].count : 1))
    }
    (self.participants, self.dropped, self.stragglers) = (participants, dropped, stragglers)
    // The number of a private round's clients is itself private.
    divisor =
      source == nil
      ? Double(participants.reduce(0) { $0 + $1.weight }) : recipe.clientFraction * Double(recipe.clients)
  }

  /// `count` of `clients`, each equally likely, in an order that is as random.
  private static func choose(_ count: Int, of clients: Int, seed: UInt64, round: Int) -> [Int] {
    var words = Philox(seed: seed, purpose: .clientChoice, stream: UInt64(round))
    var order = Array(0..<clients)
    for place in 0..<min(count, clients - 1) {
      order.swapAt(place, place + Int(words.next(below: UInt32(clients - place))))
    }
    return Array(order.prefix(count))
  }
}
