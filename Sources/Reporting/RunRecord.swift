import Checkpoints
import Datasets
import FoundationEssentials
import Tensors
import Training

/// Writes the run directory's files for programs: `config.json` at the start, and `data-report.json` if the data are a
/// table, a line of `metrics.jsonl` after each epoch, `summary.json` at the end. All but `metrics.jsonl` are replaced
/// whole, so a reader never sees half of one. A line of `metrics.jsonl` without an end is still being written.
public final class RunRecord: Observer {
  /// The run's directory, which the trainer makes.
  private var directory = "."
  private var metrics = GrowingFile("metrics.jsonl")
  private let data: CSVReport?
  private let dataName: String?
  private let command: [String]?

  /// A record of a run that has a directory.
  ///
  /// - Parameters:
  ///   - data: the report of the table that it is trained on, if it is one.
  ///   - dataName: the name by which the program finds the data, if it has one.
  ///   - command: the words of the command that does the run again, if there is one.
  public init(data: CSVReport? = nil, dataName: String? = nil, command: [String]? = nil) {
    (self.data, self.dataName, self.command) = (data, dataName, command)
  }

  public func began(_ run: RunDescription) throws(TrainingError) {
    directory = run.options.directory ?? "."
    metrics =
      run.resumedAtStep > 0 ? try earlierMetrics(of: run) : GrowingFile("\(directory)/metrics.jsonl")
    for name in ["config.json", "data-report.json", "metrics.jsonl", "summary.json"] {
      try writing(try AtomicFile.removeLeftover(of: "\(directory)/\(name)"))
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
        parameters: run.parameters, samples: run.samples, data: dataName, processor: ProcessFacts.processorModel,
        precision: "fp32", program: options.program, command: command)
    )
    if let data { try write("data-report.json", data) }
  }

  /// `metrics.jsonl` of the run that this one resumes. The next line removes the lines of epochs that this run will
  /// finish again, and a line without an end.
  ///
  /// There can be such lines because an epoch's line is written before its checkpoint, and also if the run stops inside
  /// it. Throws with 65 if the file is not a regular one or cannot be read.
  private func earlierMetrics(of run: RunDescription) throws(TrainingError) -> GrowingFile {
    struct Line: Decodable {
      let step: Int
      let epoch: Int
    }
    let lastEpoch = run.isComplete ? Int.max : run.epochsDone
    let path = "\(directory)/metrics.jsonl"
    guard FileManager.default.fileExists(atPath: path) else { return GrowingFile(path) }
    // Reading a pipe would wait for ever for a writer.
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType == .typeRegular else {
      throw TrainingError(.badData, "\(path): is not a regular file; remove it, or give another \(Setting.directory)")
    }
    guard let earlier = FileManager.default.contents(atPath: path) else {
      throw TrainingError(.badData, "\(path): cannot be read, and must not be lost; check its permissions and the disk")
    }
    let decoder = JSONDecoder()
    let end = UInt8(ascii: "\n")
    let whole = earlier.lastIndex(of: end).map { earlier[...$0] } ?? earlier.prefix(0)
    let kept = whole.split(separator: end).filter { line in
      (try? decoder.decode(Line.self, from: line)).map { $0.step <= run.resumedAtStep && $0.epoch <= lastEpoch } ?? true
    }.flatMap { Array($0) + [end] }
    return kept.count == earlier.count ? GrowingFile(path, holding: kept.count) : GrowingFile(path, replacedBy: kept)
  }

  public func endedEpoch(_ report: EpochReport) throws(TrainingError) {
    let progress = report.training
    let isTest = report.evaluated == .test
    let line = try encoded(
      Epoch(
        epoch: progress.epoch, step: progress.step, trainSamples: progress.samplesCounted,
        trainLoss: measured(progress.loss), trainAccuracy: progress.accuracy.flatMap(measured),
        testLoss: isTest ? report.testLoss : nil, testAccuracy: isTest ? report.testAccuracy : nil,
        validationLoss: isTest ? nil : report.testLoss, validationAccuracy: isTest ? nil : report.testAccuracy,
        samplesPerSecond: progress.samplesPerSecond,
        seconds: progress.seconds, evaluationSeconds: report.evaluationSeconds, computeSeconds: report.time.compute,
        communicationSeconds: report.time.communication, waitingSeconds: report.time.waiting,
        slowestRank: report.time.slowestRank, learningRate: report.learningRate, skippedSteps: report.skippedSteps,
        gradientNorm: report.gradientNorm,
        gradientNoiseScale: report.gradientNoiseScale), pretty: false)
    try writing(try metrics.append(line + [UInt8(ascii: "\n")]))
  }

  /// A mean for JSON; nil, so that its key is left out, for a mean over no samples.
  private func measured(_ value: Double) -> Double? { value.isNaN ? nil : value }

  public func ended(_ summary: TrainingSummary) throws(TrainingError) { try write("summary.json", summary) }

  private func write(_ name: String, _ value: some Encodable) throws(TrainingError) {
    try write(name, try encoded(value, pretty: true) + [UInt8(ascii: "\n")])
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws(TrainingError) {
    try writing(try AtomicFile.write(bytes, to: "\(directory)/\(name)"))
  }

  /// Makes `call`. Its failure ends the run with 73.
  private func writing(_ call: @autoclosure () throws(FileWriteError) -> Void) throws(TrainingError) {
    do { try call() } catch { throw TrainingError(.cannotWrite, error.description) }
  }

  /// `value` as JSON. Numbers that are not finite become strings, because JSON has none.
  private func encoded(_ value: some Encodable, pretty: Bool) throws(TrainingError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    do { return Array(try encoder.encode(value)) } catch {
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
    case augment, subset, validation, freeze, ema, parameters, samples, data, processor, precision, program, command
    case earlyStopping = "early_stopping"
    case saveBest = "save_best"
    case initFrom = "init_from"
    case scaleLearningRate = "scale_learning_rate"
    case scaledLearningRate = "scaled_learning_rate"
  }
}

private struct Epoch: Encodable {
  var epoch: Int
  var step: Int
  var trainSamples: Int
  var trainLoss: Double?
  var trainAccuracy: Double?
  var testLoss: Double?
  var testAccuracy: Double?
  var validationLoss: Double?
  var validationAccuracy: Double?
  var samplesPerSecond: Double
  var seconds: Double
  var evaluationSeconds: Double
  var computeSeconds: Double
  var communicationSeconds: Double
  var waitingSeconds: Double
  var slowestRank: Int
  var learningRate: Double
  var skippedSteps: Int
  var gradientNorm: Double?
  var gradientNoiseScale: Double?

  enum CodingKeys: String, CodingKey {
    case epoch, step, seconds
    case trainSamples = "train_samples"
    case trainLoss = "train_loss"
    case trainAccuracy = "train_accuracy"
    case testLoss = "test_loss"
    case testAccuracy = "test_accuracy"
    case validationLoss = "validation_loss"
    case validationAccuracy = "validation_accuracy"
    case samplesPerSecond = "samples_per_second"
    case evaluationSeconds = "evaluation_seconds"
    case computeSeconds = "compute_seconds"
    case communicationSeconds = "communication_seconds"
    case waitingSeconds = "waiting_seconds"
    case slowestRank = "slowest_rank"
    case learningRate = "learning_rate"
    case skippedSteps = "skipped_steps"
    case gradientNorm = "gradient_norm"
    case gradientNoiseScale = "gradient_noise_scale"
  }
}
