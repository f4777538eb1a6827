import Lockstep

/// Both parts of a run's data, and the task on them.
struct RunData {
  let training: any Dataset
  let test: any Dataset
  let task: Objective
  /// The way of a table to samples; nil if the data are images.
  let report: CSVReport?

  init(training: any Dataset, test: any Dataset, task: Objective, report: CSVReport?) {
    (self.training, self.test, self.task, self.report) = (training, test, task, report)
  }

  /// The samples of the table at `path`, prepared as `options` say. `task` is nil to be found. Throws with 66 if a file
  /// is missing, with 65 if it is wrong.
  init(table path: String, _ options: TableOptions, task: TaskArgument?) throws {
    let parts = try CSVParts(
      path: path, testPath: options.test.testData, task: task?.tableTask, options.options)
    self.init(
      training: parts.training, test: parts.test, task: task?.objective ?? Self.objective(parts), report: parts.report)
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
