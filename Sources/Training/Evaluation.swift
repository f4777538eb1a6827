import Collectives
import Datasets
import NeuralNetworks
import Tensors

/// The loss and hits over a whole dataset, the work shared by all ranks.
///
/// The data is cut into slices of a fixed size by position; each rank evaluates its share of the slices, the slices' sums are
/// gathered, and everybody adds them in the order of the data: the figures are the same at any number of ranks, to the bit.
public final class Evaluation {
  /// Samples in a slice: enough for a matrix product to be efficient, few enough to share among many ranks.
  public static let slice = 64

  private let network: Network
  private let data: ImageDataset
  private let communicator: any Communicator
  private let feed: Feed

  /// Of `network`, planned for at least ``slice`` samples, on `data`.
  public init(network: Network, data: ImageDataset, communicator: any Communicator) {
    self.network = network
    self.data = data
    self.communicator = communicator
    feed = Feed(data, capacity: Self.slice)
  }

  /// The sums over the whole dataset with these weights, on every rank. Collective.
  ///
  /// - Parameter beforeSlice: called before each slice of this rank's: a whole evaluation may be too long to wait for.
  public func run(
    _ parameters: Buffer<Float>, beforeSlice: () throws(TrainingError) -> Void = {}
  ) throws(TrainingError) -> LossSums {
    let slices = (data.count + Self.slice - 1) / Self.slice
    var mine: [UInt64] = []
    for slice in microbatches(of: slices, heldBy: communicator.rank, of: communicator.size) {
      communicator.entered(.evaluation, step: nil)
      try beforeSlice()
      let range = slice * Self.slice..<min((slice + 1) * Self.slice, data.count)
      let sums = network.evaluate(feed.load(range), parameters: parameters)
      mine += [sums.loss.bitPattern, UInt64(sums.correct), UInt64(sums.samples)]
    }
    var total = LossSums()
    for words in try communicating({ () throws(CommunicationError) in try communicator.gather(words: mine) }) {
      for index in stride(from: 0, to: words.count, by: 3) {
        total.loss += Double(bitPattern: words[index])
        total.correct += Int(words[index + 1])
        total.samples += Int(words[index + 2])
      }
    }
    return total
  }
}

extension Communicator {
  /// Every rank's `words`, in rank order.
  func gather(words: [UInt64]) throws(CommunicationError) -> [[UInt64]] {
    var bytes: [UInt8] = []
    for word in words {
      for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))) }
    }
    return try gather(bytes).map { bytes in
      stride(from: 0, to: bytes.count, by: 8).map { start in
        bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      }
    }
  }
}
