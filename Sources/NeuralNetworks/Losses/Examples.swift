import Tensors

/// Samples with their targets, as a network and its loss see them: a microbatch, or a slice of an evaluation.
public struct Examples: Sendable {
  /// The number of samples.
  public var samples: Int
  /// The inputs [samples, input shape].
  public var inputs: Buffer<Float>
  /// The label of each sample [samples], as its data set has it; empty if the targets are real numbers.
  public var labels: Buffer<Int32>
  /// The real numbers that are each sample's target [samples, values]; empty if the targets are classes, and the very memory of ``inputs`` if
  /// each input is its own target.
  public var values: Buffer<Float>

  /// Samples whose targets are classes.
  public init(inputs: Buffer<Float>, labels: Buffer<Int32>) {
    self.init(samples: labels.count, inputs: inputs, labels: labels, values: Self.noValues)
  }

  /// Samples with targets of either kind. The buffer of the other kind is empty.
  public init(samples: Int, inputs: Buffer<Float>, labels: Buffer<Int32>, values: Buffer<Float>) {
    self.samples = samples
    self.inputs = inputs
    self.labels = labels
    self.values = values
  }

  /// The samples in `range`, in the same memory.
  public func part(_ range: Range<Int>) -> Examples {
    func rows<Element>(_ buffer: Buffer<Element>) -> Buffer<Element> {
      let width = samples == 0 ? 0 : buffer.count / samples
      return buffer[range.lowerBound * width..<range.upperBound * width]
    }
    return Examples(samples: range.count, inputs: rows(inputs), labels: rows(labels), values: rows(values))
  }

  private static let noValues = Buffer<Float>(count: 0)
}
