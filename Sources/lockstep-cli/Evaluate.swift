import ArgumentParser
import Lockstep

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a checkpoint on the test data.",
    discussion: "Example: lockstep evaluate runs/first --data mnist")

  @Argument(help: "A checkpoint, or a run directory, whose newest whole checkpoint is meant.")
  var checkpoint: String

  @OptionGroup var best: BestOption

  @OptionGroup var data: DataOptions

  @OptionGroup var labels: LabelOptions

  @OptionGroup var testData: TestDataOption

  @Option(
    help: ArgumentHelp(
      """
      Writes the network's outputs and the targets to \(OutputsFile.forms): a line a sample, of its logits and then its \
      target, or two tensors, logits and targets.
      """, valueName: "file"))
  var writeLogits: String?

  @OptionGroup var groups: GroupOptions

  @Option(
    help: ArgumentHelp(
      "Writes the groups' figures, with all intervals, as JSON. report and card show those in a run directory's groups.json.",
      valueName: "file"))
  var writeGroups: String?

  @Flag(help: "Prints a JSON object: the checkpoint, the loss, the report of the classes and the groups' figures.")
  var json = false

  @OptionGroup var strictness: StrictOption

  func validate() throws {
    guard testData.testData == nil || data.isTable else {
      throw ValidationError("--test-data needs a table: give --data FILE.csv, the file that was trained on")
    }
    try labels.check(data)
    try groups.check(data)
    guard writeGroups == nil || groups.isGiven else {
      throw ValidationError("--write-groups needs --groups or --groups-file")
    }
    if let writeLogits, logitsFile == nil {
      throw ValidationError(
        "--write-logits \(escaped(writeLogits)) is none of the files that it writes; give \(OutputsFile.forms)")
    }
  }

  private var logitsFile: OutputsFile? { writeLogits.flatMap { OutputsFile($0) } }

  func run() throws {
    let world = try joinedWorld()
    // Ranks that have different kinds of data, or look for other checkpoints, would run different collectives.
    try world.requireEqual([("data", data.isTable ? "a table" : "images"), ("best", "\(best.best)")])
    let checkpoint = try best.checkpoint(checkpoint, strict: strictness.strict, on: world)
    let test = try waiting(while: "reading \(data.data)") { try load(checkpoint, world) }
    let found = try waiting(while: "finding the groups") { try groups.load(test.samples, of: test.parts, on: world) }
    let restored = try waiting(while: "reading the checkpoint") {
      try RestoredNetwork(
        checkpoint, for: test.samples, strict: strictness.strict, program: lockstepVersion, communicator: world
      ) { Terminal.complain("warning: \($0)") }
    }
    let figures = try world.agree { try GroupOptions.figures(of: found, restored.network.loss) }
    let evaluation = Evaluation(
      network: restored.network, data: restored.data, communicator: world, metrics: figures)
    let result = try waiting(while: "evaluating on \(grouped(restored.data.count)) samples") {
      try evaluation.run(restored.parameters)
    }
    try waiting(while: "writing \(writeLogits ?? "")") {
      try world.agree {
        if let logitsFile, world.rank == 0 { try evaluation.writeOutputs(restored.parameters, to: logitsFile) }
      }
    }
    guard world.rank == 0 else { return }
    let reports = try waiting(while: "working out the groups' figures") {
      let reports = zip(figures, result.counters).map { $0.report($1) }
      if let writeGroups { try GroupsFile(step: restored.state.step, groups: reports).write(to: writeGroups) }
      return reports
    }
    if json {
      print(try EvaluationJSON(restored, result, reports).text)
    } else {
      show(restored, result, reports)
    }
  }

  private func show(_ restored: RestoredNetwork, _ result: Evaluation.Result, _ groups: [GroupReport]) {
    print(
      "\(singleLine(restored.path)): epoch \(restored.state.epoch), step \(restored.state.step)"
        + (restored.isAveraged ? ", averaged weights" : ""))
    if let report = result.report { print(ReportTable(report).text) }
    for report in groups { print(GroupTable(report).text) }
    for line in reportLines(of: restored.network.loss, result.report, result.errors) { print(line) }
    print("Test \(restored.network.loss.unit): \(fixed(result.sums.meanLoss, 4))")
    if let accuracy = result.accuracy { print("Test accuracy: \(fixed(accuracy, 4))") }
  }

  /// The test samples, and the table that they are from; nil of images. Those of a table are prepared as the checkpoint's recipe says, with the file that was trained on.
  private func load(
    _ checkpoint: String, _ world: any Communicator
  ) throws -> (samples: any Dataset, parts: CSVParts?) {
    guard data.isTable else { return (try world.agree { try labels.choose(data.load(.test)) }, nil) }
    let parts = try RunData.parts(
      ofTableOf: checkpoint, data: data.data, testData: testData.testData, strict: strictness.strict, on: world)
    return (parts.test, parts)
  }
}
