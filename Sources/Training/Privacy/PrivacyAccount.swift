import Privacy

/// The account of a private run: what its steps have cost, whenever it was stopped and went on.
struct PrivacyAccount {
  let plan: PrivacyPlan
  /// The steps of the run whose weights this one began with.
  let before: PrivacyLedger

  /// The account of a run by `plan`, on top of `before`.
  init(_ plan: PrivacyPlan, before: PrivacyLedger) { (self.plan, self.before) = (plan, before) }

  /// What the weights have cost after `steps` steps of the run. A step that was not taken counts as well.
  func spent(_ steps: Int) throws -> PrivacySpent {
    var ledger = before
    ledger.record(plan.mechanism, steps: steps)
    return try plan.settings.spent(ledger, plan.mechanism)
  }
}
