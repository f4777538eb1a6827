import Checkpoints
import Datasets
import FoundationEssentials
import Tensors
import Training

/// Writes the run directory's files for programs: `config.json` at the start, and `data-report.json` if the data are a
/// table, a line of `metrics.jsonl` after each epoch, and one of `metrics.csv` if it is asked for, `summary.json` at the
/// end. All but the metrics are replaced whole, so a reader never sees half of one. A line of metrics without an end is
/// still being written.
public final class RunRecord: Observer {
  /// The forms in which the figures of the epochs are written.
  public enum MetricsFormat: String, Sendable, CaseIterable {
    /// `metrics.jsonl`: a JSON object a line.
    case jsonl
    /// Also `metrics.csv`: the same figures, a column each, with a header; empty where a figure was not measured.
    case csv
  }

  /// The run's directory, which the trainer makes.
  private var directory = "."
  private var run: RunDescription?
  private var metrics = GrowingFile("metrics.jsonl")
  /// `metrics.csv`; nil if it is not asked for.
  private var table: GrowingFile?
  private let data: CSVReport?
  private let format: MetricsFormat
  private let dataName: String?
  private let command: [String]?

  /// A record of a run that has a directory.
  ///
  /// - Parameters:
  ///   - data: the report of the table that it is trained on, if it is one.
  ///   - dataName: the name by which the program finds the data, if it has one.
  ///   - command: the words of the command that does the run again, if there is one.
  ///   - format: the forms in which the figures of the epochs are written.
  public init(
    data: CSVReport? = nil, dataName: String? = nil, command: [String]? = nil, metrics format: MetricsFormat = .jsonl
  ) {
    (self.data, self.dataName, self.command, self.format) = (data, dataName, command, format)
  }

  public func began(_ run: RunDescription) throws(TrainingError) {
    directory = run.options.directory ?? "."
    self.run = run
    let earlier = run.resumedAtStep > 0 ? try earlierMetrics(of: run) : nil
    metrics = earlier?.file ?? GrowingFile("\(directory)/metrics.jsonl")
    let lines = [EpochFigures.csvHeader] + (earlier?.epochs ?? []).map(\.csvRow)
    let content = Array(lines.map { $0 + "\n" }.joined().utf8)
    if format == .csv { table = GrowingFile("\(directory)/metrics.csv", replacedBy: content) }
    for name in ["config.json", "data-report.json", "metrics.jsonl", "metrics.csv", "summary.json"] {
      try writing(try AtomicFile.removeLeftover(of: "\(directory)/\(name)"))
    }
    if format == .csv {
      try write("metrics.csv", content)
      table = GrowingFile("\(directory)/metrics.csv", holding: content.count)
    }
    let (recipe, options) = (run.recipe, run.options)
    try write(
      "config.json",
      Configuration(
        model: recipe.model.name, task: recipe.loss.name, epochs: recipe.epochs,
        globalBatch: recipe.globalBatch, microbatch: run.microbatch, optimizer: recipe.optimizer.name,
        optimizerSettings: Dictionary(
          uniqueKeysWithValues: recipe.optimizer.settings.map { ($0.key, $0.value) }),
        lossSettings: recipe.loss.settings.isEmpty
          ? nil : Dictionary(uniqueKeysWithValues: recipe.loss.settings.map { ($0.key, $0.value) }),
        learningRate: recipe.learningRate, schedule: recipe.schedule.rawValue,
        warmup: recipe.warmup, seed: recipe.seed,
        reduction: recipe.reduction.rawValue, checkpointEvery: "\(options.checkpointEvery)",
        keep: options.keep, clipNorm: recipe.clipNorm, sampleClipNorm: recipe.sampleClipNorm,
        onNonFinite: run.execution.onNonFinite.rawValue, maxSteps: options.maxSteps, ranks: run.ranks, hosts: run.hosts,
        augment: recipe.augmentation?.description, subset: recipe.subset, validation: recipe.validation,
        earlyStopping: options.earlyStopping, saveBest: options.savesBest ? true : nil, initFrom: recipe.initialWeights,
        freeze: recipe.frozen.isEmpty ? nil : recipe.frozen.map(\.pattern), ema: recipe.ema,
        scaleLearningRate: recipe.rateScaling?.rawValue,
        scaledLearningRate: recipe.rateScaling.map { _ in recipe.scaledLearningRate },
        parameters: run.parameters, samples: run.samples, data: dataName,
        federation: run.federation.map { federation in
          Dictionary(uniqueKeysWithValues: federation.settings.map { ($0.key, $0.value) })
        }, processor: ProcessFacts.processorModel,
        precision: recipe.precision.rawValue, program: options.program, command: command)
    )
    if let data { try write("data-report.json", data) }
  }

  /// `metrics.jsonl` of the run that this one resumes, and its epochs for `metrics.csv`. The next line removes the lines
  /// of epochs that this run will finish again, and a line without an end.
  ///
  /// There can be such lines because an epoch's line is written before its checkpoint, and also if the run stops inside
  /// it. Throws with 65 if the file is not a regular one or cannot be read.
  private func earlierMetrics(
    of run: RunDescription
  ) throws(TrainingError) -> (file: GrowingFile, epochs: [EpochFigures]) {
    struct Line: Decodable {
      let step: Int
      let epoch: Int
    }
    let lastEpoch = run.isComplete ? Int.max : run.epochsDone
    let path = "\(directory)/metrics.jsonl"
    guard FileManager.default.fileExists(atPath: path) else { return (GrowingFile(path), []) }
    // Reading a pipe would wait for ever for a writer.
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType == .typeRegular else {
      throw TrainingError(.badData, "\(path): is not a regular file; remove it, or give another \(Setting.directory)")
    }
    guard let earlier = FileManager.default.contents(atPath: path) else {
      throw TrainingError(.badData, "\(path): cannot be read, and must not be lost; check its permissions and the disk")
    }
    let decoder = RunJSON.decoder
    let end = UInt8(ascii: "\n")
    let whole = earlier.lastIndex(of: end).map { earlier[...$0] } ?? earlier.prefix(0)
    let lines = whole.split(separator: end).filter { line in
      (try? decoder.decode(Line.self, from: line)).map { $0.step <= run.resumedAtStep && $0.epoch <= lastEpoch } ?? true
    }
    let kept = lines.flatMap { Array($0) + [end] }
    return (
      kept.count == earlier.count ? GrowingFile(path, holding: kept.count) : GrowingFile(path, replacedBy: kept),
      format == .csv ? lines.compactMap { EpochFigures(line: $0) } : []
    )
  }

  public func endedEpoch(_ report: EpochReport) throws(TrainingError) {
    guard let run else { return }
    let figures = EpochFigures(report, of: run)
    let line = try encoded(figures, pretty: false)
    // A line that cannot be written waits in its file for the next one, so both files get theirs.
    let written = Result { () throws(TrainingError) in try writing(try metrics.append(line + [UInt8(ascii: "\n")])) }
    try writing(try table?.append(Array("\(figures.csvRow)\n".utf8)))
    try written.get()
  }

  public func ended(_ summary: TrainingSummary) throws(TrainingError) {
    try write("summary.json", summary)
    try writing(try metrics.finish())
    try writing(try table?.finish())
  }

  private func write(_ name: String, _ value: some Encodable) throws(TrainingError) {
    try write(name, try encoded(value, pretty: true) + [UInt8(ascii: "\n")])
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws(TrainingError) {
    try writing(try AtomicFile.write(bytes, to: "\(directory)/\(name)"))
  }

  /// `value` as JSON.
  private func encoded(_ value: some Encodable, pretty: Bool) throws(TrainingError) -> [UInt8] {
    do { return try RunJSON.bytes(of: value, isPretty: pretty) } catch {
      throw TrainingError(.cannotWrite, "\(directory): cannot be described in JSON: \(error)")
    }
  }
}

private struct Configuration: Encodable {
  var model: String
  var task: String
  var epochs: Int
  var globalBatch: Int
  var microbatch: Int
  var optimizer: String
  /// The optimizer's constants that are not the usual ones.
  var optimizerSettings: [String: String]
  /// The classes' weights and the label smoothing, if there are any.
  var lossSettings: [String: String]?
  var learningRate: Float
  var schedule: String
  var warmup: Int
  var seed: UInt64
  var reduction: String
  var checkpointEvery: String
  var keep: Int
  var clipNorm: Float?
  var sampleClipNorm: Float?
  var onNonFinite: String
  var maxSteps: Int?
  var ranks: Int
  var hosts: Int
  // Only where they are set.
  var augment: String?
  var subset: Int?
  var validation: Float?
  var earlyStopping: Int?
  var saveBest: Bool?
  var initFrom: String?
  var freeze: [String]?
  var ema: Float?
  var scaleLearningRate: String?
  var scaledLearningRate: Float?
  var parameters: Int
  /// The samples of an epoch.
  var samples: Int
  var data: String?
  /// The clients of a federated run: the lines of its recipe.
  var federation: [String: String]?
  /// That of rank 0's host.
  var processor: String
  var precision: String
  /// The program's version.
  var program: String
  var command: [String]?

  enum CodingKeys: String, CodingKey {
    case model, task, epochs, microbatch, optimizer, schedule, warmup, seed, reduction, keep, ranks, hosts
    case globalBatch = "global_batch"
    case optimizerSettings = "optimizer_settings"
    case lossSettings = "loss_settings"
    case learningRate = "learning_rate"
    case checkpointEvery = "checkpoint_every"
    case clipNorm = "clip_norm"
    case sampleClipNorm = "sample_clip_norm"
    case onNonFinite = "on_nonfinite"
    case maxSteps = "max_steps"
    case augment, subset, validation, freeze, ema, parameters, samples, data, federation, processor, precision, program,
      command
    case earlyStopping = "early_stopping"
    case saveBest = "save_best"
    case initFrom = "init_from"
    case scaleLearningRate = "scale_learning_rate"
    case scaledLearningRate = "scaled_learning_rate"
  }
}
