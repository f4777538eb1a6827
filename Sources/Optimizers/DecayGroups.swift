import NeuralNetworks

/// The parameters that an optimizer steps, those that decay alike together: weights, and biases and scales, which do not. Frozen ones are
/// in no group.
struct DecayGroups {
  private let groups: [(ranges: [Range<Int>], weightDecay: Float)]

  /// The groups of `layout`: a single one without decay.
  init(of layout: ParameterLayout, weightDecay: Float) {
    if weightDecay == 0 {
      groups = [(layout.ranges(of: [.weight, .bias]), 0)]
    } else {
      groups = [(layout.ranges(of: [.weight]), weightDecay), (layout.ranges(of: [.bias]), 0)]
    }
  }

  /// Calls `step` with each run of neighbours in `range` and their weight decay.
  func forEach(in range: Range<Int>, _ step: (_ part: Range<Int>, _ weightDecay: Float) -> Void) {
    for (ranges, weightDecay) in groups {
      for run in ranges where run.overlaps(range) { step(run.clamped(to: range), weightDecay) }
    }
  }
}
