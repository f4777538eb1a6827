import NeuralNetworks

/// A ``ModelSummary`` as a table for people: a line a layer, those within another indented, and the sums.
public struct SummaryTable {
  private let summary: ModelSummary

  /// A table of `summary`.
  public init(_ summary: ModelSummary) { self.summary = summary }

  /// The lines, without a line break behind the last.
  public var text: String {
    var lines = [["layer", "type", "output", "parameters", "FLOP a sample"]]
    for row in summary.rows {
      lines.append([
        String(repeating: "  ", count: row.depth) + row.name, row.type, "\(row.output)", grouped(row.parameters),
        grouped(row.trainingOperations),
      ])
    }
    lines.append(["in all", "", "", grouped(summary.parameters), grouped(summary.trainingOperations)])
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      line.indices.map { line[$0].padded(to: widths[$0], atEnd: $0 < 3) }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
