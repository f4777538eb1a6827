/// Where in a run a rank is.
public struct Whereabouts: Sendable, Equatable, CustomStringConvertible {
  /// What the rank is at.
  public var phase: Phase
  /// The step that the rank is in, or that it took last; 0 before the first.
  public var step: Int

  /// See the properties.
  public init(_ phase: Phase, step: Int) {
    self.phase = phase
    self.step = step
  }

  /// As it stands in a sentence: `in step 512 (reduction)`.
  public var description: String {
    switch phase {
    case .start: "at the start"
    case .compute: "in step \(step) (gradients)"
    case .reduction: "in step \(step) (reduction)"
    case .report: "after step \(step) (report)"
    case .evaluation: "in the evaluation after step \(step)"
    case .checkpoint: "in the checkpoint of step \(step)"
    case .end: "at the end"
    }
  }
}
