import Datasets

extension Targets {
  /// Those of both parts, each of which must be fit to be trained on. Throws ``TrainingError/Code/badData``.
  init(validating training: any Dataset, _ test: any Dataset) throws {
    try training.validate()
    try test.validate()
    try self.init(of: training, test)
  }
}
