import Tensors

/// What a layer may know of the pass that it is part of: all of it independent of the rank.
public struct Pass: Sendable {
  /// The most microbatches of a pass.
  public static let mostMicrobatches = 16

  /// The samples of all its microbatches, at most the capacity that the layers were made for.
  public let samples: Int
  /// The samples of a microbatch; of the last one they may be fewer.
  public let microbatch: Int
  /// Where a training pass stands, for the noise of layers that add some; nil in an evaluation, which has none.
  public var noise: Noise?
  /// Which layer of the network is at work: its number, counted through all containers in the order in which they are opened, so that
  /// no two layers share one. The network itself has 0.
  var place: UInt32 = 0

  /// A pass over `samples` samples: one microbatch, or as many as those make, of `microbatch` samples each.
  public init(samples: Int, noise: Noise? = nil, microbatch: Int? = nil) {
    self.samples = samples
    self.microbatch = microbatch ?? samples
    self.noise = noise
    precondition(self.microbatches.count <= Self.mostMicrobatches, "a pass of \(self.microbatches.count) microbatches")
  }

  /// The microbatches, by number. One, but for layers that say that they take several
  /// (``LayerSpecification/takesSeveralMicrobatches(for:)``).
  public var microbatches: Range<Int> { 0..<max(1, (samples + microbatch - 1) / max(1, microbatch)) }

  /// Which of the pass' samples are a microbatch's.
  public func samples(of index: Int) -> Range<Int> { index * microbatch..<min((index + 1) * microbatch, samples) }

  /// Whether gradients will be asked for.
  public var isTraining: Bool { noise != nil }

  /// The pass as a layer inside of a container sees it.
  ///
  /// - Parameter offset: how many places of the container's come before the layer's: the sum of ``Layer/placeCount`` of those before it.
  public func entering(after offset: Int) -> Pass {
    var inner = self
    inner.place = place + UInt32(offset) + 1
    return inner
  }

  /// The random words of one sample in one layer, a function of seed, step, the sample's place in the batch and the layer; nil in an
  /// evaluation. The raw value of a layer's own purpose is from 128 to 255.
  public func words(forSample index: Int, _ purpose: Philox.Purpose) -> Philox? {
    precondition(purpose.rawValue < 256, "the purpose \(purpose.rawValue) of a layer's noise is above 255")
    return noise?.words(forSample: index, Philox.Purpose(rawValue: purpose.rawValue | place << 8))
  }
}
