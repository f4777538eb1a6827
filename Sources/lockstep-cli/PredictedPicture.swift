import Lockstep

/// What became of a picture that was to be told.
struct PredictedPicture: Codable {
  /// Its place among all pictures.
  var place: Int
  /// The probability of every class; empty if there is a fault.
  var probabilities: [Float] = []
  /// Why it could not be told, in one line; nil if it could.
  var fault: String?
  /// The exit code of the fault.
  var code: Int32 = 0

  /// The picture told as `7 (99 %), 1 (0.6 %), 9 (0.1 %)`: the three most probable classes.
  func text(_ names: [String]) -> String {
    ranked.prefix(3).map { "\(escaped(names[$0])) (\(percent(Double(probabilities[$0]))))" }.joined(separator: ", ")
  }

  /// The picture told as a line of JSON.
  func json(_ file: String, _ names: [String]) -> String {
    let best = ranked[0]
    return JSONValue.object([
      .init("file", .string(file)), .init("label", .string(names[best])),
      .init("probability", .number("\(probabilities[best])")),
      .init("probabilities", .object(zip(names, probabilities).map { .init($0, .number("\($1)")) })),
    ]).description
  }

  /// The classes by their probability, the first of equals first.
  private var ranked: [Int] {
    probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
  }
}
