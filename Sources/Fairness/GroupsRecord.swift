import Checkpoints
import Training

/// Writes `groups.json` into the run directory when a run is finished, and hands its reports on.
///
/// The figures must be the run's last final metrics (``RunOptions/finalMetrics``). It must stand before the observers that read the
/// file, such as `ReportFile`.
public final class GroupsRecord: Observer {
  private let figures: [GroupFigures]
  private let told: ([GroupReport]) -> Void
  private var directory: String?

  /// A record of `figures`; `told` is called with their reports.
  public init(_ figures: [GroupFigures], told: @escaping ([GroupReport]) -> Void = { _ in }) {
    (self.figures, self.told) = (figures, told)
  }

  public func began(_ run: RunDescription) throws {
    directory = run.options.directory
    guard let directory else { return }
    do { try AtomicFile.removeLeftover(of: GroupsFile.path(in: directory)) } catch { throw TrainingError(error) }
  }

  public func finished(_ run: FinishedRun) throws {
    let reports = zip(figures, run.counters.suffix(figures.count)).map { $0.report($1) }
    if let directory {
      try GroupsFile(step: run.summary.steps, groups: reports).write(to: GroupsFile.path(in: directory))
    }
    told(reports)
  }
}
