import Console
import Tensors
import Training

/// What `lockstep top` shows of a run: where it stands, its losses, and where every rank's time goes.
public struct RunScreen: Sendable {
  private let directory: String
  private let status: RunStatus
  private let epochs: [EpochFigures]
  private let isGone: Bool

  /// Cells of the bars.
  private static let cells = 20
  /// Epochs of a curve: the last ones.
  private static let mostEpochs = 40
  /// Seconds without a new status after which that is said: an evaluation may take some.
  private static let quiet = 10.0

  /// A screen of the run in `directory`.
  ///
  /// - Parameters:
  ///   - epochs: the epochs that are over.
  ///   - isGone: whether its process is known to be there no more.
  public init(directory: String, _ status: RunStatus, _ epochs: [EpochFigures], isGone: Bool) {
    (self.directory, self.status, self.epochs, self.isGone) = (directory, status, epochs, isGone)
  }

  /// The screen at `time` in seconds since 1970, at most `rows` lines of at most `columns` characters. Where not every rank has a
  /// line, every host has.
  public func lines(time: Double, columns: Int, rows: Int) -> [String] {
    var lines = [title] + standing(time) + [position, speed] + curves
    if status.communication != nil {
      let each = rankLines
      lines += [""] + (lines.count + 1 + each.count <= rows ? each : hostLines)
    }
    return lines.prefix(rows).map { String($0.prefix(columns)) }
  }

  private var title: String {
    let (ranks, hosts) = (status.ranks.count, status.hosts.count)
    return "\(singleLine(directory)): \(singleLine(status.model)) on \(ranks) rank\(ranks == 1 ? "" : "s")"
      + (hosts == 1 ? "" : " of \(hosts) hosts") + ", process \(status.process) on \(singleLine(status.hosts[0]))"
  }

  /// What is to be said of a run that does not simply go on.
  private func standing(_ time: Double) -> [String] {
    if status.isFinished { return ["finished"] }
    if isGone { return ["stopped: the process is gone, and the run is not at its end"] }
    return time - status.time > Self.quiet ? ["no news for \(duration(time - status.time))"] : []
  }

  private var position: String {
    let done = Double(status.samplesDone) / Double(status.samplesInEpoch)
    return "Epoch \(status.epoch)/\(status.epochs) \(Self.bar([("━", done), ("╌", 1 - done)])) "
      + "\(grouped(status.samplesDone))/\(grouped(status.samplesInEpoch)), step \(grouped(status.step))"
  }

  private var speed: String {
    var parts: [String] = []
    if let rate = status.samplesPerSecond, rate > 0 {
      parts.append("\(grouped(rate.rounded())) samples/s")
      if !status.isFinished {
        parts.append("\(duration(Double(status.samplesInEpoch - status.samplesDone) / rate)) left")
      }
    }
    if let loss = status.loss { parts.append("loss \(fixed(loss, 4))") }
    if let accuracy = status.accuracy { parts.append("accuracy \(fixed(accuracy, 4))") }
    return parts.isEmpty ? "before the first step" : parts.joined(separator: "   ")
  }

  private var curves: [String] {
    let curves = [
      ("training", epochs.map(\.trainLoss)), ("validation", epochs.map(\.validationLoss)),
      ("test", epochs.map(\.testLoss)),
    ]
    return curves.compactMap { name, losses in
      let losses = losses.compactMap { $0 }.filter(\.isFinite).suffix(Self.mostEpochs)
      guard let first = losses.first, let last = losses.last else { return nil }
      return "\(padded(name + " loss", 16))\(Self.curve(losses))  \(fixed(first, 4)) → \(fixed(last, 4))"
    }
  }

  private var rankLines: [String] {
    status.hosts.indices.flatMap { host in
      let ranks = status.ranks.indices.filter { status.ranks[$0].host == host }
      return (status.hosts.count > 1 ? [singleLine(status.hosts[host])] : [])
        + ranks.map { line("rank \($0)", [status.ranks[$0]]) }
    }
  }

  private var hostLines: [String] {
    status.hosts.indices.map { host in
      line(singleLine(status.hosts[host]), status.ranks.filter { $0.host == host })
    }
  }

  /// A line of the shares of `ranks`' time in the last epoch.
  private func line(_ name: String, _ ranks: [RunStatus.Rank]) -> String {
    let compute = ranks.reduce(0) { $0 + ($1.compute ?? 0) }
    let waiting = ranks.reduce(0) { $0 + ($1.waiting ?? 0) }
    let communication = (status.communication ?? 0) * Double(ranks.count)
    let whole = max(compute + waiting + communication, .leastNormalMagnitude)
    let shares = [("█", compute / whole), ("▒", communication / whole), ("·", waiting / whole)]
    return
      "\(padded(name, 10)) \(Self.bar(shares)) compute \(percent(shares[0].1)), communication \(percent(shares[1].1)), "
      + "waiting \(percent(shares[2].1))"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// A bar of as many cells of each kind as its part of 1.
  private static func bar(_ parts: [(cell: String, part: Double)]) -> String {
    var (bar, end, filled) = ("", 0.0, 0)
    for (cell, part) in parts {
      end += part
      let next = max(filled, min(cells, Int((end * Double(cells)).rounded())))
      bar += String(repeating: cell, count: next - filled)
      filled = next
    }
    return bar
  }

  /// The curve of `values`, a character each, from the least to the largest.
  private static func curve(_ values: some Collection<Double>) -> String {
    let levels = Array("▁▂▃▄▅▆▇█")
    let (least, most) = (values.min() ?? 0, values.max() ?? 0)
    return String(
      values.map { value in
        // Halves, for the difference of two numbers may be larger than any.
        let part = most > least ? (value / 2 - least / 2) / (most / 2 - least / 2) : 0
        return levels[min(levels.count - 1, Int(part * Double(levels.count)))]
      })
  }
}
