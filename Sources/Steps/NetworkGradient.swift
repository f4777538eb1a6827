import Datasets
import NeuralNetworks
import Tensors

/// The gradient of a network's loss: plain training.
public final class NetworkGradient: VersionedSource {
  public let passMicrobatches: Int
  public var losses: [LossSums] { network.losses }

  var weights: WeightsVersion?
  private let network: Network
  private let microbatch: Int
  private let feed: Feed

  /// The gradient of `network` on `data`, cut by `batches`. The network must be planned for as many samples as
  /// ``PassPlan`` says. `mixup` mixes the samples, whose targets must be classes.
  public init(_ network: Network, _ data: any Dataset, batches: BatchPlan, mixup: Mixup? = nil) {
    self.network = network
    let passes = PassPlan(network.model, microbatch: batches.microbatch)
    passMicrobatches = passes.microbatches
    microbatch = batches.microbatch
    feed = Feed(data, capacity: passes.samples, mixup: mixup)
  }

  public func differentiate(
    _ share: StepShare, parameters: Buffer<Float>, into gradient: Buffer<Float>, _ accumulation: Accumulation
  ) {
    let noise = share.noise
    network.differentiate(
      feed.load(share.samples, noise: noise), parameters: parameters, into: gradient, accumulation, noise: noise,
      microbatch: microbatch, weights: weights)
  }
}
