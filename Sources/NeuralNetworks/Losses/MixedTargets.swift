import Kernels
import Tensors

extension Loss {
  /// ``evaluate(_:_:gradient:)`` for examples that may be mixed: the loss of a sample with share λ is λ times that of its own label plus
  /// (1 − λ) times that of its partner's, and so is the gradient.
  ///
  /// A cross-entropy is linear in the target, so it is that of the mixed target, whatever classes weigh and however they are smoothed.
  /// A sample counts as classified rightly by the label of the larger share, its own if both are half.
  ///
  /// - Parameter partnerGradient: room for one sample's gradient, [outputs].
  public func evaluateMixed(
    _ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?, partnerGradient: Buffer<Float>
  ) -> LossSums {
    guard let mixture = examples.mixture else { return evaluate(output, examples, gradient: gradient) }
    var total = LossSums(samples: examples.samples)
    for sample in 0..<examples.samples {
      var example = examples.part(sample..<sample + 1)
      example.mixture = nil
      let window = sample * outputs..<(sample + 1) * outputs
      let share = mixture.shares[sample]
      let own = evaluate(output[window], example, gradient: gradient?[window])
      example.labels = mixture.labels[sample..<sample + 1]
      let partner = evaluate(output[window], example, gradient: gradient == nil ? nil : partnerGradient)
      if let gradient { average(partnerGradient, into: gradient[window], keeping: share) }
      total.loss += Double(share) * own.loss + (1 - Double(share)) * partner.loss
      total.correct += share >= 0.5 ? own.correct : partner.correct
    }
    return total
  }
}
