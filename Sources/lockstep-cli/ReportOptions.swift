import ArgumentParser
import Lockstep

/// The reports of a run beside its checkpoints.
struct ReportOptions: ParsableArguments {
  @Option(help: "csv writes the figures of the epochs to metrics.csv too, beside metrics.jsonl.")
  var metrics = RunRecord.MetricsFormat.jsonl

  @Flag(inversion: .prefixedNo, help: "Writes an event file for TensorBoard into the run directory.")
  var tensorboard = true

  /// The observers that write files, for a run on `data`, if these are a table.
  func makeRecords(data: CSVReport?) -> [any Observer] {
    var records: [any Observer] = [RunRecord(data: data, metrics: metrics)]
    if tensorboard { records.append(TensorBoardRecord()) }
    return records
  }
}
