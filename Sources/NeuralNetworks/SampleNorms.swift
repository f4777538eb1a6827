import Kernels
import Tensors

/// A layer that tells how long each sample's gradient is, and then adds them up with a factor each, without a pass for each sample.
///
/// So clipped training goes forward and backward once. Sources: Goodfellow 2015 (arXiv 1510.01799) for the norms of dense layers; Bu et al.
/// 2023 (arXiv 2210.00038) for going backward once and for the choice layer by layer.
protocol SampleNorms: Layer {
  /// Makes room for what ``backward(_:_:addingSquaredNormsTo:)`` keeps of `capacity` samples. Called once, before it.
  func prepareSampleNorms(capacity: Int)

  /// Writes the input's gradient, and adds the sum of squares of each sample's gradient of the parameters to `norms` [samples]. Follows a
  /// `forward` of the same pass; the content of `windows.gradient` is undefined afterwards.
  func backward(_ windows: BackwardWindows, _ pass: Pass, addingSquaredNormsTo norms: Buffer<Double>)

  /// Writes Σ factors[i] · gᵢ, where gᵢ is the gradient of the parameters by sample i. Follows
  /// ``backward(_:_:addingSquaredNormsTo:)`` of the same windows; may use up `windows.outputGradient`.
  func sumSamples(_ windows: BackwardWindows, _ pass: Pass, factors: Buffer<Float>)
}

extension SampleNorms {
  func prepareSampleNorms(capacity: Int) {}

  func sumSamples(_ windows: BackwardWindows, _ pass: Pass, factors: Buffer<Float>) {
    differentiateScaled(windows, pass, factors: factors)
  }

  /// Scales the samples' gradients of the output, and goes backward again, without the input's gradient.
  fileprivate func differentiateScaled(_ windows: BackwardWindows, _ pass: Pass, factors: Buffer<Float>) {
    let columns = windows.outputGradient.count / pass.samples
    for sample in 0..<pass.samples {
      scale(windows.outputGradient.rows(sample..<sample + 1, of: columns), by: factors[sample])
    }
    backward(windows.withoutInputGradient, pass)
  }
}

/// A layer whose weights are few beside the products that their gradient takes, so that each sample's gradient is kept until its factor is
/// known: convolutions.
protocol SampleGradientKeeper: SampleNorms {
  /// Room for the samples' gradients; nil until it is made, and where that would be too much.
  var kept: Buffer<Float>? { get set }

  /// Writes the gradients by the samples `samples` of the pass: of the parameters to `gradient`, and of the input to its rows in
  /// `windows.inputGradient`, if it is asked for. Called for one sample after the other, from the first one of a pass on, so that weights
  /// are laid out once.
  func differentiate(_ samples: Range<Int>, _ windows: BackwardWindows, into gradient: GradientBlock)
}

/// The most floats that a layer keeps: 64 MiB.
private let mostKept = 1 << 24

extension SampleGradientKeeper {
  func prepareSampleNorms(capacity: Int) {
    let count = capacity * ParameterLayout(parameters).count
    kept = count <= mostKept ? Buffer(count: count) : nil
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass, addingSquaredNormsTo norms: Buffer<Double>) {
    let sums = windows.gradient.sums
    for sample in 0..<pass.samples {
      let own = kept.map { ParameterBlock($0.rows(sample..<sample + 1, of: sums.layout.count), sums.layout) } ?? sums
      differentiate(sample..<sample + 1, windows, into: GradientBlock(own, .replace))
      for place in parameters.indices { norms[sample] += sumOfSquares(own[place]) }
    }
  }

  func sumSamples(_ windows: BackwardWindows, _ pass: Pass, factors: Buffer<Float>) {
    guard let kept else { return differentiateScaled(windows, pass, factors: factors) }
    let sums = windows.gradient.sums.values
    weightedSum(ofRows: kept.prefix(pass.samples * sums.count), factors.prefix(pass.samples), into: sums)
  }
}

extension BackwardWindows {
  /// The same, of a layer before which nothing learns.
  fileprivate var withoutInputGradient: BackwardWindows {
    BackwardWindows(
      outputGradient: outputGradient, input: input, output: output, parameters: parameters, inputGradient: nil,
      gradient: gradient)
  }
}

extension Buffer<Float> {
  /// The rows `rows` of a matrix of `columns` columns.
  func rows(_ rows: Range<Int>, of columns: Int) -> Buffer<Float> {
    self[rows.lowerBound * columns..<rows.upperBound * columns]
  }
}
