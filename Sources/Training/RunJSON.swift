import FoundationEssentials
import Tensors

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
  private static func encoder(isPretty: Bool) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = isPretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: nan)
    return encoder
  }

  /// `value` as such a file has it: as ``encoder(isPretty:)`` writes it, and with nothing in it that is not seen.
  package static func bytes(of value: some Encodable, isPretty: Bool) throws -> [UInt8] {
    visible(try encoder(isPretty: isPretty).encode(value))
  }

  /// ``bytes(of:isPretty:)`` as text, to be printed.
  package static func text(of value: some Encodable, isPretty: Bool) throws -> String {
    String(decoding: try bytes(of: value, isPretty: isPretty), as: UTF8.self)
  }

  /// `json` with an escape for every character that is not seen, so that a text that others chose can neither hide nor reorder what stands
  /// around it. Such characters stand in texts alone, but for the line breaks between members.
  private static func visible(_ json: Data) -> [UInt8] {
    guard json.contains(where: { $0 >= 0x7F }) else { return Array(json) }
    let text = String(decoding: json, as: UTF8.self)
    return Array(text.unicodeScalars.map { $0 == "\n" || isVisible($0) ? "\($0)" : JSONValue.escape($0) }.joined().utf8)
  }
}
