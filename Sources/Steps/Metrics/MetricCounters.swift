import NeuralNetworks
import Tensors

/// The counters of several metrics, which ranks add up.
package struct MetricCounters {
  package let metrics: [any Metric]
  package private(set) var counters: [[Int]]

  package init(_ metrics: [any Metric]) {
    self.metrics = metrics
    counters = metrics.map { Array(repeating: 0, count: $0.counterCount) }
  }

  /// The number of all counters.
  package var count: Int { counters.reduce(0) { $0 + $1.count } }

  package mutating func count(_ predictions: Predictions) {
    for (index, metric) in metrics.enumerated() { metric.count(predictions, into: &counters[index]) }
  }

  /// All counters one after another, for a message.
  package var words: [UInt64] { counters.joined().map { UInt64(bitPattern: Int64($0)) } }

  /// Adds another rank's ``words``.
  package mutating func add(_ words: ArraySlice<UInt64>) {
    precondition(words.count == count, "\(words.count) counters, not \(count)")
    var next = words.startIndex
    for metric in counters.indices {
      for index in counters[metric].indices {
        counters[metric][index] &+= Int(Int64(bitPattern: words[next]))
        next += 1
      }
    }
  }
}
