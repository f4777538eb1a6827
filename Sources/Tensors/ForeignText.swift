// Text that others chose (names in a file, paths, host names) is shown only through these functions. So it can neither
// begin a line of its own, nor move, hide or reorder the text around it on a terminal.

/// `text` for the inside of a line: invisible characters, backslashes and double quotes are escaped as in a Swift
/// literal, so that the result is unambiguous. It has at most `limit` bytes; if it is cut, the last three of them are
/// "…".
///
/// The limit is in bytes because a single character may have megabytes of combining marks.
public func escaped(_ text: String, limit: Int = 80) -> String {
  var result = ""
  var byteCount = 0
  // The longest beginning that leaves room for the mark.
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

/// `text`, escaped, in double quotes.
public func quoted(_ text: String, limit: Int = 80) -> String { "\"\(escaped(text, limit: limit))\"" }

/// `message` as one line: line breaks and invisible characters are escaped. Text that ``escaped(_:limit:)`` has
/// returned does not change again.
///
/// If the line has more than `limit` bytes, "…" replaces its middle, because a message begins with the place and ends
/// with the advice.
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

/// `scalar` itself if it is visible, else its escape. Invisible are control characters, line and paragraph separators,
/// direction marks, joiners and all others that Unicode says to ignore, spaces except the usual one, and characters
/// that are unassigned or for private use.
private func visible(_ scalar: Unicode.Scalar) -> String {
  if (0x20...0x7E).contains(scalar.value) { return String(scalar) }
  switch scalar {
  case "\0": return "\\0"
  case "\n": return "\\n"
  case "\r": return "\\r"
  case "\t": return "\\t"
  default: break
  }
  return isVisible(scalar) ? String(scalar) : "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
}

/// Whether `scalar` is seen where it stands, and moves nothing around it.
package func isVisible(_ scalar: Unicode.Scalar) -> Bool {
  if (0x20...0x7E).contains(scalar.value) { return true }
  return switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned:
    false
  default: !scalar.properties.isDefaultIgnorableCodePoint
  }
}
