/// A pattern of names, as a shell has it for files: `*` stands for any text, `?` for one character, all else for itself.
public struct Glob: Hashable, Sendable {
  /// The pattern's text.
  public let pattern: String

  /// The pattern of this text.
  public init(_ pattern: String) { self.pattern = pattern }

  /// Whether all of `name` fits. Takes at most as many comparisons as the product of both lengths.
  public func matches(_ name: String) -> Bool {
    let (pattern, name) = (Array(pattern.unicodeScalars), Array(name.unicodeScalars))
    var (place, next) = (0, 0)
    // Behind the last star: where it stands, and how far its text goes so far.
    var star: (pattern: Int, name: Int)?
    while next < name.count {
      if place < pattern.count, pattern[place] == "*" {
        star = (place + 1, next)
        place += 1
      } else if place < pattern.count, pattern[place] == "?" || pattern[place] == name[next] {
        (place, next) = (place + 1, next + 1)
      } else if let last = star {
        star = (last.pattern, last.name + 1)
        (place, next) = (last.pattern, last.name + 1)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == "*" }
  }
}
