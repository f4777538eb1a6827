import Datasets
import Kernels
import NeuralNetworks
import Tensors

/// The sum of the samples' gradients, each first scaled down to a norm of at most c:
///
///     Σᵢ gᵢ · min(1, c / (‖gᵢ‖ + 10⁻⁶))
///
/// The formula is that of Abadi et al. 2016 (Algorithm 1, without its noise), with Opacus' 10⁻⁶: no sample moves the
/// weights further than c. Usually a pass has one sample, so it costs several times plain training; with `together` a pass has a
/// whole microbatch, where the network's layers can, which rounds differently. Frozen parameters and
/// averages do not count in the norm, and are not scaled. A sample whose gradient is not finite counts as zeros, so that it cannot move the
/// weights further either. Places without a sample (``EpochOrder/none``) count as nothing.
public final class SampleClippedGradient: VersionedSource {
  public let passMicrobatches = 1
  public private(set) var losses: [LossSums] = []

  var weights: WeightsVersion?
  private let network: Network
  private let clipNorm: Float
  private let stepped: [Range<Int>]
  private let feed: Feed
  /// One sample's gradient.
  private let own: Buffer<Float>
  /// The sum over the samples of the microbatch so far.
  private let sum: Buffer<Float>
  /// Room for the squared norms of a microbatch's samples; empty if each has a pass of its own.
  private let norms: Buffer<Double>
  private let factors: Buffer<Float>

  /// The clipped gradient of `network` on `data`, cut by `batches`; `clipNorm` is c, above 0.
  ///
  /// - Parameter together: whether the samples of a microbatch may share passes.
  public init(
    _ network: Network, _ data: any Dataset, batches: BatchPlan, clipNorm: Float, mixup: Mixup? = nil,
    together: Bool = false
  ) {
    precondition(clipNorm > 0, "a norm of at most \(clipNorm)")
    self.network = network
    self.clipNorm = clipNorm
    stepped = network.layout.ranges(of: [.weight, .bias])
    feed = Feed(data, capacity: batches.microbatch, mixup: mixup)
    own = Buffer(count: network.layout.count)
    sum = Buffer(count: network.layout.count)
    let together = together && network.clipsSamplesTogether
    if together { network.prepareToClipSamples() }
    norms = Buffer(count: together ? batches.microbatch : 0)
    factors = Buffer(count: norms.count)
    losses.reserveCapacity(1)
  }

  public func differentiate(
    _ share: StepShare, parameters: Buffer<Float>, into gradient: Buffer<Float>, _ accumulation: Accumulation
  ) {
    let noise = share.noise
    let examples = feed.load(share.samples.prefix { $0 != EpochOrder.none }, noise: noise)
    losses.removeAll(keepingCapacity: true)
    if norms.count > 0 && examples.samples > 0,
      let total = network.differentiate(
        examples, parameters: parameters, clippedTo: clipNorm, into: sum, norms: norms, factors: factors,
        noise: noise)
    {
      accumulate(sum, into: gradient, accumulation)
      return losses.append(total)
    }
    var total = LossSums()
    if examples.samples == 0 { sum.fill(0) }
    for sample in 0..<examples.samples {
      total += network.differentiate(
        examples.part(sample..<sample + 1), parameters: parameters, into: own, .replace,
        noise: noise.advanced(by: sample), weights: weights)
      let norm = stepped.reduce(0) { $0 + sumOfSquares(own[$1]) }.squareRoot()
      if norm.isFinite {
        let factor = Float(min(1, Double(clipNorm) / (norm + 1e-6)))
        for range in stepped { scale(own[range], by: factor) }
      } else {
        for range in stepped { own[range].fill(0) }
      }
      accumulate(own, into: sum, sample == 0 ? .replace : .add)
    }
    accumulate(sum, into: gradient, accumulation)
    losses.append(total)
  }
}
