import ArgumentParser
import Lockstep

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model and writes checkpoints.",
    discussion: """
      The defaults are the article's recipe. Gradients are summed in one fixed tree over microbatches, so any number of ranks \
      gives the same weights, to the bit: compare the weights digests. A run that was stopped goes on where it was when \
      the same command is given again with its --run-dir, on as many ranks as you like.

      Example: mpirun -n 4 lockstep train --data mnist --epochs 5 --run-dir runs/first
      """)

  @Option(
    help: ArgumentHelp(
      """
      Takes flags from a JSON file, {"epochs": 10}, a YAML file, epochs: 10, or the config.json of a run directory, which does that run \
      again. Flags that are given win over LOCKSTEP_… variables (LOCKSTEP_GLOBAL_BATCH=256), and these over the file.
      """, valueName: "file"))
  var config: String?

  @OptionGroup var data: DataOptions

  @OptionGroup var labels: LabelOptions

  @OptionGroup var table: TableOptions

  @OptionGroup var recipe: RecipeOptions

  @OptionGroup var regime: RegimeOptions

  @OptionGroup var learningRate: LearningRateOptions

  @OptionGroup var task: TaskOptions

  // A negative number is a wrong value, not a flag.
  @Option(
    parsing: .unconditional, help: "What the first weights and the order of the samples follow from. (default: 0)")
  var seed: UInt64?

  @Option(help: "How gradients are summed: lockstep, the fixed tree, or mpi, MPI_Allreduce, for comparison.")
  var reduction = ReductionMethod.lockstep

  @Flag(
    inversion: .prefixedNo, help: "Ranks of one host add gradients in memory that they share; the same bits either way."
  )
  var sharedMemory = true

  @OptionGroup var sharding: ShardingOptions

  @OptionGroup var files: RunFileOptions

  @Option(help: "When a checkpoint is written: 1epoch, 500steps, 10min.")
  var checkpointEvery = RunOptions.CheckpointInterval.epochs(1)

  @Option(help: "Ends the run after this many steps.")
  var maxSteps: Int?

  @OptionGroup var reports: ReportOptions

  @OptionGroup var stall: StallOptions

  @OptionGroup var control: ControlOptions

  @OptionGroup var privacy: PrivacyOptions

  @OptionGroup var groups: GroupOptions

  func validate() throws {
    try labels.check(data)
    try groups.check(data)
    if let fault = execution.fault(reduction: reduction) ?? options.fault { throw ValidationError(fault) }
  }

  private var execution: Execution {
    var execution = Execution()
    execution.sharesMemory = sharedMemory
    execution.shardsOptimizer = sharding.optimizerSharding
    control.apply(to: &execution)
    return execution
  }

  /// The options, still without the directory that the program names if none is given.
  private var options: RunOptions {
    var options = files.options
    options.checkpointEvery = checkpointEvery
    options.maxSteps = maxSteps
    options.maxTime = control.maxTime
    options.trace = reports.trace?.steps
    return options
  }

  func run() throws {
    let log = reports.makeLog()
    // Until the first step, or the search's result.
    let start = reports.placeOfWaits.map { WaitingLine("starting", in: $0) }
    let world = try reports.waiting(while: "waiting for the other ranks") { try World.join(stall.limits) }
    var data = try reports.waiting(while: "reading \(data.data)") {
      try world.agree { try task.load(self.data, labels, table, for: self.recipe) }
    }
    var recipe = try world.agree { try task.makeRecipe(self.recipe, for: data) }
    recipe.seed = seed ?? 0
    recipe.reduction = reduction
    recipe.clipNorm = control.clipNorm
    recipe.sampleClipNorm = control.sampleClipNorm
    privacy.apply(to: &recipe, seed: seed)
    var options = options
    try regime.apply(to: &recipe, &options)
    let found = try reports.waiting(while: "finding the groups") {
      try groups.load(data.test, of: data.parts, on: world)
    }
    data.parts = nil
    let figures = try world.agree { [recipe] in try GroupOptions.figures(of: found, recipe.loss) }
    options.finalMetrics = figures
    // Ranks that were asked for other things would run different collectives.
    try world.requireEqual([
      ("lr_find", learningRate.search.map { "\($0)" } ?? "none"),
      ("global_batch", self.recipe.measuresBatch ? "auto" : "\(recipe.globalBatch)"),
    ])
    if self.recipe.measuresBatch {
      let found = try reports.waiting(while: "measuring batches") { [recipe, options] in
        try BatchSearch.run(
          for: recipe, training: data.training, test: data.test, execution: execution, options: options, on: world)
      }
      recipe.globalBatch = found.globalBatch
      recipe.microbatch = recipe.microbatch ?? found.microbatch
      if world.rank == 0 { reports.say(found.line(ranks: world.size)) }
    }
    if let search = learningRate.search {
      let curve = try reports.waiting(while: "searching for a learning rate, in up to \(search.steps) steps") {
        try search.run(
          recipe, training: data.training, test: data.test, execution: execution, options: options, on: world)
      }
      start?.stop()
      if world.rank == 0 { LearningRateOptions.show(curve) }
      return
    }
    options.directory = try files.directory(of: recipe.model, on: world)
    let trainer = try Trainer(
      recipe, training: data.training, test: data.test, execution: execution, options: options, on: world,
      observers: [log]
        + reports.makeRecords(
          data: data.report, dataName: self.data.data, command: try Arguments.command(ranks: world.size),
          groups: figures))
    start?.stop()
    if let report = data.report, world.rank == 0 { reports.say(report.line) }
    try trainer.run()
  }
}
