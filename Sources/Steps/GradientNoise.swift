import Collectives
import Datasets
import Kernels
import Tensors

/// The norm of the batch's mean gradient G, and its noise scale tr(Σ) / |G|², by which Σ is the covariance of a sample's
/// gradient (McCandlish et al. 2018, § 2.2).
///
/// With l and r the sums of a sample's gradient over the two halves of a batch of B samples, of m and n samples,
///
///     |G|²  is estimated by  l·r / (m·n)
///     tr(Σ) is estimated by  (|l|² + |r|² − (m² + n²) · |G|²) / B
///
/// without bias. If m = n, these are the estimates of appendix A.1 there, with the mean of both halves' |G|² as that of
/// the small batch. The halves are those that the reduction's tree adds last, so they are at hand on every rank, slice
/// by slice, and the same at any number of ranks. The sums over slices and steps are exact (``SquareSum``).
package final class GradientNoise: HalvesReader {
  /// The figures of some steps.
  package struct Figures {
    /// The root of the mean of |G|² as the batches have it, their noise included.
    package let norm: Double
    /// The noise scale, in samples; nil if the steps are too few, or the batch too small, to tell |G|² from the noise.
    package let scale: Double?
  }

  /// The ranges of the parameters that are stepped.
  private let ranges: [Range<Int>]
  /// The samples of a full batch, and those of its left half.
  private let (samples, leftSamples): (Int, Int)
  /// The steps from one that is measured to the next.
  private let interval: Int
  /// The unit of the sums: a power of two above B², so that they are about those of means.
  private let unit: Double

  /// |l + r|² and |l − r|² of the step that is being taken, and of the steps before; in this rank's slice.
  private var (sum, difference) = (SquareSum(), SquareSum())
  private var (sums, differences) = (SquareSum(), SquareSum())
  private var steps = 0

  /// A measurement on the parameters in `ranges`; nil if a batch is one microbatch, or no batch is full.
  init?(of ranges: [Range<Int>], batches: BatchPlan) {
    let count = batches.microbatchesInFullBatch
    let fullBatches = batches.samples / batches.globalBatch
    guard count > 1, fullBatches > 0 else { return nil }
    let tree = ReductionTree(leaves: count)
    self.ranges = ranges
    samples = batches.globalBatch
    leftSamples = tree.covered(by: tree.root.children.left).count * batches.microbatch
    interval = max(1, min(Self.samplesPerMeasurement / samples, fullBatches))
    unit = Double(sign: .plus, exponent: 2 * Int(Double(samples).exponent + 1), significand: 1)
  }

  /// About the samples from one measurement to the next. It costs some passes over the gradient, as little as a sample or
  /// two.
  private static let samplesPerMeasurement = 1024

  /// Whether the step over `batch` is measured: follows from the batch's place in the epoch. Short batches never are.
  package func isDue(at batch: Batch) -> Bool {
    batch.positions.count == samples && (batch.positions.lowerBound / samples + 1) % interval == 0
  }

  package func read(_ left: Buffer<Float>, _ right: Buffer<Float>, from start: Int) {
    let slice = start..<start + left.count
    for range in ranges where range.overlaps(slice) {
      let part = range.clamped(to: slice)
      let window = part.lowerBound - start..<part.upperBound - start
      addSquares(of: left[window], and: right[window], unit: unit, sums: &sum, differences: &difference)
    }
  }

  /// Ends a step that was measured. One that was not taken, because it was not finite, does not count.
  package func endStep(wasTaken: Bool) {
    if wasTaken {
      sums.add(sum)
      differences.add(difference)
      steps += 1
    }
    (sum, difference) = (SquareSum(), SquareSum())
  }

  /// Forgets all steps.
  package func reset() { (sums, differences, steps) = (SquareSum(), SquareSum(), 0) }

  /// This rank's part in the sums over the steps since ``reset()``.
  package var words: [UInt64] { sums.words + differences.words }

  /// The figures that all ranks' ``words`` make: the same on every rank. nil if no step was measured.
  package func figures(_ ranks: [ArraySlice<UInt64>]) -> Figures? {
    var (sums, differences) = (SquareSum(), SquareSum())
    for words in ranks {
      sums.add(SquareSum(words: words.prefix(SquareSum.wordCount)))
      differences.add(SquareSum(words: words.suffix(SquareSum.wordCount)))
    }
    guard steps > 0, sums.isExact, differences.isExact else { return nil }
    let (batch, m) = (Double(samples), Double(leftSamples))
    let n = batch - m
    let (whole, apart) = (sums.units * unit, differences.units * unit)
    let square = (whole - apart) / (4 * m * n)
    let covariance = ((whole + apart) / 2 - (m * m + n * n) * square) / batch
    return Figures(
      norm: (whole / Double(steps)).squareRoot() / batch,
      scale: square > 0 && covariance >= 0 ? covariance / square : nil)
  }
}
