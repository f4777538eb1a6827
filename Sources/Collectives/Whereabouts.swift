/// The place of a rank in a run.
public struct Whereabouts: Sendable, Equatable, CustomStringConvertible {
  /// The phase that the rank is in.
  public var phase: Phase
  /// The step that the rank is in, or that it took last; 0 before the first.
  public var step: Int

  /// The place in this phase and step.
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
