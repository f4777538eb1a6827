// Text that others chose (names in a file, paths, host names) is shown through these functions alone, so that it can
// neither begin a line of its own nor move, hide or reorder what stands around it on a terminal.

/// `text` as it is shown inside a line: what cannot be seen is escaped as in a Swift literal, and so are backslashes and
/// double quotes, which makes the result unambiguous. At most `limit` bytes, the last three of which then are "…".
///
/// The limit is in bytes: a single character may have megabytes of combining marks.
public func escaped(_ text: String, limit: Int = 80) -> String {
  var result = ""
  var byteCount = 0
  // The result as it is where the end has to make room for the mark.
  var cut = result
  for scalar in text.unicodeScalars {
    let shown = scalar == "\\" || scalar == "\"" ? "\\\(scalar)" : visible(scalar)
    byteCount += shown.utf8.count
    if byteCount > limit { return cut + "…" }
    result += shown
    if byteCount <= limit - 3 { cut = result }
  }
  return result
}

/// `text` escaped and in double quotes.
public func quoted(_ text: String, limit: Int = 80) -> String { "\"\(escaped(text, limit: limit))\"" }

/// A finished message with whatever could end its line, or is not seen, escaped. Text that ``escaped(_:limit:)`` has
/// been through stays as it is: a second pass changes nothing. Of one of more than `limit` bytes, "…" stands for the middle:
/// it begins with where, and ends with what to do.
public func singleLine(_ message: String, limit: Int = 8192) -> String {
  var result = ""
  for scalar in message.unicodeScalars { result += visible(scalar) }
  guard result.utf8.count > limit else { return result }
  // Less than half on each side: an index inside a scalar stands for the scalar's first byte.
  let half = limit / 2 - 3
  let (end, start) = (
    result.utf8.index(result.startIndex, offsetBy: half), result.utf8.index(result.endIndex, offsetBy: -half)
  )
  return String(result.unicodeScalars[..<end]) + "…" + String(result.unicodeScalars[start...])
}

/// `scalar` itself where it can be seen, else its escape. Not seen are: control characters, line and paragraph
/// separators, direction marks, joiners and all else that Unicode says to ignore, spaces but the usual one, and what has
/// no meaning that everybody shares.
private func visible(_ scalar: Unicode.Scalar) -> String {
  if (0x20...0x7E).contains(scalar.value) { return String(scalar) }
  switch scalar {
  case "\0": return "\\0"
  case "\n": return "\\n"
  case "\r": return "\\r"
  case "\t": return "\\t"
  default: break
  }
  let isHidden =
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned:
      true
    default: scalar.properties.isDefaultIgnorableCodePoint
    }
  return isHidden ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : String(scalar)
}
