import ArgumentParser
import Lockstep

/// The reports of a run beside its checkpoints.
struct ReportOptions: ParsableArguments {
  @Option(help: "csv writes the figures of the epochs to metrics.csv too, beside metrics.jsonl.")
  var metrics = RunRecord.MetricsFormat.jsonl

  @Flag(inversion: .prefixedNo, help: "Writes an event file for TensorBoard into the run directory.")
  var tensorboard = true

  @Flag(inversion: .prefixedNo, help: "Writes report.html, a page about the run, into the run directory.")
  var report = true

  @Option(
    help: """
      json writes progress, warnings and errors as JSON objects, a line each, to standard error, and only the results to \
      standard output.
      """)
  var logFormat = LogFormat.text

  @Option(
    help: ArgumentHelp(
      "Records the work of these steps, N or N-M, on all ranks, into the run directory's trace.pftrace, for Perfetto.",
      valueName: "steps"))
  var trace: TracedSteps?

  @Flag(help: "Prints the results and warnings alone.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Keeps the run's state in a file for Prometheus' node exporter, renewed every ten seconds and after each epoch.",
      valueName: "file"))
  var prometheus: String?

  func validate() throws {
    if prometheus == "" { throw ValidationError("--prometheus needs a file's name") }
  }

  /// The observer that tells people or programs of the progress. From then on, errors have the format that is asked for.
  func makeLog() -> any Observer { logFormat == .json ? JSONLog() : ConsoleObserver(isQuiet: quiet) }

  /// The observers that write files, for a run of `command` on the data called `dataName`; `data` tells of them if they are a table, and
  /// `groups` are the run's final metrics.
  func makeRecords(
    data: CSVReport?, dataName: String, command: [String], groups: [GroupFigures]
  ) -> [any Observer] {
    var records: [any Observer] = [
      RunRecord(data: data, dataName: dataName, command: command, metrics: metrics), StatusRecord(),
    ]
    let events = tensorboard ? TensorBoardRecord() : nil
    if let events { records.append(events) }
    if let prometheus { records.append(PrometheusRecord(prometheus)) }
    if !groups.isEmpty {
      let record = GroupsRecord(groups) { reports in
        for report in reports where logFormat == .text { print(GroupTable(report).text) }
      }
      records.append(record)
    }
    // The page is made of what the others have written.
    records.append(TraceFile())
    // A program that reads the log knows the directory.
    if report {
      let file = ReportFile(
        waitsIn: placeOfWaits,
        pictured: { try events?.add(pictures: $0.map { ($0.name, $0.png, $0.rows, $0.columns) }) },
        written: { if logFormat == .text { say("Report: \(singleLine($0))") } })
      records.append(file)
    }
    return records
  }

  /// Shows what a person waits for for as long as `body` lasts, where there is progress to be seen.
  func waiting<Result>(while text: String, _ body: () throws -> Result) rethrows -> Result {
    try WaitingLine.show(text, in: placeOfWaits, while: body)
  }

  /// Where waits are shown; nil where they are not.
  var placeOfWaits: WaitingLine.Place? {
    guard World.isFirst, !quiet, logFormat == .text else { return nil }
    return Terminal.isInteractive ? .terminal : .output
  }

  /// Says `line`, which is of interest beside the results.
  func say(_ line: String) {
    if logFormat == .json {
      Terminal.log(.info, "note", [("message", .string(line))])
    } else if !quiet {
      Terminal.write(line + "\n")
    }
  }
}
