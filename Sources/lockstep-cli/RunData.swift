import Lockstep

/// Both parts of a run's data, and the task on them.
struct RunData {
  let training: any Dataset
  let test: any Dataset
  let task: Objective
  /// The way of a table to samples; nil if the data are images.
  let report: CSVReport?
  /// The table itself, for as long as columns of it are looked at; nil if the data are images.
  var parts: CSVParts?

  init(training: any Dataset, test: any Dataset, task: Objective, parts: CSVParts? = nil) {
    (self.training, self.test, self.task, self.parts) = (training, test, task, parts)
    report = parts?.report
  }

  /// The samples of the table at `path`, prepared as `options` say. `task` is nil to be found. Throws with 66 if a file
  /// is missing, with 65 if it is wrong.
  init(table path: String, _ options: TableOptions, task: TaskArgument?) throws {
    let parts = try CSVParts(
      path: path, testPath: options.test.testData, task: task?.tableTask, options.options)
    self.init(
      training: parts.training, test: parts.test, task: task?.objective ?? Self.objective(parts), parts: parts)
  }

  /// The data of a run that its flags name, as the model takes them. Throws with 64 if flags do not fit one another, with 66 if a file is
  /// missing, with 65 if it is wrong.
  init(
    _ data: DataOptions, _ labels: LabelOptions, _ table: TableOptions, task: TaskArgument?, _ pixels: BinariseOption,
    _ pixelTask: PixelTask?
  ) throws {
    try Self.check(data, task, pixels, pixelTask)
    guard !data.isTable else {
      try self.init(table: data.data, table, task: task)
      return
    }
    if let flag = table.given { throw TrainingError(.usage, "\(flag) needs a table: give \(Setting.data) FILE.csv") }
    if task == .binary {
      throw TrainingError(.usage, "\(Setting.task) binary needs a table; give \(Setting.task) binary:K for label K")
    }
    func images(_ part: ImageDataset.Part) throws -> any Dataset {
      let images = try labels.choose(data.load(part))
      return try pixelTask?.prepare(images, pixels.binarise ?? .threshold) ?? images
    }
    self.init(
      training: try images(.train), test: try images(.test),
      task: pixelTask.map { Objective($0.kind) } ?? task?.objective ?? .classify)
  }

  /// Throws with 64 if other flags do not fit the task of a model that predicts pixels, or that there is none.
  private static func check(
    _ data: DataOptions, _ task: TaskArgument?, _ pixels: BinariseOption, _ pixelTask: PixelTask?
  ) throws {
    if pixels.binarise != nil && pixelTask?.kind.isBlackAndWhite != true {
      throw TrainingError(
        .usage, "--binarise needs --model \(PixelTask.blackAndWhite), which predict black and white pixels")
    }
    guard let pixelTask else { return }
    if let task, task != .whole(Objective(pixelTask.kind)) {
      throw TrainingError(
        .usage, "\(Setting.task) \(task) does not fit the model, which predicts pixels: leave \(Setting.task) away")
    }
    if data.isTable {
      throw TrainingError(
        .usage, "\(Setting.model) \(PixelTask.models()) needs images; give another for a table, such as mlp")
    }
  }

  /// The samples of the table `data`, prepared as the recipe of `checkpoint` says, which was trained on it. Collective. Throws with 65 if it was
  /// trained on other data.
  static func parts(
    ofTableOf checkpoint: String, data: String, testData: String?, strict: Bool, on world: any Communicator
  ) throws -> CSVParts {
    let recipe = try RestoredNetwork.recipe(of: checkpoint, strict: strict, communicator: world)
    return try world.agree {
      guard let options = CSVOptions(settings: { recipe[$0] }), let task = recipe["task"].flatMap(Objective.init) else {
        throw TrainingError(.badData, "\(checkpoint): was not trained on a table; give \(Setting.data) its images")
      }
      let parts = try CSVParts(
        path: data, testPath: testData, task: TaskArgument.whole(task).tableTask, options)
      guard recipe["training_data"] == parts.training.digest.hex else {
        throw TrainingError(
          .badData,
          "\(data): the run of \(checkpoint) was trained on other data, by which its inputs were scaled "
            + "(training_data is \(escaped(recipe["training_data"] ?? "not given")) there and \(parts.training.digest) here); "
            + "give \(Setting.data) the file that it was trained on")
      }
      return parts
    }
  }

  /// The objective of a table's task. Of two classes, the second is the positive one.
  private static func objective(_ parts: CSVParts) -> Objective {
    switch parts.task {
    case .classify: .classify
    case .binary: .binary(positive: parts.training.targets.labelRange?.upperBound ?? 1)
    case .regress: .regress
    }
  }
}
