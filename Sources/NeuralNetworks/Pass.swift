import Tensors

/// What a layer may know of the pass that it is part of: all of it independent of the rank.
public struct Pass: Sendable {
  /// The samples of this microbatch, at most the capacity that the layers were made for.
  public var samples: Int
  /// Where a training pass stands, for the noise of layers that add some; nil in an evaluation, which has none.
  public var noise: Noise?
  /// Which layer of the network is at work: its number, counted through all containers in the order in which they are opened, so that
  /// no two layers share one. The network itself has 0.
  var place: UInt32 = 0

  /// A pass over `samples` samples.
  public init(samples: Int, noise: Noise? = nil) {
    self.samples = samples
    self.noise = noise
  }

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
