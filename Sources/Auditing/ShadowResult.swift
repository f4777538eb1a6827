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

extension [SampleConfidence] {
  /// As words to send, two a sample.
  var words: [UInt64] { flatMap { [$0.logit.bitPattern, $0.isCorrect ? 1 : 0] } }

  /// Reads ``words``.
  init(words: ArraySlice<UInt64>) {
    self = stride(from: words.startIndex, to: words.endIndex - 1, by: 2).map {
      SampleConfidence(logit: Double(bitPattern: words[$0]), isCorrect: words[$0 + 1] == 1)
    }
  }
}
