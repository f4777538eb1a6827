import Console
import Fairness
import FoundationEssentials
import Mustache
import Tensors
import Training

/// A model card of a finished run: the sections of Mitchell et al. 2019, "Model Cards for Model Reporting", behind the header in YAML that
/// Hugging Face's hub reads.
///
/// What nobody but its maker knows (what it is for, its licence) is asked for, and said to be missing where it is.
public struct ModelCard {
  /// What the run's files do not tell.
  public struct Statements: Sendable {
    /// The uses that the model is meant for.
    public var use: String?
    /// Those whom it is meant for.
    public var users: String?
    /// The uses that it is not meant for.
    public var misuse: String?
    /// The licence's identifier, such as `apache-2.0`.
    public var license: String?
    /// Who answers for the model, and how to reach them.
    public var contact: String?

    /// Nothing stated.
    public init() {}
  }

  private let run: RecordedRun
  private let summary: TrainingSummary
  private let statements: Statements
  private let digests: (training: String, test: String)?

  /// The card of `run`. `digests` are the SHA-256 of the training and test data, as its checkpoint holds them; nil if there is none.
  ///
  /// Throws ``TrainingError`` with 65 if the run is not finished.
  public init(_ run: RecordedRun, _ statements: Statements, digests: (training: String, test: String)?) throws {
    guard let summary = run.summary else {
      throw TrainingError(
        .badData, "\(run.directory): is not finished, so it has no figures for a card; end the run first")
    }
    (self.run, self.summary, self.statements, self.digests) = (run, summary, statements, digests)
  }

  /// The card as Markdown.
  public var markdown: String {
    get throws { try PageTemplates.library().render(context, withTemplate: "card") ?? "" }
  }

  /// The text of a key of the configuration, as a part of a line of Markdown; nil if it is missing.
  private func shown(_ key: String) -> String? { run[key].map { Self.plain($0) } }

  /// `text` as one line that Markdown shows as it is, also inside of a table.
  package static func plain(_ text: String) -> String {
    let special = Set("\\`*_{}[]<>#|~")
    return singleLine(text).reduce(into: "") { line, character in
      if special.contains(character) { line.append("\\") }
      line.append(character)
    }
  }

  /// `text` as YAML reads it, whatever is in it: in double quotes, as JSON would have it.
  private static func quotedForYAML(_ text: String) -> String {
    "\""
      + singleLine(text).reduce(into: "") { line, character in
        if character == "\"" || character == "\\" { line.append("\\") }
        line.append(character)
      } + "\""
  }

  /// The hub's name for what the model does.
  private var task: String {
    let isTable = run["data"]?.hasSuffix(".csv") == true
    if summary.testErrors != nil { return "tabular-regression" }
    guard summary.testMetrics != nil else { return "unconditional-image-generation" }
    return isTable ? "tabular-classification" : "image-classification"
  }

  /// A figure in the header and in a table: its name there, the hub's name, and its value.
  private struct Figure {
    let name: String
    let type: String
    let value: String
  }

  /// `value` as a number to every reader of YAML: those of version 1.1 take `1e-05` for a text.
  package static func number(_ value: Double) -> String {
    let text = "\(value)"
    return text.contains(".") ? text : text.replacing("e", with: ".0e")
  }

  private var figures: [Figure] {
    var figures: [Figure] = []
    func add(_ name: String, _ type: String, _ value: Double?) {
      if let value, value.isFinite { figures.append(Figure(name: name, type: type, value: Self.number(value))) }
    }
    add("test accuracy", "accuracy", summary.testAccuracy)
    add("macro F1", "f1", summary.testMetrics?.macro.f1)
    add("mean squared error", "mse", summary.testErrors?.mse)
    add("mean absolute error", "mae", summary.testErrors?.mae)
    if summary.testErrors == nil { add("test loss", "loss", summary.testLoss) }
    add("calibration error", "expected_calibration_error", summary.testMetrics?.calibrationError)
    return figures
  }

  private var context: [String: Any] {
    let data = run["data"] ?? "unknown"
    var context: [String: Any] = [
      "name": Self.plain(summary.model), "quotedName": Self.quotedForYAML(summary.model), "task": task,
      "quotedData": Self.quotedForYAML(data), "data": Self.plain(data), "figures": figures,
      "parameters": grouped(summary.parameters), "program": shown("program") ?? lockstepVersion,
      "optimizer": shown("optimizer") ?? "", "epochs": summary.epochs, "unit": run.unit, "batch": summary.globalBatch,
      "seed": "\(summary.seed)",
      "rate": shown("learning_rate") ?? "", "digest": summary.weightsDigest,
      "ranks": "\(summary.ranks) rank\(summary.ranks == 1 ? "" : "s")",
      "processor": shown("processor") ?? "an unknown processor", "time": duration(summary.secondsTotal),
      "hours": fixed(summary.secondsTotal * Double(summary.ranks) / 3600, 4),
      "use": statements.use.map(Self.plain) ?? "Not stated.",
      "users": statements.users.map(Self.plain) ?? "Not stated.",
      "misuse": statements.misuse.map(Self.plain) ?? "Not stated.",
      "contact": statements.contact.map(Self.plain) ?? "Not stated.",
      "license": statements.license.map(Self.plain) ?? "Not stated.", "limits": limits,
      "objective": shown("task") ?? "unknown",
    ]
    if let federation = shown("federation") { context["federation"] = federation }
    if let date { context["date"] = date }
    if let decision { context["decision"] = decision }
    if let line = run.data?.line { context["preparation"] = Self.plain(line) }
    let groups = run.groups.map { GroupsContext($0, shown: Self.plain) }
    context["hasGroups"] = !groups.isEmpty
    context["groups"] = groups
    context["factors"] = groups.map(\.by).joined(separator: ", ")
    if let license = statements.license { context["quotedLicense"] = Self.quotedForYAML(license) }
    if let digests { context["digests"] = ["training": digests.training, "test": digests.test] }
    if let command = run.command { context["command"] = singleLine(command.map(shellWord).joined(separator: " ")) }
    if let joules = summary.joules { context["energy"] = grouped(joules.rounded()) }
    if let spent = summary.privacy { context["privacy"] = PrivacyText(spent) }
    if let report = summary.testMetrics {
      let classes = ClassesContext(report)
      context["classes"] = [
        "samples": classes.samples, "accuracy": classes.accuracy,
        "rows": classes.rows.map { ClassesContext.Row(name: Self.plain($0.name), cells: $0.cells) },
      ]
    }
    return context
  }

  /// The day on which the run ended, 2026-11-29, as its summary was written then.
  private var date: String? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(run.directory)/summary.json")
    return (attributes?[.modificationDate] as? Date)?.formatted(.iso8601.year().month().day())
  }

  /// How an output becomes a class; nil where it does not.
  private var decision: String? {
    guard summary.testMetrics != nil else { return nil }
    return run["task"]?.hasPrefix("binary") == true
      ? "A sample is taken for the positive class if its probability is above 0.5."
      : "A sample is taken for the class with the highest probability."
  }

  /// The privacy that the weights have cost, in words.
  private struct PrivacyText {
    let epsilon, delta, conversion, noise, rate, steps: String
    let isRepeatable: Bool

    init(_ spent: PrivacySpent) {
      (epsilon, delta, conversion) = (fixed(spent.epsilon, 4), "\(spent.delta)", spent.conversion)
      (noise, rate, steps) = ("\(spent.noiseMultiplier)", "\(spent.sampleRate)", grouped(spent.steps))
      isRepeatable = !spent.isSecret
    }
  }

  /// What the figures themselves warn of.
  private var limits: [String] {
    var lines: [String] = []
    if let classes = summary.testMetrics?.classes.filter({ $0.samples > 0 }),
      let worst = classes.min(by: { $0.recall < $1.recall }), let best = classes.max(by: { $0.recall < $1.recall })
    {
      lines.append(
        "Classes are not told equally well: recall is \(fixed(worst.recall, 4)) for \(Self.plain(worst.name)) and "
          + "\(fixed(best.recall, 4)) for \(Self.plain(best.name)).")
      if let rare = classes.min(by: { $0.samples < $1.samples }), rare.samples < 100 {
        lines.append("Class \(Self.plain(rare.name)) has only \(rare.samples) test samples.")
      }
    }
    for report in run.groups {
      if let widest = GroupFigure.allCases.filter({ $0 != .logLoss }).compactMap({ figure in
        report.difference[figure].map { (figure: figure, value: $0.value) }
      }).max(by: { $0.value < $1.value }) {
        lines.append(
          "Groups by \(Self.plain(report.by)) differ most in \(widest.figure.words), by \(fixed(widest.value, 4)).")
      }
      lines += report.warnings.map { "By \(Self.plain(report.by)): \(Self.plain($0))." }
    }
    lines.append("The figures hold for data like the test data. Nothing is known of others.")
    if summary.privacy == nil {
      lines.append("Training was not private: the weights may tell of single training samples.")
    }
    return lines
  }
}
