import Training

/// Keeps a run's network and weights at its end, and calls `stepped` after each step.
final class ModelKeeper: Observer {
  private let step: (EpochProgress) throws -> Void
  /// The run at its end; nil before, and except on rank 0.
  private(set) var finished: FinishedRun?

  init(_ step: @escaping (EpochProgress) throws -> Void) { self.step = step }

  func stepped(_ progress: EpochProgress) throws { try step(progress) }

  func finished(_ run: FinishedRun) throws { finished = run }
}
