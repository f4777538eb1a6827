/// The place of a training pass in a run: the key of everything random in it, whichever rank computes it.
///
/// Layers (dropout) and data sets (augmentation) draw from ``words(forSample:_:)``. So a sample gets the same numbers,
/// however a batch is cut into microbatches and shared among ranks.
public struct Noise: Sendable, Hashable {
  /// The run's seed.
  public var seed: UInt64
  /// The step, from 1.
  public var step: Int
  /// The place of the pass's first sample in the global batch, from 0.
  public var firstPosition: Int

  /// The noise of a pass over samples from `firstPosition` on in the batch of `step`.
  public init(seed: UInt64, step: Int, firstPosition: Int) {
    self.seed = seed
    self.step = step
    self.firstPosition = firstPosition
  }

  /// The random words of the pass's sample at `index`, from 0: a function of the seed, the step, the sample's place in
  /// the batch, and the purpose.
  public func words(forSample index: Int, _ purpose: Philox.Purpose) -> Philox {
    Philox(seed: seed, purpose: purpose, stream: UInt64(step) << 32 | UInt64(firstPosition + index))
  }

  /// The noise of the samples that those of the pass are mixed with: other words for each place. (A batch of 2³¹ samples would have them
  /// too.)
  public var ofPartners: Noise { advanced(by: 1 << 31) }

  /// The noise of a pass that begins `samples` samples later in the same batch.
  public func advanced(by samples: Int) -> Noise {
    Noise(seed: seed, step: step, firstPosition: firstPosition + samples)
  }
}
