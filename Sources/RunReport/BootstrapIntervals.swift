import Fairness
import Glibc
import Steps
import Tensors
import Training

/// Intervals in which the figures of an evaluation lie with 95 % confidence, by a bootstrap over the samples (Efron 1979).
///
/// In a replicate each sample counts as often as a Poisson distribution of mean 1 says (Chamandy et al. 2012, "Estimating Uncertainty for
/// Massive Data Streams"), so a cell of the confusion matrix with n samples counts as often as one of mean n. The figures' interval is from
/// the 2.5th to the 97.5th percentile of the replicates. They follow from the matrix alone.
package struct BootstrapIntervals {
  /// The intervals of one class.
  package struct ClassIntervals {
    package var precision: ClosedRange<Double>
    package var recall: ClosedRange<Double>
    package var f1: ClosedRange<Double>
  }

  /// The figures of one class in all replicates.
  private struct Figures {
    var precision: [Double] = []
    var recall: [Double] = []
    var f1: [Double] = []
  }

  package let accuracy: ClosedRange<Double>
  package let classes: [ClassIntervals]

  /// The intervals for a square matrix of samples of each class (row) that are taken for each class (column).
  package init(confusion: [[Int]], replicates: Int = 1000) {
    let count = confusion.count
    // Most cells of a good network are empty, and stay so.
    let cells = confusion.enumerated().flatMap { row, columns in
      columns.enumerated().filter { $0.element > 0 }.map { (row: row, column: $0.offset, samples: $0.element) }
    }
    var accuracies: [Double] = []
    var figures = Array(repeating: Figures(), count: count)
    for replicate in 0..<replicates {
      var words = Philox(seed: 0, purpose: .bootstrap, stream: UInt64(replicate))
      var counts = Array(repeating: ConfusionMatrix.ClassCounts(), count: count)
      for cell in cells {
        let samples = Self.poisson(mean: cell.samples, &words)
        counts[cell.row].samples += samples
        counts[cell.column].predicted += samples
        if cell.row == cell.column { counts[cell.row].correct += samples }
      }
      var (all, right) = (0, 0)
      for own in counts { (all, right) = (all + own.samples, right + own.correct) }
      accuracies.append(all == 0 ? 0 : Double(right) / Double(all))
      for index in 0..<count {
        figures[index].precision.append(counts[index].precision)
        figures[index].recall.append(counts[index].recall)
        figures[index].f1.append(counts[index].f1)
      }
    }
    accuracy = Self.interval(accuracies)
    classes = figures.map {
      ClassIntervals(
        precision: Self.interval($0.precision), recall: Self.interval($0.recall), f1: Self.interval($0.f1))
    }
  }

  private static func interval(_ values: [Double]) -> ClosedRange<Double> { Estimate.interval(of: values) ?? 0...0 }

  /// A number from the Poisson distribution: for a small mean by Knuth's product of uniform numbers, from 30 on by the normal distribution,
  /// which it then is to a hundredth.
  private static func poisson(mean: Int, _ words: inout Philox) -> Int {
    if mean >= 30 {
      let radius = sqrt(-2 * log(1 - Double(words.nextUniform())))
      let normal = radius * cos(2 * Double.pi * Double(words.nextUniform()))
      return max(0, Int((Double(mean) + sqrt(Double(mean)) * normal).rounded()))
    }
    let limit = exp(-Double(mean))
    var (product, count) = (Double(words.nextUniform()), 0)
    while product > limit {
      product *= Double(words.nextUniform())
      count += 1
    }
    return count
  }
}
