import ArgumentParser
import Lockstep

/// `lockstep audit`: attacks on what models tell of their training data.
struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Attacks a model's privacy: who was in its training data, and how much epsilon it spends at least.",
    discussion: """
      Of a run directory or checkpoint, tells members from others by the model's loss (Yeom et al. 2018): its training data from the test data. \
      With --shadows, trains a model on a random half of the training data and shadow models on others, and attacks it by likelihood \
      ratios too (LiRA, Carlini et al. 2022). With --canaries, trains one model with odd samples, each in or out by a coin, and bounds \
      epsilon from below by how well the coins are guessed (Steinke et al. 2023). The flags of the recipe are those of train.

      Examples: lockstep audit runs/first
                lockstep audit --shadows 16 --model mlp --subset 2000 --epochs 50
                mpirun -n 4 lockstep audit --canaries 1000 --config runs/first/config.json
      """)

  @Argument(help: "A checkpoint or run directory to be audited; none with --shadows or --canaries.")
  var checkpoint: String?

  @Option(help: "Trains this number of shadow models, even and at least 4, and attacks one more.")
  var shadows: Int?

  @Option(help: "Trains a model with this number of canaries, at least 16.")
  var canaries: Int?

  @Option(help: "--canaries: what they are: mislabelled, samples with wrong labels, or noise, random pixels.")
  var canaryKind: CanaryData.Kind?

  @Option(help: "The part of cases in which intervals and bounds are to hold.")
  var confidence = 0.95

  @Flag(help: "Prints a JSON object.")
  var json = false

  @Option(help: ArgumentHelp("Draws the attacks' curves, with logarithmic axes, into an SVG file.", valueName: "file"))
  var roc: String?

  @Option(help: "--shadows: keeps what is finished in this directory, so that an audit that was stopped goes on.")
  var runDir: String?

  @Option(help: ArgumentHelp("Takes flags from a file, as train does, such as a run's config.json.", valueName: "file"))
  var config: String?

  @OptionGroup var data: DataOptions

  @OptionGroup var labels: LabelOptions

  @OptionGroup var table: TableOptions

  @OptionGroup var recipe: RecipeOptions

  @OptionGroup var regime: RegimeOptions

  @OptionGroup var task: TaskOptions

  // A negative number is a wrong value, not a flag.
  @Option(
    parsing: .unconditional,
    help: "What halves, canaries and coins, first weights and the order of the samples follow from. (default: 0)")
  var seed: UInt64?

  @OptionGroup var control: ControlOptions

  @OptionGroup var privacy: PrivacyOptions

  @OptionGroup var best: BestOption

  @OptionGroup var strictness: StrictOption

  @OptionGroup var stall: StallOptions

  /// The flags of a run's command that an audit by its recipe has no use for: it chooses its samples itself, and trains to the end.
  static let flagsOfRunsAlone: Set<String> = ["validation", "early-stopping", "save-best", "max-time", "run-dir"]

  /// The flags that go with a checkpoint, whose recipe is not asked for.
  private static let ofCheckpoints: Set<String> = [
    "--confidence", "--json", "--roc", "--data", "--labels", "--test-data", "--best", "--strict", "--delta",
    "--conversion",
    "--stall-warning", "--stall-timeout",
  ]

  func validate() throws {
    try labels.check(data)
    let ways = [checkpoint != nil, shadows != nil, canaries != nil].count { $0 }
    guard ways == 1 else {
      throw ValidationError(
        "\(ways == 0 ? "nothing to audit" : "these exclude each other"); give a run directory, --shadows N or --canaries N"
      )
    }
    guard confidence > 0 && confidence < 1 else {
      throw ValidationError("--confidence \(confidence) is not between 0 and 1")
    }
    if checkpoint != nil {
      let flags = CommandLine.arguments.dropFirst().filter { $0.hasPrefix("--") }.map {
        String($0.prefix { $0 != "=" })
      }
      if let flag = flags.first(where: { !Self.ofCheckpoints.contains($0) }) {
        throw ValidationError("\(escaped(flag)) is for audits that train; a checkpoint has its own recipe")
      }
    }
    if best.best && checkpoint == nil { throw ValidationError("--best needs a run directory") }
    if canaryKind != nil && canaries == nil { throw ValidationError("--canary-kind needs --canaries") }
    for (flag, value) in [("--roc", roc), ("--run-dir", runDir)] where value == "" {
      throw ValidationError("\(flag) needs a name")
    }
    guard canaries == nil || (runDir == nil && roc == nil) else {
      throw ValidationError("--run-dir and --roc are not for --canaries, which trains one model and draws no curve")
    }
    guard !recipe.measuresBatch else { throw ValidationError("--global-batch auto is not for audits; give a number") }
    guard control.maxTime == nil else { throw ValidationError("--max-time is not for audits") }
    if regime.earlyStopping != nil || regime.saveBest {
      throw ValidationError("--early-stopping and --save-best are not for audits, which train to the end")
    }
  }

  func run() throws {
    let world = try waiting(while: "waiting for the other ranks") { try World.join(stall.limits) }
    try world.requireEqual([("audit", "\(checkpoint ?? "") \(shadows ?? 0) \(canaries ?? 0)"), ("json", "\(json)")])
    if let checkpoint {
      try show(attack(checkpoint, world), world)
    } else {
      let data = try waiting(while: "reading \(data.data)") {
        try world.agree { try task.load(self.data, labels, table, for: self.recipe) }
      }
      let recipe = try world.agree { try makeRecipe(data) }
      if let canaries { try show(run(canaries, recipe, data, world), world) }
      if let shadows { try show(train(shadows, recipe, data, world), world) }
    }
  }

  private func makeRecipe(_ data: RunData) throws -> Recipe {
    var recipe = try task.makeRecipe(self.recipe, for: data)
    recipe.seed = seed ?? 0
    recipe.clipNorm = control.clipNorm
    recipe.sampleClipNorm = control.sampleClipNorm
    privacy.apply(to: &recipe, seed: seed)
    var options = RunOptions()
    try regime.apply(to: &recipe, &options)
    return recipe
  }

  /// Attacks the model of `path`.
  private func attack(_ path: String, _ world: any Communicator) throws -> MembershipReport {
    try world.requireEqual([("data", data.isTable ? "a table" : "images"), ("best", "\(best.best)")])
    let path = try best.checkpoint(path, strict: strictness.strict, on: world)
    let trained = try RestoredNetwork.recipe(of: path, strict: strictness.strict, communicator: world)
    let (training, test) = try waiting(while: "reading \(data.data)") { try load(path, trained, world) }
    let members = try world.agree { try samples(of: training, trained, path) }
    let restored = try waiting(while: "reading the checkpoint") {
      try RestoredNetwork(
        path, for: test, strict: strictness.strict, program: lockstepVersion, communicator: world
      ) { Terminal.complain("warning: \($0)") }
    }
    let epsilon = try world.agree {
      try PrivacyLedger(recipe: trained, step: restored.state.step).map {
        try RDPAccountant($0).epsilon(delta: privacy.noise.delta, conversion: privacy.noise.conversion).epsilon
      }
    }
    var audit = MembershipAudit()
    audit.confidence = confidence
    return try waiting(while: "asking the model about \(grouped(members.count + test.count)) samples") {
      try audit.attack(
        restored.network, parameters: restored.parameters, members: members, others: restored.data, epsilon: epsilon,
        on: world)
    }
  }

  /// Both parts of the data of the run that `path` is of.
  private func load(
    _ path: String, _ trained: Fingerprint, _ world: any Communicator
  ) throws -> (training: any Dataset, test: any Dataset) {
    guard data.isTable else {
      return try world.agree { (try labels.choose(data.load(.train)), try labels.choose(data.load(.test))) }
    }
    let parts = try RunData.parts(
      ofTableOf: path, data: data.data, testData: table.test.testData, strict: strictness.strict, on: world)
    return (parts.training, parts.test)
  }

  /// The samples that the run of `path` was trained on, by its recipe. Throws with 65 if `training` are other data.
  private func samples(of training: any Dataset, _ trained: Fingerprint, _ path: String) throws -> any Dataset {
    guard trained["training_data"] == training.digest.hex else {
      throw TrainingError(
        .badData,
        "\(path): was trained on other data (training_data is \(escaped(trained["training_data"] ?? "not given")) there and "
          + "\(training.digest) here); give \(Setting.data) those of its run")
    }
    do {
      return try TrainingParts(
        of: training, subset: trained["subset"].flatMap { Int($0) },
        validation: trained["validation"].flatMap { Float($0) },
        seed: trained["seed"].flatMap { UInt64($0) } ?? 0
      ).training
    } catch {
      throw TrainingError(.badData, "\(path): \(error)")
    }
  }

  private func train(
    _ shadows: Int, _ recipe: Recipe, _ data: RunData, _ world: any Communicator
  ) throws -> MembershipReport {
    var audit = MembershipAudit()
    (audit.shadows, audit.confidence) = (shadows, confidence)
    let wait = AuditWait()
    defer { wait.end() }
    return try audit.run(
      recipe, training: data.training, test: data.test, directory: runDir, on: world, entered: wait.begin)
  }

  private func run(
    _ canaries: Int, _ recipe: Recipe, _ data: RunData, _ world: any Communicator
  ) throws -> CanaryReport {
    var audit = CanaryAudit()
    (audit.canaries, audit.kind, audit.confidence) = (canaries, canaryKind ?? .mislabelled, confidence)
    audit.delta = privacy.noise.delta
    var execution = Execution()
    control.apply(to: &execution)
    let wait = AuditWait()
    defer { wait.end() }
    return try audit.run(
      recipe, training: data.training, test: data.test, execution: execution, on: world, observers: [wait],
      entered: wait.begin)
  }

  private func show(_ report: MembershipReport, _ world: any Communicator) throws {
    if world.rank == 0 {
      if json { try printJSON(report) } else { for line in AuditText.lines(report) { print(line) } }
    }
    // Last, so that the figures are not lost if it fails.
    try world.agree {
      guard let roc, world.rank == 0 else { return }
      try AtomicFile.write(Array(report.chart.file.utf8), to: roc)
    }
  }

  private func show(_ report: CanaryReport, _ world: any Communicator) throws {
    guard world.rank == 0 else { return }
    if json { try printJSON(report) } else { for line in AuditText.lines(report) { print(line) } }
    if report.isAboveAccount {
      Terminal.complain(
        "warning: the canaries show more than the accountant allows for: this training is not as private as it says, or one of the "
          + "few cases has come that the bound's confidence leaves out; try another --seed")
    }
  }

  private func printJSON(_ report: some Encodable) throws {
    print(try RunJSON.text(of: report, isPretty: true))
  }
}

extension CanaryData.Kind: ExpressibleByArgument {}

extension MembershipReport {
  /// The curves of its attacks.
  var chart: ROCChart {
    let curves = attacks.map { attack in
      let curve = attack.curve
      let points = curve.points.map {
        Chart.Point(Double($0.falsePositives) / Double(curve.others), Double($0.truePositives) / Double(curve.members))
      }
      return ROCChart.Curve(attack.name, points)
    }
    return ROCChart(curves, decades: max(members, others) > 10_000 ? 4 : 3)
  }
}
