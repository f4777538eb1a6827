import Datasets
import NeuralNetworks
import Tensors

/// Copies samples out of a data set into buffers made once.
package final class Feed {
  private let data: any Dataset
  /// The floats of one sample's input.
  private let inputCount: Int
  /// The real numbers of one sample's target; 0 if targets are classes.
  private let valueCount: Int
  private let inputs: Buffer<Float>
  /// Whether the inputs are the targets.
  private let targetsInputs: Bool
  /// At least one of these two is empty: targets are classes, real numbers, or the inputs.
  private let labels: Buffer<Int32>
  private let values: Buffer<Float>
  private let mixer: Mixer?

  /// Buffers for up to `capacity` samples at once, or for all if there are fewer. `mixup` mixes those that are loaded with noise; their
  /// targets must then be classes.
  package init(_ data: any Dataset, capacity: Int, mixup: Mixup? = nil) {
    self.data = data
    let capacity = min(capacity, data.count)
    inputCount = data.inputShape.count
    valueCount = data.targets.valueCount ?? 0
    targetsInputs = data.targets.isInput
    inputs = Buffer(count: capacity * inputCount)
    labels = Buffer(count: data.targets.labelRange == nil ? 0 : capacity)
    values = targetsInputs ? inputs : Buffer(count: capacity * valueCount)
    mixer = mixup.map { Mixer($0, data, capacity: capacity) }
  }

  /// The samples with these numbers, valid until the next call. `noise` is for augmentation and mixing.
  package func load(_ samples: ArraySlice<UInt32>, noise: Noise) -> Examples {
    var examples = window(samples.count)
    data.copyInputs(of: samples, into: examples.inputs, noise: noise)
    if hasLabels {
      data.copyLabels(of: samples, into: examples.labels)
    } else if !targetsInputs {
      data.copyValues(of: samples, into: examples.values)
    }
    if let mixer { examples.mixture = mixer.mix(examples.inputs, noise: noise) }
    return examples
  }

  /// The samples of this range without noise, valid until the next call.
  package func load(_ samples: Range<Int>) -> Examples {
    let examples = window(samples.count)
    data.copyInputs(in: samples, into: examples.inputs)
    if hasLabels {
      data.copyLabels(in: samples, into: examples.labels)
    } else if !targetsInputs {
      data.copyValues(in: samples, into: examples.values)
    }
    return examples
  }

  private var hasLabels: Bool { valueCount == 0 }

  private func window(_ count: Int) -> Examples {
    Examples(
      samples: count, inputs: inputs.prefix(count * inputCount), labels: labels.prefix(hasLabels ? count : 0),
      values: values.prefix(count * valueCount))
  }
}
