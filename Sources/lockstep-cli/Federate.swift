import ArgumentParser
import FoundationEssentials
import Lockstep

struct Federate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model by federated learning, with simulated clients.",
    discussion: """
      The defaults are those of McMahan et al. 2017: 100 clients, a tenth of them a round, 5 passes over their samples in batches of 10. \
      The ranks share out the clients of a round, and any number of ranks gives the same weights, to the bit. A run that was stopped goes \
      on where it was when the same command is given again with its --run-dir, on as many ranks as you like.

      Example: mpirun -n 2 lockstep federate --model mlp:784-200-200-10 --partition shards:2 --rounds 100 --run-dir runs/first
      """)

  @Option(
    help: ArgumentHelp(
      """
      Takes flags from a JSON or YAML file, or the config.json of a run directory, which does that run again. Flags that are given win over \
      LOCKSTEP_… variables, and these over the file.
      """, valueName: "file"))
  var config: String?

  @OptionGroup var data: DataOptions

  @OptionGroup var labels: LabelOptions

  @OptionGroup var table: TableOptions

  @OptionGroup var clients: ClientOptions

  @Option(help: "The network: \(modelNames). (default: article; CSV: mlp)")
  var model: String?

  @Option(help: "What it learns, as in train. (default: classify; CSV: found from the target)")
  var task: TaskArgument?

  @OptionGroup var pixels: BinariseOption

  @OptionGroup var federation: FederationOptions

  @OptionGroup var privacy: ClientPrivacyOptions

  @Option(help: "Trains on this number of samples, chosen by the seed. (default: all)")
  var subset: Int?

  @Option(
    parsing: .unconditional,
    help: "What the first weights, the clients' samples, their choice and conduct follow from. (default: 0)")
  var seed: UInt64?

  @Flag(
    inversion: .prefixedNo, help: "Ranks of one host add updates in memory that they share; the same bits either way.")
  var sharedMemory = true

  @OptionGroup var files: RunFileOptions

  @Option(help: "When a checkpoint is written: 1round, 10rounds, 10min. (default: 1round; scaffold: 10rounds)")
  var checkpointEvery: RoundInterval?

  @Option(help: "Stops after a checkpoint once this has passed since the start: 2h, 90min, 30s, HH:MM:SS, D-HH:MM:SS.")
  var maxTime: TimeSpan?

  @Flag(help: "Measures the model on the clients' own data after every round, and not at the end alone.")
  var evaluateClients = false

  @OptionGroup var reports: ReportOptions

  @OptionGroup var stall: StallOptions

  func validate() throws {
    try labels.check(data)
    if let fault = options.fault { throw ValidationError(fault) }
    if reports.trace != nil { throw ValidationError("--trace is for train; leave it out") }
    if clients.clientData != nil && data.isTable {
      throw ValidationError("--client-data needs images; --data is a table, and --partition spreads it over clients")
    }
    // No check of these values depends on the model or the loss.
    var recipe = FederatedRecipe(model: Model(name: "", input: [1], layers: []), loss: MeanSquaredError(outputs: 1))
    apply(to: &recipe)
    if let fault = recipe.fault { throw ValidationError(fault) }
  }

  /// The options, still without the directory that the program names if none is given.
  private var options: RunOptions {
    var options = files.options
    options.checkpointEvery = checkpointEvery?.interval ?? .epochs(federation.strategy == .scaffold ? 10 : 1)
    options.maxTime = maxTime
    return options
  }

  private func apply(to recipe: inout FederatedRecipe) {
    clients.apply(to: &recipe)
    federation.apply(to: &recipe)
    privacy.apply(to: &recipe, seed: seed)
    recipe.subset = subset
    recipe.seed = seed ?? 0
  }

  func run() throws {
    let log = reports.makeLog()
    let start = reports.placeOfWaits.map { WaitingLine("starting", in: $0) }
    let world = try reports.waiting(while: "waiting for the other ranks") { try World.join(stall.limits) }
    let data = try reports.waiting(while: "reading \(data.data)") { try world.agree { try load() } }
    let recipe = try world.agree { () -> FederatedRecipe in
      let loss = try data.task.loss(over: data.training, data.test)
      let shape = data.training.inputShape
      var recipe = FederatedRecipe(
        model: try Model.load(modelName(rank: shape.rank), input: shape, outputs: loss.outputs), loss: loss)
      apply(to: &recipe)
      if let joined = data.training as? JoinedDataset {
        (recipe.clients, recipe.partition) = (joined.parts.count, .given)
      }
      return recipe
    }
    var options = options
    options.directory = try files.directory(of: recipe.model, on: world)
    var execution = Execution()
    execution.sharesMemory = sharedMemory
    execution.verifyEvery = .steps(1)
    let trainer = try FederatedTrainer(
      recipe, training: data.training, test: data.test, evaluatesClients: evaluateClients, execution: execution,
      options: options, on: world,
      observers: [log]
        + reports.makeRecords(
          data: data.report, dataName: self.data.data, command: try Arguments.command(ranks: world.size),
          groups: []))
    start?.stop()
    if let report = data.report, world.rank == 0 { reports.say(report.line) }
    try trainer.run()
  }

  /// The name of the model for samples of this rank.
  private func modelName(rank: Int) -> String { model ?? (rank == 1 ? "mlp" : "article") }

  /// Both parts of the data, as the model takes them.
  private func load() throws -> RunData {
    let pixelTask = try Model.pixelTask(of: model ?? "article")
    guard clients.clientData != nil else {
      return try RunData(data, labels, table, task: task, pixels, pixelTask)
    }
    guard pixelTask == nil && labels.labels == nil else {
      throw TrainingError(
        .usage, "--client-data goes with neither --labels nor a model that predicts pixels; leave one out")
    }
    return RunData(
      training: try clients.load(), test: try data.load(.test), task: task?.objective ?? .classify)
  }
}

/// The distance between two checkpoints of a federated run.
struct RoundInterval: ExpressibleByArgument {
  let interval: RunOptions.CheckpointInterval

  init?(argument: String) {
    let epochs = argument.replacing("rounds", with: "epochs").replacing("round", with: "epoch")
    guard !argument.contains("epoch"), let interval = RunOptions.CheckpointInterval(epochs) else { return nil }
    if case .steps = interval { return nil }
    self.interval = interval
  }
}
