import Console

/// A reliability diagram: how often predictions are right, by the probability that they were given (Guo et al. 2017, fig. 1).
public struct ReliabilityChart: Sendable {
  /// The samples with probabilities in one range.
  public struct Bin: Sendable {
    /// The number of samples.
    public var samples: Int
    /// The part that is predicted rightly, 0 to 1.
    public var accuracy: Double
    /// The mean probability of the predictions, 0 to 1.
    public var confidence: Double

    /// A bin of these figures.
    public init(samples: Int, accuracy: Double, confidence: Double) {
      (self.samples, self.accuracy, self.confidence) = (samples, accuracy, confidence)
    }
  }

  /// Bins of equal width from 0 to 1.
  public var bins: [Bin]

  /// A diagram of these bins.
  public init(_ bins: [Bin]) { self.bins = bins }

  /// The picture: an `svg` element with a text alternative.
  public var svg: String {
    let axis = Axis([0, 1], ticks: 5)
    var plot = Plot(horizontal: axis, vertical: axis)
    let width = 1 / Double(bins.count)
    for (index, bin) in bins.enumerated() where bin.samples > 0 {
      plot.bar(
        (Double(index) + 0.08) * width...(Double(index) + 0.92) * width, 0...max(bin.accuracy, 0), series: 0)
    }
    plot.guide(from: (0, 0), to: (1, 1))
    let text = rows.map { "\($0[0]): \($0[3]) right of \($0[1])" }.joined(separator: "; ")
    return plot.svg(
      title: "Accuracy by the probability of the predicted class. \(text)",
      horizontalTitle: "probability of the predicted class")
  }

  /// The table behind the picture: range, samples, mean probability, accuracy of each bin that has samples.
  public var rows: [[String]] {
    bins.enumerated().filter { $0.element.samples > 0 }.map { index, bin in
      let width = 1 / Double(bins.count)
      return [
        "\(fixed(Double(index) * width, 2))–\(fixed(Double(index + 1) * width, 2))", grouped(bin.samples),
        fixed(bin.confidence, 4), fixed(bin.accuracy, 4),
      ]
    }
  }
}
