import Collectives
import Kernels
import Tensors
import Training

/// SCAFFOLD's variates cᵢ of all clients. They lie on rank 0; in a round each rank has those of the clients that it trains.
final class ClientVariates {
  /// Every client's variate, by its name in a checkpoint; none on other ranks.
  let moments: [(name: String, values: Buffer<Float>)]

  private let count: Int
  private let communicator: any Communicator
  private let all: Buffer<Float>
  private let mine: Buffer<Float>
  private var places: [Int] = []

  /// Variates of zero, of `count` floats each.
  init(count: Int, clients: Int, mostClients: Int, communicator: any Communicator) {
    self.count = count
    self.communicator = communicator
    let all = Buffer<Float>(count: communicator.rank == 0 ? clients * count : 0)
    self.all = all
    mine = Buffer(count: (mostClients + communicator.size - 1) / communicator.size * count)
    moments =
      communicator.rank == 0
      ? (0..<clients).map { ("variate\($0)", all[$0 * count..<($0 + 1) * count]) } : []
  }

  /// The variate of the participant at `place`, of those that this rank trains.
  subscript(place: Int) -> Buffer<Float> {
    guard let index = places.firstIndex(of: place) else { preconditionFailure("client \(place) is another rank's") }
    return mine[index * count..<(index + 1) * count]
  }

  /// Gives every rank the variates of the participants at its `places`. Collective.
  func fetch(_ choice: RoundChoice, places: [Int]) throws {
    self.places = places
    if communicator.rank == 0 { for place in places { self[place].copy(from: home(choice, place)) } }
    try exchange(choice, fromHome: true)
  }

  /// Takes the variates of the round's participants back, as the ranks have changed them. Collective.
  func giveBack(_ choice: RoundChoice) throws {
    if communicator.rank == 0 { for place in places { home(choice, place).copy(from: self[place]) } }
    try exchange(choice, fromHome: false)
  }

  private func home(_ choice: RoundChoice, _ place: Int) -> Buffer<Float> {
    all[range(of: choice.participants[place].client)]
  }

  private func range(of index: Int) -> Range<Int> { index * count..<(index + 1) * count }

  private func exchange(_ choice: RoundChoice, fromHome: Bool) throws {
    guard communicator.size > 1 else { return }
    var (there, here): ([ExchangePlan.Transfer], [ExchangePlan.Transfer]) = ([], [])
    if communicator.rank == 0 {
      for peer in 1..<communicator.size {
        for place in microbatches(of: choice.participants.count, heldBy: peer, of: communicator.size) {
          there.append(.init(peer: peer, range: range(of: choice.participants[place].client)))
        }
      }
    } else {
      here = places.indices.map { .init(peer: 0, range: range(of: $0)) }
    }
    try communicating {
      if fromHome {
        try communicator.exchange(ExchangePlan(sends: there, receives: here), from: all, into: mine)
      } else {
        try communicator.exchange(ExchangePlan(sends: here, receives: there), from: mine, into: all)
      }
    }
  }
}
