import Checkpoints
import Datasets
import NeuralNetworks
import Tensors

/// The reason why a run ended early: one line and the program's exit code.
public struct TrainingError: Error, CustomStringConvertible, Equatable {
  /// The codes of `sysexits.h` that the program ends with.
  public enum Code: Int32, Sendable {
    /// Arguments are wrong, or do not fit together.
    case usage = 64
    /// A file's content is wrong.
    case badData = 65
    /// A file is missing.
    case missingInput = 66
    /// A rank failed, or ranks could not reach one another.
    case rankFailed = 70
    /// A file cannot be written.
    case cannotWrite = 73
    /// The run was stopped from outside, after a checkpoint: there is no fault, and the same command goes on.
    case stopped = 75
  }

  /// The program's exit code.
  public let code: Code
  /// The problem, its place and the remedy, in one line whatever names it holds.
  public let description: String
  /// Whether every rank knows that all have this error: one of them prints it, and all leave in order.
  public private(set) var isAgreed = false

  /// An error with this code and line. Line breaks in `description` are escaped.
  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = singleLine(description)
  }

  /// The end of a run by `error`. Errors of data, files, checkpoints, batches and models have their codes, any other is
  /// ``Code/rankFailed``.
  public init(_ error: any Error) {
    switch error {
    case let error as TrainingError: self = error
    case let error as IDXError: self.init(error.isMissingInput ? .missingInput : .badData, error.description)
    case let error as CSVError: self.init(error.isMissingInput ? .missingInput : .badData, error.description)
    case let error as DatasetError: self.init(.badData, error.description)
    case let error as CheckpointError: self.init(error.fileIsMissing ? .missingInput : .badData, error.description)
    case let error as FileReadError: self.init(error.fileIsMissing ? .missingInput : .badData, error.description)
    case let error as ModelDescriptionError: self.init(.badData, error.description)
    case let error as FileWriteError: self.init(.cannotWrite, error.description)
    case let error as RunDirectoryError: self.init(.cannotWrite, error.description)
    case let error as BatchPlanError: self.init(.usage, error.description)
    case let error as ModelError: self.init(.usage, error.description)
    default: self.init(.rankFailed, "\(error)")
    }
  }

  /// An error that every rank throws.
  package static func agreed(_ code: Code, _ description: String) -> TrainingError {
    var error = TrainingError(code, description)
    error.isAgreed = true
    return error
  }
}
