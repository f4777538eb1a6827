import FoundationEssentials

/// The JSON of a run directory's files. Numbers that are not finite are texts, because JSON has none.
package enum RunJSON {
  private static let (infinity, minusInfinity, nan) = ("Infinity", "-Infinity", "NaN")

  /// A reader of such files.
  package static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: nan)
    return decoder
  }

  /// A writer of such files, with sorted keys; if `isPretty`, a line a member.
  package static func encoder(isPretty: Bool) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = isPretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: nan)
    return encoder
  }
}
