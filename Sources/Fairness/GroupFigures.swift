import Glibc
import NeuralNetworks
import Steps
import Training

/// The figures of each group of an evaluation's samples, and how far they lie apart (``GroupReport``).
///
/// Every sample is counted once, and as often as its `ReplicateWeights` say for each replicate of a bootstrap. Counters are
/// integers, so all figures and intervals are the same at any number of ranks, to the bit.
public struct GroupFigures: Metric {
  /// The most counters, 32 MB a rank: with more groups or classes there are no replicates, and so no intervals.
  private static let mostCounters = 1 << 22

  /// The samples below which a group's figures are warned of.
  private static let fewSamples = 30

  /// The groups.
  public let groups: SampleGroups
  /// The number of replicates of the bootstrap; 0 if there would be too many counters.
  public let replicates: Int
  /// What the replicates follow from.
  public let seed: UInt64

  private let classes: Int
  private let classNames: [String]
  private let groupCount: Int
  /// The classes that a group counts for themselves: one where each class is a group.
  private let slots: Int

  /// The figures of `groups` under `loss`, to be counted in an evaluation of the samples that the groups are of. Of two classes the second is the positive one.
  ///
  /// - Parameters:
  ///   - replicates: the number of replicates, from which the intervals are taken.
  ///   - seed: what they follow from.
  public init(_ groups: SampleGroups, of loss: any ClassLoss, replicates: Int = 1000, seed: UInt64 = 0) {
    precondition(replicates >= 0, "\(replicates) replicates")
    self.groups = groups
    self.seed = seed
    classes = loss.classes
    classNames = (0..<loss.classes).map(loss.name(of:))
    groupCount = groups.isByClass ? loss.classes : groups.names.count
    slots = groups.isByClass ? 1 : loss.classes
    let (cells, isTooLarge) = (groupCount * (3 * slots + 1)).multipliedReportingOverflow(by: replicates + 1)
    self.replicates = isTooLarge || cells > Self.mostCounters ? 0 : replicates
  }

  /// The counters of a cell: that of the samples themselves, and one a replicate.
  private var stride: Int { replicates + 1 }
  private var cellsOfGroup: Int { 3 * slots + 1 }

  /// Three cells a class (its samples, those taken for it, those rightly so), and one for the log-losses in fixed point, in each group.
  public var counterCount: Int { groupCount * cellsOfGroup * stride }

  private func cell(_ group: Int, _ index: Int, _ kind: Int) -> Int {
    group * cellsOfGroup + 3 * (groups.isByClass ? 0 : index) + kind
  }

  private func lossCell(_ group: Int) -> Int { group * cellsOfGroup + 3 * slots }

  public func count(_ predictions: Predictions, into counters: inout [Int]) {
    guard let samples = predictions.classes else { return }
    precondition(
      groups.isByClass || predictions.first + samples.own.count <= groups.indices.count,
      "groups of \(groups.indices.count) samples, and the data have more")
    var weights = ReplicateWeights(replicates: replicates, seed: seed)
    func add(_ value: Int, to cell: Int) { weights.add(value, to: &counters, at: cell * stride) }
    for (index, own) in samples.own.enumerated() {
      let sample = predictions.first + index
      let predicted = samples.predicted[index]
      let group = groups.isByClass ? own : Int(groups.indices[sample])
      weights.draw(sample)
      add(1, to: cell(group, own, 0))
      add(1, to: cell(groups.isByClass ? predicted : group, predicted, 1))
      if own == predicted { add(1, to: cell(group, own, 2)) }
      let probability = samples.probability(of: own, for: index)
      add(fixedPoint(-log(max(probability, Double(Float.leastNonzeroMagnitude)))), to: lossCell(group))
    }
  }

  /// None: what the counters tell is a ``report(_:)``.
  public func scores(_ counters: [Int]) -> [Score] { [] }

  /// The report from the metric's counters over all samples and ranks (``Evaluation/Result/counters``).
  public func report(_ counters: [Int]) -> GroupReport {
    let own = figures { counters[$0 * stride] }
    let drawn = (0..<replicates).map { replicate in figures { counters[$0 * stride + 1 + replicate] } }
    let names = groups.isByClass ? classNames : groups.names
    let present = names.indices.filter { own.groups[$0].samples > 0 }
    var warnings = present.filter { own.groups[$0].samples < Self.fewSamples }.map { group in
      let count = own.groups[group].samples
      return "group \(names[group]) has only \(count) sample\(count == 1 ? "" : "s"): its figures say little"
    }
    if !groups.isByClass && classes == 2 {
      for group in present where counters[cell(group, 1, 0) * stride] == 0 {
        warnings.append(
          "group \(names[group]) has no samples of class \(classNames[1]): its recall counts as 0, and the differences with it"
        )
      }
    }
    return GroupReport(
      by: groups, names: present.map { names[$0] }, positive: classes == 2 ? classNames[1] : nil,
      own: own.choosing(present), replicates: drawn.map { $0.choosing(present) }, warnings: warnings)
  }

  /// The figures of all groups and of all samples, by the number in each cell.
  private func figures(_ number: (Int) -> Int) -> GroupReport.Replicate {
    func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
    func ofClass(_ counts: Counts, among samples: Int) -> GroupReport.Row {
      var row = GroupReport.Row(samples: counts.samples)
      row[.precision] = ratio(counts.correct, counts.predicted)
      row[.recall] = ratio(counts.correct, counts.samples)
      row[.falsePositiveRate] = ratio(counts.predicted - counts.correct, samples - counts.samples)
      row[.selectionRate] = ratio(counts.predicted, samples)
      return row
    }
    /// The figures of samples of all classes: of two, those of the second; of more, the means over the classes that occur.
    func ofAll(_ counts: [Counts], loss: Int) -> GroupReport.Row {
      let samples = counts.reduce(0) { $0 + $1.samples }
      var row = GroupReport.Row(samples: samples)
      guard samples > 0 else { return row }
      if counts.count == 2 {
        row = ofClass(counts[1], among: samples)
        row.samples = samples
      } else {
        let rows = counts.filter { $0.samples + $0.predicted > 0 }.map { ofClass($0, among: samples) }
        for figure in [GroupFigure.precision, .recall, .falsePositiveRate] {
          row[figure] = rows.reduce(0) { $0 + $1[figure] } / Double(rows.count)
        }
      }
      row[.accuracy] = ratio(counts.reduce(0) { $0 + $1.correct }, samples)
      row[.logLoss] = real(loss) / Double(samples)
      return row
    }
    func counts(_ group: Int, _ index: Int) -> Counts {
      Counts(
        samples: number(cell(group, index, 0)), predicted: number(cell(group, index, 1)),
        correct: number(cell(group, index, 2)))
    }
    let losses = (0..<groupCount).map { number(lossCell($0)) }
    let loss = losses.reduce(0, &+)
    if groups.isByClass {
      let own = (0..<classes).map { counts($0, $0) }
      let samples = own.reduce(0) { $0 + $1.samples }
      let rows = own.enumerated().map { index, counts in
        guard counts.samples > 0 else { return GroupReport.Row(samples: 0) }
        var row = ofClass(counts, among: samples)
        row[.accuracy] = row[.recall]
        row[.logLoss] = real(losses[index]) / Double(counts.samples)
        return row
      }
      var overall = ofAll(own, loss: loss)
      if classes == 2 {
        // Each class is a group with its own figures: what belongs to them is their mean, not one of them.
        for figure in [GroupFigure.precision, .recall, .falsePositiveRate] {
          overall[figure] = rows.reduce(0) { $0 + $1[figure] } / 2
        }
        overall[.selectionRate] = .nan
      }
      return GroupReport.Replicate(groups: rows, overall: overall)
    }
    let own = (0..<groupCount).map { group in (0..<classes).map { counts(group, $0) } }
    let all = (0..<classes).map { index in own.reduce(Counts()) { $0.adding($1[index]) } }
    return GroupReport.Replicate(
      groups: zip(own, losses).map { ofAll($0, loss: $1) }, overall: ofAll(all, loss: loss))
  }
}

/// The counts of a class among some samples.
private struct Counts {
  var samples = 0
  var predicted = 0
  var correct = 0

  func adding(_ other: Counts) -> Counts {
    Counts(samples: samples + other.samples, predicted: predicted + other.predicted, correct: correct + other.correct)
  }
}
