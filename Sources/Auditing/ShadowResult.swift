import Steps
import Training

/// What a membership audit keeps of a model.
struct ShadowResult: Codable {
  /// Its confidence in each sample of the audit.
  var confidences: [SampleConfidence]
  /// The ε that its training cost; nil if it is not private.
  var epsilon: Double?

  init(confidences: [SampleConfidence], epsilon: Double?) {
    (self.confidences, self.epsilon) = (confidences, epsilon)
  }

  /// As words to send: ε or no number, and two a sample.
  var words: [UInt64] { [(epsilon ?? .nan).bitPattern] + confidences.words }

  /// Reads ``words``.
  init(words: ArraySlice<UInt64>) {
    let epsilon = Double(bitPattern: words.first ?? 0)
    self.init(
      confidences: [SampleConfidence](words: words.dropFirst()), epsilon: epsilon.isNaN ? nil : epsilon)
  }

  /// The number of ``words``.
  static func wordCount(samples: Int) -> Int { 1 + 2 * samples }
}
