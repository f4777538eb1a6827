import Training

/// The figures of each group of an evaluation's samples, those of all samples, and how far the groups lie apart: Fairlearn's `MetricFrame` on
/// the same predictions.
///
/// A figure without a sample to measure it on is 0, as in scikit-learn: the precision of a group in which nothing is taken for the
/// positive class, the recall of one without positive samples (``warnings``).
public struct GroupReport: Sendable, Codable, Hashable {
  /// A group.
  public struct Group: Sendable, Codable, Hashable {
    /// The group's name: its class, or the value of the column.
    public var name: String
    /// The samples of the group.
    public var samples: Int
    /// Its figures. Where each class is a group, precision, false positive rate and selection rate are of the class against all others, over
    /// all samples.
    public var figures: FigureSet<Estimate>
  }

  /// How far the groups lie apart in one figure that follows from others.
  public struct Fairness: Sendable, Codable, Hashable {
    /// The largest difference between two groups' selection rates.
    public var demographicParityDifference: Estimate?
    /// The smallest selection rate divided by the largest.
    public var demographicParityRatio: Estimate?
    /// The larger of the largest difference between two groups' true positive rates and that of their false positive rates.
    public var equalizedOddsDifference: Estimate?
    /// The smaller of the two rates' ratios.
    public var equalizedOddsRatio: Estimate?

    enum CodingKeys: String, CodingKey {
      case demographicParityDifference = "demographic_parity_difference"
      case demographicParityRatio = "demographic_parity_ratio"
      case equalizedOddsDifference = "equalized_odds_difference"
      case equalizedOddsRatio = "equalized_odds_ratio"
    }
  }

  /// What the groups are by: `class`, or a column's name.
  public var by: String
  /// The samples of all groups.
  public var samples: Int
  /// The name of the positive class; nil of more than two classes, whose precision, recall and false positive rate are means over the classes
  /// that occur, and which have no selection rate.
  public var positive: String?
  /// The replicates of the bootstrap behind the intervals; 0 if there are none.
  public var replicates: Int
  /// The groups that have samples.
  public var groups: [Group]
  /// The figures over all samples; where each class is a group, means over the classes.
  public var overall: FigureSet<Estimate>
  /// The smallest of the groups.
  public var minimum: FigureSet<Estimate>
  /// The largest.
  public var maximum: FigureSet<Estimate>
  /// ``maximum`` − ``minimum``: Fairlearn's `between_groups`.
  public var difference: FigureSet<Estimate>
  /// ``minimum`` / ``maximum``.
  public var ratio: FigureSet<Estimate>
  /// The largest distance of a group from ``overall``: Fairlearn's `to_overall`.
  public var differenceToOverall: FigureSet<Estimate>
  /// The smallest ratio of a group and ``overall``, the smaller of the two divided by the larger.
  public var ratioToOverall: FigureSet<Estimate>
  /// Demographic parity and equalised odds between the groups; nil unless the task is binary and the groups are not its classes.
  public var fairness: Fairness?
  /// The same, between the groups and all samples.
  public var fairnessToOverall: Fairness?
  /// What the figures hide.
  public var warnings: [String]

  enum CodingKeys: String, CodingKey {
    case by, samples, positive, replicates, groups, overall, minimum, maximum, difference, ratio, fairness, warnings
    case differenceToOverall = "difference_to_overall"
    case ratioToOverall = "ratio_to_overall"
    case fairnessToOverall = "fairness_to_overall"
  }

  /// The figures of some samples; NaN where they are not defined.
  struct Row {
    var samples: Int
    private var values = SIMD8<Double>(repeating: .nan)

    init(samples: Int) { self.samples = samples }

    subscript(figure: GroupFigure) -> Double {
      get { values[figure.place] }
      set { values[figure.place] = newValue }
    }
  }

  /// The figures of the groups and of all samples, in the data themselves or in a replicate.
  struct Replicate {
    var groups: [Row]
    var overall: Row

    /// Those of the groups at `places`.
    func choosing(_ places: [Int]) -> Replicate { Replicate(groups: places.map { groups[$0] }, overall: overall) }

    private func defined(_ figure: GroupFigure) -> [Double] { groups.map { $0[figure] }.filter { !$0.isNaN } }

    func minimum(_ figure: GroupFigure) -> Double { defined(figure).min() ?? .nan }
    func maximum(_ figure: GroupFigure) -> Double { defined(figure).max() ?? .nan }
    func difference(_ figure: GroupFigure) -> Double { maximum(figure) - minimum(figure) }
    func ratio(_ figure: GroupFigure) -> Double { minimum(figure) / maximum(figure) }

    func differenceToOverall(_ figure: GroupFigure) -> Double {
      defined(figure).map { abs($0 - overall[figure]) }.filter { !$0.isNaN }.max() ?? .nan
    }

    func ratioToOverall(_ figure: GroupFigure) -> Double {
      defined(figure).map { $0 / overall[figure] }.filter { !$0.isNaN }.map { $0 > 1 ? 1 / $0 : $0 }.min() ?? .nan
    }

    /// The larger of two figures that are defined.
    static func larger(_ first: Double, _ second: Double) -> Double {
      [first, second].filter { !$0.isNaN }.max() ?? .nan
    }

    /// The smaller of two figures that are defined.
    static func smaller(_ first: Double, _ second: Double) -> Double {
      [first, second].filter { !$0.isNaN }.min() ?? .nan
    }
  }

  /// The report of the groups called `names`, whose figures are `own`, and `drawn` in the replicates.
  init(
    by groups: SampleGroups, names: [String], positive: String?, own: Replicate, replicates drawn: [Replicate],
    warnings: [String]
  ) {
    func estimate(_ value: (Replicate) -> Double) -> Estimate? {
      Estimate(value(own), replicates: drawn.map(value))
    }
    func estimates(_ value: @escaping (Replicate) -> (GroupFigure) -> Double) -> FigureSet<Estimate> {
      FigureSet { figure in estimate { value($0)(figure) } }
    }
    (by, self.positive, self.warnings) = (groups.name, positive, warnings)
    (samples, replicates) = (own.groups.reduce(0) { $0 + $1.samples }, drawn.count)
    self.groups = names.indices.map { place in
      Group(
        name: names[place], samples: own.groups[place].samples,
        figures: FigureSet { figure in estimate { $0.groups[place][figure] } })
    }
    overall = estimates { replicate in { replicate.overall[$0] } }
    minimum = estimates(Replicate.minimum)
    maximum = estimates(Replicate.maximum)
    difference = estimates(Replicate.difference)
    ratio = estimates(Replicate.ratio)
    differenceToOverall = estimates(Replicate.differenceToOverall)
    ratioToOverall = estimates(Replicate.ratioToOverall)
    guard positive != nil && !groups.isByClass else { return }
    func fairness(
      _ difference: @escaping (Replicate) -> (GroupFigure) -> Double,
      _ ratio: @escaping (Replicate) -> (GroupFigure) -> Double
    ) -> Fairness {
      Fairness(
        demographicParityDifference: estimate { difference($0)(.selectionRate) },
        demographicParityRatio: estimate { ratio($0)(.selectionRate) },
        equalizedOddsDifference: estimate {
          Replicate.larger(difference($0)(.recall), difference($0)(.falsePositiveRate))
        },
        equalizedOddsRatio: estimate { Replicate.smaller(ratio($0)(.recall), ratio($0)(.falsePositiveRate)) })
    }
    self.fairness = fairness(Replicate.difference, Replicate.ratio)
    fairnessToOverall = fairness(Replicate.differenceToOverall, Replicate.ratioToOverall)
  }
}
