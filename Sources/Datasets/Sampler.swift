/// The choice of the samples that an epoch visits, and of their places.
///
/// It must follow from its own values and the epoch alone: every rank makes it by itself.
public protocol Sampler: Sendable {
  /// Writes the sample of each position of `epoch`, counted from 0. A position may be ``EpochOrder/none`` if none follows it in its
  /// microbatch.
  func fill(_ samples: inout [UInt32], epoch: Int)
}
