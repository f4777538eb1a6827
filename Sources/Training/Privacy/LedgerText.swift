import Checkpoints
import Privacy

/// A ledger as a line of a checkpoint's recipe, and what a checkpoint's recipe says of the steps that its weights have cost.
extension PrivacyLedger {
  /// The entries as `rate noise steps`, with a semicolon between two.
  var text: String {
    entries.map { "\($0.mechanism.sampleRate) \($0.mechanism.noiseMultiplier) \($0.steps)" }.joined(separator: ";")
  }

  /// The ledger of ``text``. Throws ``TrainingError`` with 65 if it is none.
  init(text: String) throws {
    self.init()
    for entry in text.split(separator: ";") {
      let words = entry.split(separator: " ")
      guard words.count == 3, let rate = Double(words[0]), let noise = Double(words[1]), let steps = Int(words[2]),
        steps >= 0, let mechanism = try? SubsampledGaussian(sampleRate: rate, noiseMultiplier: noise)
      else { throw TrainingError(.badData, "\(entry.debugDescription) is no entry of a privacy account") }
      record(mechanism, steps: steps)
    }
  }

  /// The steps that the weights of a checkpoint have cost: those of its run, and those before it. nil if its run was not private. Throws
  /// ``TrainingError`` with 65 if the account is wrong.
  init?(checkpoint header: SafeTensorsHeader) throws {
    try self.init(
      recipe: { header.metadataValue(Checkpoint.recipePrefix + $0) },
      steps: header.metadataValue(Checkpoint.MetadataKey.step) ?? "")
  }

  /// The same of a checkpoint with this recipe after `step` steps.
  package init?(recipe: Fingerprint, step: Int) throws { try self.init(recipe: { recipe[$0] }, steps: "\(step)") }

  private init?(recipe entry: (String) -> String?, steps: String) throws {
    guard let noise = entry("private_noise") else { return nil }
    try self.init(text: entry("private_before") ?? "")
    let own = try PrivacyLedger(text: "\(entry("private_rate") ?? "") \(noise) \(steps)")
    for entry in own.entries { record(entry.mechanism, steps: entry.steps) }
  }
}
