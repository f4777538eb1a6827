import Console
import NeuralNetworks

/// A ``ModelSummary`` as a table for people: a line a layer, those within another indented, and the sums.
public struct SummaryTable {
  /// The times of a network's stages in microseconds a sample.
  public typealias Times = [(forward: Double, backward: Double)]

  private let summary: ModelSummary
  private let times: Times?

  /// A table of `summary`, with the times of its network's stages, if they were measured, in the place of operations.
  public init(_ summary: ModelSummary, times: Times? = nil) { (self.summary, self.times) = (summary, times) }

  /// The lines, without a line break behind the last.
  public var text: String {
    var lines = [["layer", "type", "output", "parameters", "KB"]]
    lines[0] += times == nil ? ["FLOP a sample"] : ["forward", "backward"]
    var rest = (times ?? [])[...]
    for row in summary.rows {
      // Layers within another are timed together.
      let time = row.depth == 0 && row.isStage ? rest.popFirst() : nil
      lines.append(
        [
          String(repeating: "  ", count: row.depth) + row.name, row.type, "\(row.output)", grouped(row.parameters),
          kilobytes(row.activations),
        ] + figures(row.trainingOperations, time))
    }
    let sums = times?.reduce((forward: 0, backward: 0)) { ($0.forward + $1.forward, $0.backward + $1.backward) }
    lines.append(
      ["in all", "", "", grouped(summary.parameters), kilobytes(summary.activations)]
        + figures(summary.trainingOperations, sums))
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let table = lines.map { line in
      let text = line.indices.map { line[$0].padded(to: widths[$0], atEnd: $0 < 3) }.joined(separator: "  ")
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
    return (table + legend).joined(separator: "\n")
  }

  /// The last columns of a line.
  private func figures(_ operations: Int, _ time: Times.Element?) -> [String] {
    guard times != nil else { return [grouped(operations)] }
    return time.map { [fixed($0.forward, 2), fixed($0.backward, 2)] } ?? ["", ""]
  }

  /// A number of floats in kilobytes; nothing for none.
  private func kilobytes(_ floats: Int) -> String { floats == 0 ? "" : fixed(Double(floats) * 4e-3, 1) }

  private var legend: [String] {
    [
      "KB: 1,000 bytes of a sample's outputs. Training keeps about as many of their gradients; what a layer",
      "keeps within itself is not counted. Parameters: \(kilobytes(summary.parameters)) KB, and as many for their gradient.",
    ] + (times == nil ? [] : ["forward, backward: microseconds a sample"])
  }
}
