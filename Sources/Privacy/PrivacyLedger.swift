/// The steps that were taken on a data set: all that an accountant needs to know, and small enough for a checkpoint.
///
/// Consecutive steps of one kind are one entry, so that a run of constant settings has one entry, however long it is.
public struct PrivacyLedger: Hashable, Sendable {
  /// A number of steps of one kind.
  public struct Entry: Hashable, Sendable {
    /// The kind of the steps.
    public let mechanism: SubsampledGaussian
    /// Their number, at least 1.
    public fileprivate(set) var steps: Int
  }

  /// The entries, in the order of the steps.
  public private(set) var entries: [Entry] = []

  /// A ledger without a step.
  public init() {}

  /// A ledger of `steps` steps of one kind, at least 0.
  public init(_ mechanism: SubsampledGaussian, steps: Int) { record(mechanism, steps: steps) }

  /// Adds `steps` steps of one kind, at least 0. To resume, record the entries of a ledger that was kept, in their order.
  public mutating func record(_ mechanism: SubsampledGaussian, steps: Int = 1) {
    precondition(steps >= 0, "\(steps) steps")
    guard steps > 0 else { return }
    if entries.last?.mechanism == mechanism {
      entries[entries.count - 1].steps += steps
    } else {
      entries.append(Entry(mechanism: mechanism, steps: steps))
    }
  }

  /// The number of all steps.
  public var steps: Int { entries.reduce(0) { $0 + $1.steps } }
}
