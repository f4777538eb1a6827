import Tensors

/// A model in words: its name, its layers and, if it predicts pixels, its task, as a model's file has them (docs/models.md).
///
///     {"name": "mine", "layers": [
///       {"type": "Conv2D", "filters": 32, "kernel": 3},
///       {"type": "ReLU"},
///       {"type": "Dense", "units": "outputs"}
///     ]}
///
/// The layers can be read for any input and any number of outputs that they fit.
public struct ModelDescription: Sendable, Equatable {
  /// The model's name.
  public let name: String
  /// The task of a model that predicts pixels; nil if the data say what it learns.
  public let task: PixelTask?
  /// The layers: an array of objects.
  public let layers: JSONValue

  /// The most bytes of a name.
  private static let mostNameBytes = 100

  /// Reads a file's text. Throws ``ModelDescriptionError`` if it is not JSON, or not an object with a name and layers.
  /// What the layers are is looked at by ``model(input:outputs:layers:)``.
  public init(_ text: [UInt8]) throws {
    let value = try Self.parsed(text, at: nil)
    guard let members = value.members else {
      throw ModelDescriptionError(nil, "is \(shown(value)); give an object with \"name\" and \"layers\"")
    }
    for member in members where !Self.keys.contains(where: { ExactText($0) == ExactText(member.key) }) {
      throw ModelDescriptionError(
        nil,
        "\(quoted(member.key, limit: 40)) is nothing that a model has: \(Self.keys.joined(separator: ", "))")
    }
    guard let name = value["name"] else { throw ModelDescriptionError("name", "is missing; give the model a name") }
    guard case .string(let called) = name, Self.isName(called) else {
      throw ModelDescriptionError(
        "name", "is \(shown(name)); give 1 to \(Self.mostNameBytes) letters, digits, or any of . : _ -")
    }
    guard let layers = value["layers"] else {
      throw ModelDescriptionError("layers", "is missing; give a list of layers")
    }
    (self.name, task, self.layers) = (called, try Self.task(value), layers)
  }

  /// The keys of a file, in the order in which they are written.
  private static let keys = ["name", "task", "pooling", "layers"]

  /// The task that the file names.
  private static func task(_ value: JSONValue) throws -> PixelTask? {
    guard let task = value["task"] else {
      if value["pooling"] != nil { throw ModelDescriptionError("pooling", "needs a task; give \(taskWords)") }
      return nil
    }
    guard case .string(let text) = task, let kind = PixelTask.Kind(rawValue: text) else {
      throw ModelDescriptionError(
        "task", "is \(shown(task)); give \(taskWords), or leave it out for one that follows from the data")
    }
    guard let pooling = value["pooling"] else { return PixelTask(kind) }
    let range = 1...(kind.isBlackAndWhite ? mostPooling : 1)
    guard case .number(let text) = pooling, let side = Int(text), range.contains(side) else {
      throw ModelDescriptionError(
        "pooling",
        "is \(shown(pooling)); give "
          + (kind.isBlackAndWhite ? "an integer from 1 to \(mostPooling)" : "none with task \(quoted(text, limit: 40))")
      )
    }
    return PixelTask(kind, pooling: side)
  }

  private static let taskWords = PixelTask.Kind.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
  private static let mostPooling = 1000

  /// The description whose ``layersText`` is `layersText`, of a model called `name`, without a task. Throws ``ModelDescriptionError`` if
  /// the text is not JSON.
  public init(name: String, layersText: String) throws {
    (self.name, task) = (name, nil)
    layers = try Self.parsed(Array(layersText.utf8), at: "layers")
  }

  /// The description of `model`. Throws ``ModelError`` if a layer of it is no ``DescribedLayer``.
  public init(of model: Model) throws {
    (name, task) = (model.name, model.pixelTask)
    layers = Self.folding(.array(try Self.objects(of: model.layers)))
  }

  /// The description of what `make` gives for a number of outputs, with `"outputs"` in place of each size that is that
  /// number. Throws if `make` cannot give the model for `outputs` outputs, or as ``init(of:)``.
  public init(outputs: Int, of make: (Int) throws -> Model) throws {
    let model = try make(outputs)
    (name, task) = (model.name, model.pixelTask)
    var layers = JSONValue.array(try Self.objects(of: model.layers))
    // Sizes that another number of outputs changes are the outputs. mlp:784-10 fits its own number only.
    if let other = try? make(outputs + 1) {
      layers = Self.naming(outputs, in: layers, .array(try Self.objects(of: other.layers)))
    }
    self.layers = Self.folding(layers)
  }

  /// The file's text for people, a layer a line.
  public var text: String {
    var members = [JSONValue.Member("name", .string(name))]
    if let task {
      members.append(.init("task", .string(task.kind.rawValue)))
      if task.pooling != 1 { members.append(.init("pooling", .number("\(task.pooling)"))) }
    }
    return JSONValue.object(members + [.init("layers", layers)]).lines
  }

  /// The layers on one line: all that decides what the model computes.
  public var layersText: String { "\(layers)" }

  /// The model for samples of shape `input` and `outputs` outputs. Throws ``ModelDescriptionError`` with the place of
  /// what is unknown, cannot be, is too large, or does not fit the input.
  ///
  /// - Parameter table: the types of layers that it may name.
  public func model(input: Shape, outputs: Int, layers table: LayerTable = .builtIn) throws -> Model {
    let layers = try ModelReader(table, outputs: outputs).layers(self.layers, at: "layers", input: input)
    return Model(name: name, input: input, layers: layers, isDescribed: true, pixelTask: task)
  }

  /// The most bytes of a file.
  public static let mostBytes = 1 << 20

  private static func parsed(_ text: [UInt8], at place: String?) throws -> JSONValue {
    guard text.count <= mostBytes else {
      throw ModelDescriptionError(place, "has \(text.count) bytes; the most is \(mostBytes)")
    }
    do { return try JSONValue(text) } catch { throw ModelDescriptionError(place, "is no JSON: \(error)") }
  }

  private static func isName(_ text: String) -> Bool {
    (1...mostNameBytes).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
        default: ".:_-".utf8.contains(byte)
        }
      }
  }

  // MARK: Writing

  private static func objects(of layers: [any LayerSpecification]) throws -> [JSONValue] {
    try layers.map { layer in
      guard let layer = layer as? any DescribedLayer else {
        throw ModelError("a layer of type \(type(of: layer)) has no description; let it be a DescribedLayer")
      }
      return try object(of: layer)
    }
  }

  private static func object(of layer: some DescribedLayer) throws -> JSONValue {
    var members = [JSONValue.Member("type", .string(type(of: layer).typeName))]
    for property in layer.properties where !property.isUsual {
      let value: JSONValue =
        switch property.value {
        case .plain(let value): value
        case .layers(let layers): .array(try objects(of: layers))
        }
      members.append(.init(property.name, value))
    }
    return .object(members)
  }

  /// `value` with `"outputs"` where it has `outputs` and `other`, of one form, has one more.
  private static func naming(_ outputs: Int, in value: JSONValue, _ other: JSONValue) -> JSONValue {
    switch (value, other) {
    case (.number("\(outputs)"), .number("\(outputs + 1)")): .string(ModelReader.outputsName)
    case (.array(let elements), .array(let others)) where elements.count == others.count:
      .array(zip(elements, others).map { naming(outputs, in: $0, $1) })
    case (.object(let members), .object(let others)) where members.map(\.key) == others.map(\.key):
      .object(zip(members, others).map { .init($0.key, naming(outputs, in: $0.value, $1.value)) })
    default: value
    }
  }

  /// `value` with a repeat in place of equal neighbours in a list of layers.
  private static func folding(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members): return .object(members.map { .init($0.key, folding($0.value)) })
    case .array(let elements):
      var result: [JSONValue] = []
      var rest = elements.map(folding)[...]
      while let first = rest.first {
        let count = first.members == nil ? 1 : rest.prefix { $0 == first }.count
        rest = rest.dropFirst(count)
        result.append(
          count == 1
            ? first : .object([.init("repeat", .number("\(count)")), .init("layers", .array([first]))]))
      }
      return .array(result)
    default: return value
    }
  }
}
