import Datasets
import Kernels
import NeuralNetworks
import Tensors

/// Mixes the samples of a pass with others of their data set (``Mixup``), in buffers made once.
final class Mixer {
  private let mixup: Mixup
  private let data: any Dataset
  /// The numbers of the partners.
  private var partners: [UInt32]
  private let mixture: Examples.Mixture
  /// One partner's input.
  private let input: Buffer<Float>

  /// Mixes up to `capacity` samples at once with samples of `data`, whose targets must be labels.
  init(_ mixup: Mixup, _ data: any Dataset, capacity: Int) {
    (self.mixup, self.data) = (mixup, data)
    partners = Array(repeating: 0, count: capacity)
    mixture = Examples.Mixture(labels: Buffer(count: capacity), shares: Buffer(count: capacity))
    input = Buffer(count: data.inputShape.count)
  }

  /// Mixes each of `inputs`, `[samples, input shape]`, with a partner's; returns the partners' labels and the samples' shares, valid until
  /// the next call.
  ///
  /// A partner is augmented by noise of its own: the paper mixes images that were changed one by one, and the same noise would move both
  /// alike.
  func mix(_ inputs: Buffer<Float>, noise: Noise) -> Examples.Mixture {
    let samples = inputs.count / input.count
    // All before the first slice of them: an array that is written while a slice of it is alive would be copied.
    for place in 0..<samples {
      (partners[place], mixture.shares[place]) = mixup.draw(noise, place: place, of: data.count)
    }
    for place in 0..<samples {
      data.copyInputs(of: partners[place...place], into: input, noise: noise.advanced(by: place).ofPartners)
      average(input, into: inputs[place * input.count..<(place + 1) * input.count], keeping: mixture.shares[place])
    }
    data.copyLabels(of: partners[0..<samples], into: mixture.labels.prefix(samples))
    return Examples.Mixture(labels: mixture.labels.prefix(samples), shares: mixture.shares.prefix(samples))
  }
}
