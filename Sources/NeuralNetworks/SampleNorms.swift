import Kernels
import Tensors

/// A layer that tells how long each sample's gradient is, without a pass for each sample.
///
/// Sources: Goodfellow 2015 (arXiv 1510.01799) for dense layers; Bu et al. 2023 (arXiv 2210.00038) for clipping by two backward passes.
protocol SampleNorms: Layer {
  /// Adds, for each sample of the pass, the sum of squares of its gradient of the layer's parameters to `norms`. Follows a `forward` of the
  /// same pass, before its `backward`; what `windows.gradient` holds afterwards is undefined.
  func addSquaredNorms(_ windows: BackwardWindows, _ pass: Pass, to norms: Buffer<Double>)
}

extension SampleNorms {
  /// Adds the squared norms of gradients that `differentiate` writes for one sample after the other.
  func addSquaredNorms(
    of gradient: GradientBlock, samples: Int, to norms: Buffer<Double>, _ differentiate: (Range<Int>) -> Void
  ) {
    for sample in 0..<samples {
      differentiate(sample..<sample + 1)
      for place in parameters.indices { norms[sample] += sumOfSquares(gradient[place]) }
    }
  }
}

extension Buffer<Float> {
  /// The rows `rows` of a matrix of `columns` columns.
  func rows(_ rows: Range<Int>, of columns: Int) -> Buffer<Float> {
    self[rows.lowerBound * columns..<rows.upperBound * columns]
  }
}
