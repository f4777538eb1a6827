import Checkpoints
import Exchange
import Training

/// Writes the trace of a run's steps into its directory, as `trace.pftrace`, for Perfetto (ui.perfetto.dev): a track a rank, below its host.
public final class TraceFile: Observer {
  private var path: String?

  /// A file of a run that has a directory.
  public init() {}

  public func began(_ run: RunDescription) throws(TrainingError) {
    path = run.options.trace == nil ? nil : run.options.directory.map { "\($0)/trace.pftrace" }
    if let path { try writing(try AtomicFile.removeLeftover(of: path)) }
  }

  public func traced(_ trace: RunTrace) throws(TrainingError) {
    guard let path else { return }
    var file = PerfettoTrace()
    var hosts: [String: UInt64] = [:]
    for (rank, found) in trace.ranks.enumerated() {
      let host = hosts[found.host] ?? file.addTrack(found.host)
      hosts[found.host] = host
      _ = file.addTrack(
        "rank \(rank)", below: host,
        found.spans.map { PerfettoTrace.Slice(trace.names[$0.name], start: $0.start, end: $0.end) })
    }
    try writing(try AtomicFile.write(file.bytes, to: path))
  }
}
