import Tensors

/// One layer of a model's file, whose properties ``DescribedLayer/init(from:)`` asks for, each once, by name.
///
/// What is asked for without `usual` must be there. A property that is not asked for is refused afterwards.
public struct LayerReader {
  /// The layer's place in the file, such as `layers[3].body[0]`.
  public let place: String
  /// The shape of one sample of the layer's input.
  public let input: Shape
  /// The names that were asked for.
  private(set) var names: [String] = []
  private let object: JSONValue
  private let model: ModelReader
  /// How many lists of layers this one is in.
  private let depth: Int

  init(_ object: JSONValue, at place: String, input: Shape, in model: ModelReader, depth: Int) {
    (self.object, self.place, self.input, self.model, self.depth) = (object, place, input, model, depth)
  }

  /// The largest size that a layer can have: above it a size is a typing error, and could overflow a count later.
  public static let mostOfASize = 1_000_000

  /// A size: an integer from 1 to ``mostOfASize``, or `"outputs"`, which is the number of outputs of the task.
  public mutating func size(_ name: String, usual: Int? = nil) throws -> Int {
    if object[name] == .string(ModelReader.outputsName) {
      names.append(name)
      return model.outputs
    }
    return try integer(name, in: 1...Self.mostOfASize, usual: usual, or: ", or \"\(ModelReader.outputsName)\"")
  }

  /// An integer in `range`.
  public mutating func integer(
    _ name: String, in range: ClosedRange<Int> = 1...Self.mostOfASize, usual: Int? = nil
  ) throws -> Int {
    try integer(name, in: range, usual: usual, or: "")
  }

  private mutating func integer(
    _ name: String, in range: ClosedRange<Int>, usual: Int?, or other: String
  ) throws -> Int {
    try value(name, "an integer from \(range.lowerBound) to \(range.upperBound)\(other)", usual: usual) {
      Self.integer($0, in: range)
    }
  }

  /// Up to `most` integers in `range`, at least one.
  public mutating func integers(
    _ name: String, most: Int = 8, in range: ClosedRange<Int> = 1...Int(Int32.max)
  ) throws -> [Int] {
    let wanted = "1 to \(most) integers from \(range.lowerBound) to \(range.upperBound) in brackets"
    return try value(name, wanted, usual: nil) { value in
      guard case .array(let elements) = value, (1...most).contains(elements.count) else { return nil }
      let numbers = elements.compactMap { Self.integer($0, in: range) }
      return numbers.count == elements.count ? numbers : nil
    }
  }

  /// A number in `range`; `words` say which, such as `at least 0 and less than 1`.
  public mutating func number(
    _ name: String, in range: some RangeExpression<Float>, _ words: String, usual: Float? = nil
  ) throws -> Float {
    try value(name, "a number that is \(words)", usual: usual) { value in
      guard case .number(let text) = value, let number = Float(text), number.isFinite, range.contains(number) else {
        return nil
      }
      return number
    }
  }

  /// True or false.
  public mutating func flag(_ name: String, usual: Bool? = nil) throws -> Bool {
    try value(name, "true or false", usual: usual) { value -> Bool? in
      if case .boolean(let flag) = value { flag } else { nil }
    }
  }

  /// One of the names of `Choice`.
  public mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, usual: Choice? = nil
  ) throws -> Choice where Choice.RawValue == String {
    let words = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
    return try value(name, words, usual: usual) { value -> Choice? in
      if case .string(let text) = value { Choice(rawValue: text) } else { nil }
    }
  }

  /// Layers within the layer, the first of which takes the layer's own input; none if the list may be left out and is.
  public mutating func layers(_ name: String, mayBeMissing: Bool = false) throws -> [any LayerSpecification] {
    names.append(name)
    guard let list = object[name] else {
      if mayBeMissing { return [] }
      throw ModelDescriptionError("\(place).\(name)", "is missing; give a list of layers")
    }
    return try model.layers(list, at: "\(place).\(name)", input: input, depth: depth + 1)
  }

  /// The property `name` as `read` makes it of its value, which is nil if the value is not `wanted`.
  private mutating func value<Value>(
    _ name: String, _ wanted: String, usual: Value?, _ read: (JSONValue) -> Value?
  ) throws -> Value {
    names.append(name)
    guard let value = object[name] else {
      if let usual { return usual }
      throw ModelDescriptionError("\(place).\(name)", "is missing; give \(wanted)")
    }
    guard let result = read(value) else {
      throw ModelDescriptionError("\(place).\(name)", "is \(shown(value)); give \(wanted)")
    }
    return result
  }

  private static func integer(_ value: JSONValue, in range: ClosedRange<Int>) -> Int? {
    guard case .number(let text) = value, let number = Int(text), range.contains(number) else { return nil }
    return number
  }
}

/// A value from a file, for an error's line.
func shown(_ value: JSONValue) -> String {
  switch value {
  case .null, .boolean: "\(value)"
  case .number(let text): escaped(text, limit: 40)
  case .string(let text): quoted(text, limit: 40)
  case .array: "a list"
  case .object: "an object"
  }
}
