import Console
import Steps
import Tensors
import Training

/// A ``ClassificationReport`` as a table for people: a line for each class, the averages, and the figures over all
/// samples.
public struct ReportTable {
  /// The most classes for which each has a line. With more, only averages are shown.
  static let mostClasses = 100

  private let report: ClassificationReport

  /// A table of `report`.
  public init(_ report: ClassificationReport) { self.report = report }

  /// The lines, without a line break behind the last.
  public var text: String {
    var lines = [("class", ["precision", "recall", "f1", "samples"])]
    if report.classes.count <= Self.mostClasses {
      for row in report.classes {
        lines.append(
          (escaped(row.name), [row.precision, row.recall, row.f1].map { fixed($0, 4) } + ["\(row.samples)"]))
      }
    }
    let samples = report.classes.reduce(0) { $0 + $1.samples }
    for (name, average) in [("macro average", report.macro), ("micro average", report.micro)] {
      lines.append(
        (name, [average.precision, average.recall, average.f1].map { fixed($0, 4) } + ["\(samples)"]))
    }
    let width = lines.map(\.0.count).max() ?? 0
    let table = lines.map { name, columns in
      name.padded(to: width) + columns.map { $0.padded(to: 11, atEnd: false) }.joined()
    }
    return
      (table + [
        "Log loss: \(fixed(report.logLoss, 4))", "Calibration error: \(fixed(report.calibrationError, 4))",
      ]).joined(separator: "\n")
  }
}

extension String {
  /// The text with blanks behind it, or before it, up to `width` characters.
  func padded(to width: Int, atEnd: Bool = true) -> String {
    let blanks = String(repeating: " ", count: max(0, width - count))
    return atEnd ? self + blanks : blanks + self
  }
}
