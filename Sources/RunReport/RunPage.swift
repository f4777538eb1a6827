import Charts
import Console
import Tensors
import Training

/// The page `report.html` of a run.
public struct RunPage {
  private let run: RecordedRun
  private let pictures: RunPictures?

  /// The page of `run`. `pictures` are nil if its network or its data are not at hand.
  public init(_ run: RecordedRun, pictures: RunPictures?) { (self.run, self.pictures) = (run, pictures) }

  /// The page as one file of HTML. Throws ``TrainingError`` with 65 if the run's `explanations.json` is damaged.
  public var html: String {
    get throws {
      var context = context
      if let explanations = try RecordedExplanations(directory: run.directory) {
        context["explanations"] = ExplanationsContext(explanations)
      }
      return try PageTemplates.library().render(context, withTemplate: "run") ?? ""
    }
  }

  private var context: [String: Any] {
    let (charts, times) = (RunCharts.training(run), [RunCharts.time(run), RunCharts.rate(run)])
    var context: [String: Any] = [
      "title": title, "subtitle": subtitle, "tiles": tiles, "facts": facts,
      "program": run["program"] ?? lockstepVersion,
      "charts": charts.map(ChartContext.init), "hasCharts": !charts.isEmpty,
      "times": times.filter { !$0.isEmpty }.map(ChartContext.init), "hasTimes": times.contains { !$0.isEmpty },
      "timesText": timesText, "hasMistakes": pictures?.mistakes.isEmpty == false, "mistakes": pictures?.mistakes ?? [],
    ]
    if let report = run.summary?.testMetrics {
      context["classes"] = ClassesContext(report)
      if let bins = report.reliability {
        context["reliability"] = ReliabilityContext(bins, error: report.calibrationError)
      }
    }
    context["groups"] = run.groups.map { GroupsContext($0) }
    if let filters = pictures?.filters { context["filters"] = filters }
    if let drawn = pictures?.drawn { context["drawn"] = drawn }
    if let command = run.command { context["command"] = singleLine(command.map(shellWord).joined(separator: " ")) }
    if let digest = run.summary?.weightsDigest { context["digest"] = digest }
    return context
  }

  private var model: String { shown("model") ?? "model" }

  /// The text of a key of the configuration with all its characters to be seen; nil if it is missing.
  private func shown(_ key: String) -> String? { run[key].map { singleLine($0) } }

  private var title: String {
    guard let summary = run.summary else { return "\(model): not finished" }
    if let accuracy = summary.testAccuracy { return "\(model): \(fixed(accuracy * 100, 2)) % test accuracy" }
    return "\(model): test \(lossName) \(fixed(summary.testLoss, 4))"
  }

  /// The unit of a loss that is no accuracy's.
  private var lossName: String { run.summary?.testErrors == nil ? "loss" : "mean squared error" }

  private var subtitle: String {
    var parts: [String] = []
    if let parameters = run["parameters"].flatMap({ Int($0) }) { parts.append("\(grouped(parameters)) parameters") }
    if let data = shown("data") { parts.append("trained on \(data)") }
    if let ranks = run["ranks"] { parts.append("\(ranks) rank\(ranks == "1" ? "" : "s")") }
    if let hosts = run["hosts"], hosts != "1" { parts.append("\(hosts) hosts") }
    if let processor = shown("processor") { parts.append(processor) }
    return parts.joined(separator: " · ")
  }

  /// A figure at the top of the page.
  private struct Tile {
    let name: String
    let value: String
    var kind = ""
  }

  private var tiles: [Tile] {
    guard let summary = run.summary else {
      let last = run.epochs.last
      return [
        Tile(
          name: "\(run.unit)s", value: "\(run.epochs.count)\(run["epochs"].map { " of \($0)" } ?? "")", kind: "first"),
        Tile(name: "training loss", value: last?.trainLoss.map { fixed($0, 4) } ?? "–"),
      ]
    }
    var tiles: [Tile] = []
    if let accuracy = summary.testAccuracy {
      tiles.append(Tile(name: "test accuracy", value: fixed(accuracy, 4), kind: "first"))
    }
    tiles.append(Tile(name: "test \(lossName)", value: fixed(summary.testLoss, 4), kind: tiles.isEmpty ? "first" : ""))
    if let f1 = summary.testMetrics?.macro.f1 { tiles.append(Tile(name: "macro F1", value: fixed(f1, 4))) }
    if let error = summary.testMetrics?.calibrationError {
      tiles.append(Tile(name: "calibration error", value: fixed(error, 4)))
    }
    tiles += [
      Tile(name: "samples a second", value: grouped(summary.trainSamplesPerSecond.rounded())),
      Tile(name: "time", value: duration(summary.secondsTotal)),
      Tile(
        name: "core-hours",
        value: fixed(summary.secondsTotal * Double(summary.ranks) / 3600, summary.secondsTotal < 360 ? 4 : 2)),
      Tile(name: "memory a rank, at most", value: "\(grouped(summary.peakResidentBytes / 1_000_000)) MB"),
    ]
    if let spent = summary.privacy {
      tiles.append(Tile(name: "epsilon at delta \(spent.delta)", value: fixed(spent.epsilon, 3)))
    }
    if let joules = summary.joules { tiles.append(Tile(name: "energy of the processors", value: energy(joules))) }
    return tiles
  }

  private func energy(_ joules: Double) -> String {
    joules < 100_000 ? "\(grouped(joules.rounded())) J" : "\(fixed(joules / 3_600_000, 3)) kWh"
  }

  private var timesText: String {
    let sums: [Double] = [\EpochFigures.computeSeconds, \.communicationSeconds, \.waitingSeconds, \.evaluationSeconds]
      .map { key in
        run.epochs.reduce(0) { $0 + $1[keyPath: key] }
      }
    let whole = max(sums.reduce(0, +), .leastNonzeroMagnitude)
    let parts = zip(["Compute", "communication", "waiting", "evaluation"], sums).map { "\($0) \(percent($1 / whole))" }
    let ranks = Set(run.epochs.map(\.slowestRank)).sorted()
    let slowest =
      run["ranks"] == "1"
      ? ""
      : " Slowest rank: \(ranks.prefix(12).map { "\($0)" }.joined(separator: ", "))\(ranks.count > 12 ? ", …" : "")."
    return parts.joined(separator: ", ") + "." + slowest
  }

  /// A line of the table of facts.
  private struct Fact {
    let name: String
    let value: String
  }

  private var facts: [Fact] {
    run.configuration.filter { $0.key != "command" }.map {
      Fact(name: singleLine($0.key.replacing("_", with: " ")), value: singleLine(RecordedRun.text($0.value)))
    }
  }
}

/// `word` as a shell reads it as one word.
func shellWord(_ word: String) -> String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-".utf8)
  guard word.isEmpty || !word.utf8.allSatisfy(plain.contains) else { return word }
  return "'\(word.replacing("'", with: "'\\''"))'"
}
