import Kernels
import Tensors

@_exported import enum Kernels.ProductPrecision

/// The facts that a layer may know of its pass. None depends on the rank.
public struct Pass: Sendable {
  /// The most microbatches of a pass: a power of two.
  public static let mostMicrobatches = 16

  /// The samples of all its microbatches, at most the capacity that the layers were made for.
  public let samples: Int
  /// The samples of a microbatch; the last one may have fewer.
  public let microbatch: Int
  /// The place of a training pass in the run, for layers that add noise; nil in an evaluation, which has none.
  public var noise: Noise?
  /// The numbers that the factors of products are rounded to (``Layer/roundsFactors``).
  public let precision: ProductPrecision
  /// The version of the parameters, which other passes of a step share; nil if nobody knows of others.
  public let weights: WeightsVersion?
  /// The number of the layer at work, counted through all containers in the order in which they are opened, so that no
  /// two layers share one. The network itself has 0.
  var place: UInt32 = 0

  /// A pass over `samples` samples, in microbatches of `microbatch` samples; nil for a single one.
  public init(
    samples: Int, noise: Noise? = nil, microbatch: Int? = nil, precision: ProductPrecision = .fp32,
    weights: WeightsVersion? = nil
  ) {
    self.samples = samples
    self.precision = precision
    self.weights = weights
    // A microbatch may be planned larger than all data, up to any number.
    self.microbatch = min(microbatch ?? samples, samples)
    self.noise = noise
    precondition(self.microbatches.count <= Self.mostMicrobatches, "a pass of \(self.microbatches.count) microbatches")
  }

  /// The microbatches, by number: one, unless all layers take several
  /// (``LayerSpecification/takesSeveralMicrobatches(for:)``).
  public var microbatches: Range<Int> { 0..<max(1, (samples + microbatch - 1) / max(1, microbatch)) }

  /// The samples of a microbatch, by their number in the pass.
  public func samples(of index: Int) -> Range<Int> { index * microbatch..<min((index + 1) * microbatch, samples) }

  /// Whether gradients will be asked for.
  public var isTraining: Bool { noise != nil }

  /// The pass as a layer inside of a container sees it.
  ///
  /// - Parameter offset: the number of the container's places before the layer's: the sum of ``Layer/placeCount`` of
  ///   the layers before it.
  public func entering(after offset: Int) -> Pass {
    var inner = self
    inner.place = place + UInt32(offset) + 1
    return inner
  }

  /// Whether what was made of weights of `version` is good for this pass, too.
  func keeps(_ version: WeightsVersion?) -> Bool { version != nil && version == weights }

  /// Rounds what a layer has worked out and will multiply: of ``precision`` bf16 in place, of fp32 not at all.
  public func round(_ factors: Buffer<Float>) {
    if precision == .bf16 { roundToBFloat16(factors, into: factors) }
  }

  /// The random words of one sample in one layer, which follow from seed, step, the sample's place in the batch and the
  /// layer; nil in an evaluation. The raw value of a layer's own purpose is from 128 to 255.
  public func words(forSample index: Int, _ purpose: Philox.Purpose) -> Philox? {
    precondition(purpose.rawValue < 256, "the purpose \(purpose.rawValue) of a layer's noise is above 255")
    return noise?.words(forSample: index, Philox.Purpose(rawValue: purpose.rawValue | place << 8))
  }
}
