import Console
import Steps
import Tensors
import Training

/// The tables of an evaluation's classes, as their template takes them.
struct ClassesContext {
  let samples: String
  /// The interval of the accuracy.
  let accuracy: String
  let rows: [Row]
  /// nil for more classes than a page has room for.
  let matrix: Matrix?

  /// The figures of one class.
  struct Row {
    let name: String
    let cells: [String]
  }

  /// The confusion matrix.
  struct Matrix {
    let names: [String]
    let rows: [Line]

    /// The samples of one class.
    struct Line {
      let name: String
      let cells: [Cell]
    }

    /// The samples of one class that are taken for one.
    struct Cell {
      let value: String
      let isOwn: Bool
      /// How much of the heat's colour the cell has, 0 to 1.
      let part: String
    }
  }

  /// The most classes of which every pair is shown.
  private static let mostClasses = 64

  init(_ report: ClassificationReport) {
    samples = grouped(report.classes.reduce(0) { $0 + $1.samples })
    let intervals = report.confusion.map { BootstrapIntervals(confusion: $0) }
    func text(_ range: ClosedRange<Double>?) -> String {
      range.map { "\(fixed($0.lowerBound, 4))–\(fixed($0.upperBound, 4))" } ?? "–"
    }
    accuracy = text(intervals?.accuracy)
    rows = report.classes.enumerated().map { index, row in
      let own = intervals?.classes[index]
      return Row(
        name: singleLine(row.name),
        cells: [
          grouped(row.samples), fixed(row.precision, 4), text(own?.precision), fixed(row.recall, 4), text(own?.recall),
          fixed(row.f1, 4), text(own?.f1),
        ])
    }
    guard let confusion = report.confusion, confusion.count <= Self.mostClasses else {
      matrix = nil
      return
    }
    matrix = Matrix(
      names: report.classes.map { singleLine($0.name) },
      rows: zip(report.classes, confusion).enumerated().map { row, line in
        let all = max(line.1.reduce(0, +), 1)
        return Matrix.Line(
          name: singleLine(line.0.name),
          cells: line.1.enumerated().map { column, count in
            // The right ones lightly; a mistake of a hundredth of the class is seen.
            let part = Double(count) / Double(all)
            let heat = row == column ? 0.25 * part : min(6 * part, 0.5)
            return Matrix.Cell(value: count == 0 ? "·" : "\(count)", isOwn: row == column, part: fixed(heat, 3))
          })
      })
  }
}
