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
  /// The other part of each sample's target, where targets are classes and samples were mixed; nil where they were not.
  public var mixture: Mixture?

  /// The samples that were mixed with others.
  public struct Mixture: Sendable {
    /// The label of each sample's partner [samples].
    public var labels: Buffer<Int32>
    /// The share, 0 to 1, of each sample's own label in its target [samples]. The rest is the partner's.
    public var shares: Buffer<Float>

    /// Partners with these labels, beside samples that have these shares.
    public init(labels: Buffer<Int32>, shares: Buffer<Float>) {
      precondition(labels.count == shares.count, "\(labels.count) labels of partners for \(shares.count) shares")
      (self.labels, self.shares) = (labels, shares)
    }
  }

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
    var part = Examples(samples: range.count, inputs: rows(inputs), labels: rows(labels), values: rows(values))
    part.mixture = mixture.map { Mixture(labels: $0.labels[range], shares: $0.shares[range]) }
    return part
  }

  private static let noValues = Buffer<Float>(count: 0)
}
