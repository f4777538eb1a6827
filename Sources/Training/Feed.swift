import Datasets
import NeuralNetworks
import Tensors

/// Copies samples out of a dataset into buffers made once, scaled to 0…1.
final class Feed {
  private let data: ImageDataset
  private let inputs: Buffer<Float>
  private let labels: Buffer<Int32>

  /// For up to `capacity` samples at once, or all where there are fewer.
  init(_ data: ImageDataset, capacity: Int) {
    self.data = data
    let capacity = min(capacity, data.count)
    inputs = Buffer(count: capacity * data.pixels)
    labels = Buffer(count: capacity)
  }

  /// The samples of these numbers, valid until the next call.
  func load(_ samples: ArraySlice<UInt32>) -> Examples {
    let examples = window(samples.count)
    data.copyImages(at: samples, into: examples.inputs)
    data.copyLabels(at: samples, into: examples.labels)
    return examples
  }

  /// The samples of this range, valid until the next call.
  func load(_ samples: Range<Int>) -> Examples {
    let examples = window(samples.count)
    data.copyImages(in: samples, into: examples.inputs)
    data.copyLabels(in: samples, into: examples.labels)
    return examples
  }

  private func window(_ count: Int) -> Examples {
    Examples(inputs: inputs.prefix(count * data.pixels), labels: labels.prefix(count))
  }
}
