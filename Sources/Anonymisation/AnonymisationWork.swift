import Console
import Datasets
import Digests
import Tensors

/// A table while an ``AnonymisationPlan`` is carried out on it.
struct AnonymisationWork {
  private let plan: AnonymisationPlan
  private let original: CSVText
  private let path: String
  /// The columns as they are now, by their places in the original; nil of one that is dropped.
  private var columns: [[String]?]
  private var reports: [AnonymisationReport.Column]
  /// The places of the quasi-identifiers, and of the sensitive columns.
  private let quasiIdentifiers: [Int]
  private let sensitive: [Int]
  private var suppressed = 0
  /// The rows that are left, in their order.
  private var rows: [Int]
  private var shortfalls: [String] = []

  init(_ plan: AnonymisationPlan, _ table: CSVText, from path: String) {
    (self.plan, original, self.path) = (plan, table, path)
    columns = table.columns
    rows = Array(0..<table.rowCount)
    reports = zip(table.names, table.columns).map {
      AnonymisationReport.Column(name: $0, operation: .keep, distinctBefore: RowClasses.distinct($1))
    }
    quasiIdentifiers = plan.quasiIdentifiers.compactMap { table.column($0) }
    sensitive = plan.sensitive.compactMap { table.column($0) }
  }

  /// Drops and hashes.
  mutating func changeColumns() throws(AnonymisationError) {
    for name in plan.dropped {
      guard let place = original.column(name) else { continue }
      columns[place] = nil
      reports[place].operation = .drop
    }
    guard !columns.allSatisfy({ $0 == nil }) else {
      throw .usage("--drop leaves no column; keep one")
    }
    guard !plan.hashed.isEmpty else { return }
    var generator = SystemRandomNumberGenerator()
    let hmac = HMAC(key: plan.key ?? (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
    for name in plan.hashed {
      guard let place = original.column(name) else { continue }
      var known = [ExactText(""): ""]
      columns[place] = original.columns[place].map { value in
        let key = ExactText(value)
        let digest = known[key] ?? hmac.digest(of: Array(value.utf8)).hex
        known[key] = digest
        return digest
      }
      reports[place].operation = .hash
      reports[place].detail = "HMAC-SHA-256"
    }
  }

  /// Generalises as the plan says, and further while what is asked for is not reached.
  mutating func generalise() throws(AnonymisationError) {
    var current: [Int: Generalisation] = [:]
    for (name, how) in plan.generalised {
      guard let place = original.column(name) else { continue }
      current[place] = how
      columns[place] = try how.apply(to: original.columns[place], column: name, of: path)
      (reports[place].operation, reports[place].detail) = (.generalise, how.description)
    }
    guard plan.achieves else { return }
    while !isReached {
      // The one with the most values, the first of equals; a column of stars has nothing left to lose.
      let candidates = quasiIdentifiers.filter { reports[$0].operation != .star }
      let counts = candidates.map { RowClasses.distinct(columns[$0] ?? []) }
      guard let most = counts.indices.max(by: { (counts[$0], -$0) < (counts[$1], -$1) }) else { return }
      let place = candidates[most]
      if let coarser = current[place]?.coarser(for: original.columns[place]) {
        current[place] = coarser
        columns[place] = try coarser.apply(to: original.columns[place], column: original.names[place], of: path)
        reports[place].detail = coarser.description
      } else {
        columns[place] = original.columns[place].map { _ in Generalisation.star }
        (reports[place].operation, reports[place].detail) = (.star, nil)
      }
    }
  }

  /// Whether the rows that would be left reach what is asked for, and few enough would be suppressed.
  private var isReached: Bool {
    var copy = self
    copy.suppress()
    return copy.shortfalls.isEmpty && copy.misses(copy.measured).isEmpty
  }

  private func values(_ place: Int) -> [String] { rows.map { columns[place]?[$0] ?? "" } }

  private var classes: RowClasses { RowClasses(quasiIdentifiers.map(values), rows: rows.count) }

  private var measured: Anonymity {
    Anonymity(
      classes, sensitive: sensitive.map { (original.names[$0], values($0)) }, removed: original.rowCount - rows.count)
  }

  /// Removes the rows of classes that are too small, or takes their quasi-identifiers; none if they would be too many.
  mutating func suppress() {
    guard let suppression = plan.suppression, let k = plan.k else { return }
    let classes = classes
    var isSmall = classes.sizes.map { $0 < k }
    var count = zip(classes.sizes, isSmall).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
    if suppression == .star && count > 0 {
      // Starred rows are a class, too, which takes in the next larger ones until it is large enough.
      let others = isSmall.indices.filter { !isSmall[$0] }.sorted { (classes.sizes[$0], $0) < (classes.sizes[$1], $1) }
      for own in others where count < k {
        isSmall[own] = true
        count += classes.sizes[own]
      }
    }
    guard Double(count) <= plan.suppressionLimit * Double(original.rowCount) else {
      shortfalls.append(
        "\(grouped(count)) of \(grouped(original.rowCount)) rows (\(percent(Double(count) / Double(original.rowCount)))) are in classes of "
          + "fewer than \(k), more than the \(percent(plan.suppressionLimit)) that may be suppressed")
      return
    }
    suppressed = count
    switch suppression {
    case .remove: rows = rows.indices.filter { !isSmall[classes.ofRow[$0]] }.map { rows[$0] }
    case .star:
      for (index, row) in rows.enumerated() where isSmall[classes.ofRow[index]] {
        for place in quasiIdentifiers { columns[place]?[row] = Generalisation.star }
      }
    }
  }

  /// Puts the rows into an order that nobody can foresee.
  mutating func shuffle() { rows.shuffle() }

  /// What `found` misses of what is asked for, a line each.
  private func misses(_ found: Anonymity) -> [String] {
    var lines: [String] = []
    if found.rows == 0 { lines.append("no row is left") }
    if let k = plan.k, found.k < k { lines.append("k-anonymity is \(found.k), and \(k) is asked for") }
    for sensitive in found.sensitive {
      let name = escaped(sensitive.name)
      if let l = plan.l, sensitive.distinctL < l {
        lines.append("l-diversity of \(name) is \(sensitive.distinctL), and \(l) is asked for")
      }
      // Equal parts have an entropy that is off by a rounding.
      if let l = plan.entropyL, sensitive.entropyL < l * (1 - 1e-12) {
        lines.append("entropy l-diversity of \(name) is \(fixed(sensitive.entropyL, 4)), and \(l) is asked for")
      }
      if let t = plan.t, sensitive.t > t * (1 + 1e-12) {
        lines.append("t-closeness of \(name) is \(fixed(sensitive.t, 4)), and \(t) is asked for")
      }
    }
    return lines
  }

  /// The table as it is now. Where there was no header, or what is left of it would be read as a row, columns are called `column 1` and so
  /// on: a first row that has become texts would be read as the header.
  var result: CSVText {
    let kept = columns.indices.filter { columns[$0] != nil }
    let names = kept.map { original.names[$0] }
    let isHeader = original.hasHeader && CSVText.isHeader(names)
    return CSVText(names: isHeader ? names : names.map { "column \($0)" }, columns: kept.map(values))
  }

  var report: AnonymisationReport {
    let found = quasiIdentifiers.isEmpty ? nil : measured
    var columns = reports
    for place in columns.indices where self.columns[place] != nil {
      columns[place].distinctAfter = RowClasses.distinct(values(place))
    }
    return AnonymisationReport(
      input: path, rowsRead: original.rowCount, rowsLeft: rows.count, suppressedRows: suppressed,
      isShuffled: plan.shuffles, key: plan.hashed.isEmpty ? nil : plan.key == nil ? "fresh" : "file",
      columns: columns, quasiIdentifiers: plan.quasiIdentifiers,
      asked: AnonymisationReport.Asked(k: plan.k, l: plan.l, entropyL: plan.entropyL, t: plan.t), found: found,
      shortfalls: shortfalls + (found.map(misses) ?? []))
  }
}
