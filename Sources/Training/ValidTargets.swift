import Datasets

extension Targets {
  /// The targets of both parts together. Throws ``DatasetError`` if a part is faulty or the parts do not fit together.
  init(validating training: any Dataset, _ test: any Dataset) throws {
    try training.validate()
    try test.validate()
    try self.init(of: training, test)
  }
}
