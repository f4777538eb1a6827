import Tensors

/// The order in which an epoch visits the samples: a function of (seed, epoch). Every rank computes the whole order, so ranks need no
/// message for it.
///
/// It is a permutation of `0..<count`, a Fisher–Yates shuffle (Durstenfeld's form) of `0, 1, 2, …` driven by ``Philox`` with purpose
/// `.order` and the epoch as its stream. All `count!` orders are equally likely, as far as 64 bits of seed allow. Takes Θ(count): about
/// 0.5 ms for 60,000 samples. A ``Sampler`` makes another order.
public struct EpochOrder: Sendable {
  /// The number at a position that has no sample, at the end of a microbatch: only a ``Sampler`` leaves such positions.
  public static let none = UInt32.max

  /// The seed of the run.
  public let seed: UInt64
  /// The epoch, counted from 0.
  public private(set) var epoch: Int
  /// The sample at each position of the epoch.
  ///
  /// Cut it by the positions of a ``BatchPlan``'s batches. If a slice is kept, the next ``shuffle(epoch:)`` copies the
  /// order.
  public private(set) var samples: [UInt32]

  private let sampler: (any Sampler)?

  /// The number of positions.
  public var count: Int { samples.count }

  /// The order of `count` samples in `epoch`, both at least 0, or that of `sampler`. A sample's number must fit in 32 bits.
  public init(seed: UInt64, epoch: Int, count: Int, sampler: (any Sampler)? = nil) {
    precondition(count >= 0 && count <= Int(UInt32.max), "an order of \(count) samples")
    self.seed = seed
    self.epoch = epoch
    self.sampler = sampler
    samples = [UInt32](repeating: 0, count: count)
    shuffle(epoch: epoch)
  }

  /// Becomes the order of another epoch, in the same memory.
  public mutating func shuffle(epoch: Int) {
    precondition(epoch >= 0, "epoch \(epoch) does not exist")
    self.epoch = epoch
    if let sampler {
      sampler.fill(&samples, epoch: epoch)
    } else {
      samples.permute(by: Philox(seed: seed, purpose: .order, stream: UInt64(epoch)))
    }
  }
}
