import Checkpoints
import Exchange
import FoundationEssentials
import Tensors
import Training

/// Writes the run's figures for TensorBoard: an event file in the run directory, with the figures of `metrics.jsonl` and a histogram of each
/// parameter after each epoch, what the tab of hyperparameters shows, and pictures at the end (``add(pictures:)``).
///
/// Each process of a run has a file of its own, from its first epoch on, as TensorBoard expects. A run that goes on removes
/// the steps that it takes again from the earlier files, and its own begins with an event by which a TensorBoard that has
/// read them forgets them. So no step is there twice.
public final class TensorBoardRecord: Observer {
  private static let prefix = "events.out.tfevents."
  /// The end of the names of this program's files. Files of other programs are left alone.
  private static let suffix = ".lockstep"
  /// The beginning of the tags of pictures.
  private static let pictures = "pictures/"

  private var run: RunDescription?
  private var directory = "."
  /// The start of this process's part of the run, in seconds since 1970.
  private var start = 0.0
  /// The time in the name of the newest earlier file, in seconds since 1970; 0 if there is none.
  private var newest = 0
  /// The last step whose events the earlier files keep; −1 if they keep none.
  private var lastKept = -1
  /// Whether the earlier files say which hyperparameters the run has.
  private var hasSession = false
  /// Whether they say that it has ended.
  private var hasEnd = false
  /// Whether they have the pictures of the run's end.
  private var hasPictures = false
  /// This process's file; nil before its first event.
  private var file: GrowingFile?
  /// The last step.
  private var step = 0

  /// A record of a run that has a directory.
  public init() {}

  public func began(_ run: RunDescription) throws(TrainingError) {
    self.run = run
    (directory, start, step) = (run.options.directory ?? ".", now, run.resumedAtStep)
    // An epoch that the run stopped inside has an event, and is gone through to its end again.
    if run.resumedAtStep > 0 { lastKept = run.isComplete ? run.resumedAtStep : run.epochsDone * run.stepsPerEpoch }
    let earlier = try names().filter { $0.hasPrefix(Self.prefix) && $0.hasSuffix(Self.suffix) }
    newest =
      earlier.compactMap { Int($0.dropFirst(Self.prefix.count).prefix { $0.isASCII && $0.isNumber }.prefix(10)) }.max()
      ?? 0
    for name in earlier { try cut("\(directory)/\(name)") }
  }

  public func endedEpoch(_ report: EpochReport) throws(TrainingError) {
    guard let run else { return }
    let figures = EpochFigures(report, of: run)
    step = figures.step
    let scalars = EpochFigures.CodingKeys.allCases.compactMap { Self.scalar($0, figures[$0]) }
    let histograms = zip(report.layout.parameters, report.layout.ranges).compactMap { parameter, range in
      ValueHistogram(report.parameters[range]).map { SummaryValue.histogram("weights/\(parameter.name)", $0) }
    }
    // The histograms stand in an event of their own, behind the scalars that tell TensorBoard of the step.
    try append([.values(scalars), .values(histograms)])
  }

  /// Adds pictures of the finished run, as PNG files' bytes, unless the earlier files have those of its end.
  public func add(pictures: [(name: String, png: [UInt8], rows: Int, columns: Int)]) throws {
    guard run?.options.directory != nil, !hasPictures, !pictures.isEmpty else { return }
    try append([
      .values(
        pictures.map { .image("\(Self.pictures)\($0.name)", png: $0.png, rows: $0.rows, columns: $0.columns) })
    ])
  }

  public func ended(_ summary: TrainingSummary) throws(TrainingError) {
    guard let run, !hasEnd else { return }
    var events = [TensorBoardEvent.Content.values([Hyperparameters.sessionEnd(at: now)])]
    if run.recipe.validation != nil {
      // Epochs had none of the test data.
      let tested = [Self.scalar(.testLoss, summary.testLoss), Self.scalar(.testAccuracy, summary.testAccuracy)]
      events.insert(.values(tested.compactMap { $0 }), at: 0)
    }
    try append(events)
  }

  /// The names in the run directory, once those of files that a killed process did not finish are removed.
  private func names() throws(TrainingError) -> [String] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
      throw TrainingError(.badData, "\(directory): cannot be listed; check its permissions and the disk")
    }
    for name in names where name.hasPrefix(".\(Self.prefix)") && name.hasSuffix("\(Self.suffix).tmp") {
      try writing(try AtomicFile.removeLeftover(of: "\(directory)/\(name.dropFirst().dropLast(".tmp".count))"))
    }
    return names
  }

  /// Removes the events of the earlier file at `path` that this run will write again, and the file if none is left.
  ///
  /// Throws with 65 if the file is not a regular one or cannot be read.
  private func cut(_ path: String) throws(TrainingError) {
    let bytes: [UInt8]
    do { bytes = try fileBytes(path, limit: .max) } catch { throw TrainingError(error) }
    var (kept, hasValues) = ([UInt8](), false)
    for event in EventRecord.contents(of: bytes) {
      guard let head = TensorBoardEvent.Head(of: event), head.step <= lastKept || head.firstTag == nil else { continue }
      // A run that goes on has not ended.
      if head.firstTag == Hyperparameters.sessionEndTag && run?.isComplete != true { continue }
      if head.firstTag == Hyperparameters.sessionEndTag { hasEnd = true }
      if head.firstTag == Hyperparameters.experimentTag { hasSession = true }
      if head.firstTag?.hasPrefix(Self.pictures) == true && run?.isComplete == true && head.step == lastKept {
        hasPictures = true
      }
      if head.firstTag != nil { hasValues = true }
      kept += EventRecord.framed(Array(event))
    }
    if kept.count == bytes.count && hasValues { return }
    if hasValues { return try writing(try AtomicFile.write(kept, to: path)) }
    do { try FileManager.default.removeItem(atPath: path) } catch {
      throw TrainingError(.cannotWrite, "\(path): cannot be removed; check its permissions and the disk")
    }
  }

  /// Adds events of the present step to the file, which the first of them begin.
  private func append(_ contents: [TensorBoardEvent.Content]) throws(TrainingError) {
    guard let run else { return }
    let time = now
    if file == nil {
      // Files are read in the order of their names, so a clock that was set back must not make a smaller one.
      let name = Self.prefix + "\(max(Int(time), newest + 1)).\(Self.host).\(processNumber())"
      var begin = [
        TensorBoardEvent(time: start, step: 0, .version), TensorBoardEvent(time: start, step: lastKept + 1, .start),
      ]
      if !hasSession {
        let recipe = Hyperparameters(of: run)
        begin.append(
          TensorBoardEvent(time: start, step: 0, .values([recipe.experiment, recipe.sessionStart(at: start)])))
      }
      file = GrowingFile("\(directory)/\(name)\(Self.suffix)", binaryAfter: begin.flatMap(\.record))
    }
    let records = contents.flatMap { TensorBoardEvent(time: time, step: step, $0).record }
    try writing(try file?.append(records))
  }

  private var now: Double { Date.now.timeIntervalSince1970 }

  /// The host's name, with hyphens for characters that a file's name had better not have.
  private static var host: String {
    String(ProcessFacts.hostName.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "." ? $0 : "-" })
  }

  private static func scalar(_ key: EpochFigures.CodingKeys, _ value: Double?) -> SummaryValue? {
    guard let value, let tag = tag(of: key) else { return nil }
    return .scalar(tag, value)
  }

  /// The tag of a figure; nil of the step, which every event has beside its values.
  static func tag(of key: EpochFigures.CodingKeys) -> String? {
    switch key {
    case .step: nil
    case .epoch: "epoch"
    case .trainSamples: "train/samples"
    case .trainLoss: "train/loss"
    case .trainAccuracy: "train/accuracy"
    case .learningRate: "train/learning_rate"
    case .skippedSteps: "train/skipped_steps"
    case .testLoss: "test/loss"
    case .testAccuracy: "test/accuracy"
    case .validationLoss: "validation/loss"
    case .validationAccuracy: "validation/accuracy"
    case .samplesPerSecond: "samples_per_second"
    case .seconds: "time/training_seconds"
    case .evaluationSeconds: "time/evaluation_seconds"
    case .computeSeconds: "time/compute_seconds"
    case .communicationSeconds: "time/communication_seconds"
    case .waitingSeconds: "time/waiting_seconds"
    case .slowestRank: "time/slowest_rank"
    case .gradientNorm: "gradient/norm"
    case .gradientNoiseScale: "gradient/noise_scale"
    case .epsilon: "privacy/epsilon"
    case .clients: "clients/in_round"
    case .dropped: "clients/dropped"
    case .stragglers: "clients/stragglers"
    case .updateClip: "clients/update_clip"
    case .clientAccuracy: "clients/accuracy"
    case .clientDeviation: "clients/accuracy_deviation"
    case .worstTenth: "clients/accuracy_worst_tenth"
    case .bestTenth: "clients/accuracy_best_tenth"
    }
  }
}
