import Primitives
import Tensors

/// A CSV file that cannot be used: its path, the line if one is at fault, and what is wrong.
public struct CSVError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// The line at fault, from 1, or the first line of a row that is; nil if the fault is the whole file's.
  public let line: Int?
  /// The fault.
  public let cause: Cause

  /// An error about the file at `path`.
  public init(path: String, line: Int? = nil, cause: Cause) {
    (self.path, self.line, self.cause) = (path, line, cause)
  }

  /// An error about the file at `path`, which could not be read into memory.
  init(path: String, reading cause: IDXError.Cause) {
    let own: Cause =
      switch cause {
      case .missing: .missing
      case .unreadable(let reason): .unreadable(reason: reason)
      case .memory(let bytes, let available): .memory(bytes: bytes, available: available)
      default: .unreadable(reason: "\(cause)")
      }
    self.init(path: path, cause: own)
  }

  /// The faults that a CSV file can have.
  public enum Cause: Error, Hashable, Sendable {
    /// The file does not exist.
    case missing
    /// The file cannot be read, for this reason.
    case unreadable(reason: String)
    /// The file, or the data made of it, takes more memory than there is, both in bytes.
    case memory(bytes: Double, available: Int)
    /// A text is not UTF-8.
    case notUTF8
    /// A quote that opens a field is never closed.
    case openQuote
    /// A quote stands inside a field that does not begin with one.
    case strayQuote
    /// Something other than a comma or the line's end follows a closing quote.
    case textBehindQuote
    /// A row has this number of fields, and the first row another.
    case fields(Int, expected: Int)
    /// There are no rows beside the header.
    case noRows
    /// Cleaning leaves no row.
    case noRowsLeft
    /// There are more rows than 32 bits can number.
    case tooManyRows(Int)
    /// Two columns have this name.
    case sameName(String)
    /// There is no column of this name; the columns have those.
    case noColumn(String, among: [String])
    /// The target column is also one that is to be ignored.
    case ignoredTarget(String)
    /// Beside the target, no column is left that could tell anything.
    case noInputs
    /// A number is infinite, or larger than a float holds.
    case notFinite(String, column: String)
    /// A text stands where a number is needed.
    case notANumber(String, column: String)
    /// A column of texts has more categories than can be inputs.
    case tooManyCategories(Int, column: String, such: String)
    /// A target is not one of the training file's classes.
    case unknownClass(String, column: String)
    /// A binary task has a target of this number of classes.
    case notTwoClasses(Int, column: String)
    /// There are more classes than ``Classes/most``.
    case tooManyClasses(column: String)
    /// So few rows cannot be split by this fraction.
    case tooFewToSplit(Int, fraction: Double)
  }

  /// Whether the file is missing or cannot be read (exit code 66). Else its content is wrong (exit code 65).
  public var isMissingInput: Bool {
    switch cause {
    case .missing, .unreadable: true
    default: false
    }
  }

  /// One line: the file, the line in it, what is wrong, and what to do.
  public var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(problem); \(remedy)" }

  private var problem: String {
    switch cause {
    case .missing: "no such file"
    case .unreadable(let reason): "cannot be read: \(reason)"
    case .memory(let bytes, let available):
      "takes \(megabytes(bytes)) of memory, and there are \(megabytes(Double(available)))"
    case .notUTF8: "a text is not UTF-8"
    case .openQuote: "the quote that opens here is never closed"
    case .strayQuote: "a quote stands inside a field that does not begin with one"
    case .textBehindQuote: "a closing quote is followed by something other than a comma or the line's end"
    case .fields(let count, let expected):
      "\(count) field\(count == 1 ? "" : "s"), where the first row has \(expected)"
    case .noRows: "holds no rows of data"
    case .noRowsLeft: "no row is left after cleaning"
    case .tooManyRows(let count): "holds \(count) rows, more than \(UInt32.max)"
    case .sameName(let name): "two columns are called \(quoted(name))"
    case .noColumn(let name, _): "has no column \(quoted(name))"
    case .ignoredTarget(let name): "column \(quoted(name)) is the target and is to be ignored"
    case .noInputs: "no column is left beside the target: the others are empty, constant or ignored"
    case .notFinite(let text, let column):
      "\(quoted(text)) in column \(quoted(column)) is not a finite number that a float holds"
    case .notANumber(let text, let column): "\(quoted(text)) in column \(quoted(column)) is not a number"
    case .tooManyCategories(let count, let column, let such):
      "column \(quoted(column)) is of \(count) different texts, such as \(quoted(such)); "
        + "\(CSVPreparation.mostCategories) can be inputs"
    case .unknownClass(let text, let column):
      "target \(quoted(text)) in column \(quoted(column)) is none of the training file's"
    case .notTwoClasses(let count, let column):
      "column \(quoted(column)) has \(count) different target\(count == 1 ? "" : "s"), and a binary task needs two"
    case .tooManyClasses(let column):
      "column \(quoted(column)) has more than \(Classes.most) different targets"
    case .tooFewToSplit(let rows, let fraction):
      "\(rows) row\(rows == 1 ? "" : "s") cannot be split so that \(fraction) of them are for testing"
    }
  }

  private var remedy: String {
    switch cause {
    case .missing: "check the path"
    case .unreadable: "check its type and permissions"
    case .memory: "free memory, raise the limit (ulimit -v), or take a machine with more"
    case .notUTF8: "save the file as UTF-8"
    case .openQuote: "close it; a quote inside quotes is written twice"
    case .strayQuote: "put the whole field in quotes, and write the quotes inside it twice"
    case .textBehindQuote: "a quote inside quotes is written twice"
    case .fields: "give every row as many; a comma inside a field needs quotes around it"
    case .noRows: "give it one at least"
    case .noRowsLeft: "fill missing values (\(Setting.missing) mean), or check the target column"
    case .tooManyRows: "split it"
    case .sameName: "give each a name of its own"
    case .noColumn(_, let names):
      "its columns are \(names.prefix(20).map { quoted($0) }.joined(separator: ", "))\(names.count > 20 ? ", …" : "")"
    case .ignoredTarget: "name another by \(Setting.target)"
    case .noInputs: "give it a column that varies"
    case .notFinite: "correct it, or leave the field empty for a missing value"
    case .notANumber: "correct it, or leave the field empty for a missing value"
    case .tooManyCategories: "correct the texts if they should be numbers, or leave the column out (\(Setting.ignored))"
    case .unknownClass: "correct it, or train with rows of that class"
    case .notTwoClasses: "give \(Setting.task) classify, or binary:K for class K against the rest"
    case .tooManyClasses: "give \(Setting.task) regress, or check \(Setting.target)"
    case .tooFewToSplit: "give more rows, or a file of their own for testing (\(Setting.testData))"
    }
  }
}
