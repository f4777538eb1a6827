import NeuralNetworks

/// The parameters that an optimizer steps, grouped by their weight decay: weights decay, biases and scales do not.
/// Averages and frozen parameters are in no group.
struct DecayGroups {
  private let groups: [(ranges: [Range<Int>], weightDecay: Float)]

  /// The groups of `layout`. If `weightDecay` is 0, there is only one.
  init(of layout: ParameterLayout, weightDecay: Float) {
    if weightDecay == 0 {
      groups = [(layout.ranges(of: [.weight, .bias]), 0)]
    } else {
      groups = [(layout.ranges(of: [.weight]), weightDecay), (layout.ranges(of: [.bias]), 0)]
    }
  }

  /// Calls `step` with each unbroken part of `range` that one group has, and with that group's weight decay.
  func forEach(in range: Range<Int>, _ step: (_ part: Range<Int>, _ weightDecay: Float) -> Void) {
    for (ranges, weightDecay) in groups {
      for run in ranges where run.overlaps(range) { step(run.clamped(to: range), weightDecay) }
    }
  }
}
