import Tensors

/// Reads the layers of a model's description, with the shape of what each takes, so that whatever is wrong is said with
/// its place, and nothing is made that is too large.
final class ModelReader {
  /// What stands in a size's place for the number of outputs of the task.
  static let outputsName = "outputs"
  /// The most layers, those of repeats and blocks counted each.
  static let mostLayers = 4096
  /// The most lists of layers within one another.
  static let mostDepth = 16
  /// The most floats of one sample between two layers, 2 GB: with this and ``mostParameters`` no count of a layer's
  /// operations overflows.
  static let mostValues = 1 << 29

  let outputs: Int
  private let table: LayerTable
  private var layersLeft = mostLayers

  /// A reader for a task of `outputs` outputs.
  init(_ table: LayerTable, outputs: Int) { (self.table, self.outputs) = (table, outputs) }

  /// The layers of `list` at `place`: those of a model, or of a layer that has layers.
  func layers(
    _ list: JSONValue, at place: String, input: Shape, depth: Int = 1
  ) throws -> [any LayerSpecification] {
    let layers = try sequence(list, at: place, input: input, depth: depth).layers
    guard !layers.allSatisfy({ $0 is any RenamingSpecification }) else {
      throw ModelDescriptionError(place, "has only layers that rename a shape; give one that computes")
    }
    return layers
  }

  /// The layers of `list`, of a repeat too, and the shape of their output.
  private func sequence(
    _ list: JSONValue, at place: String, input: Shape, depth: Int
  ) throws -> (layers: [any LayerSpecification], output: Shape) {
    guard case .array(let elements) = list else {
      throw ModelDescriptionError(place, "is \(shown(list)); give a list of layers")
    }
    guard !elements.isEmpty else { throw ModelDescriptionError(place, "is empty; give one layer or more") }
    guard depth <= Self.mostDepth else {
      throw ModelDescriptionError(place, "is \(depth) lists deep; the most is \(Self.mostDepth)")
    }
    var (result, shape) = ([] as [any LayerSpecification], input)
    for (index, element) in elements.enumerated() {
      let place = "\(place)[\(index)]"
      guard let members = element.members else {
        throw ModelDescriptionError(place, "is \(shown(element)); give a layer, such as {\"type\": \"ReLU\"}")
      }
      if element["repeat"] != nil {
        let (count, list) = try repetition(element, members, at: place)
        for _ in 0..<count {
          let more = try sequence(list, at: "\(place).layers", input: shape, depth: depth + 1)
          (result, shape) = (result + more.layers, more.output)
        }
      } else {
        let layer = try layer(element, members, at: place, input: shape, depth: depth)
        result.append(layer.layer)
        shape = layer.output
      }
    }
    return (result, shape)
  }

  /// `{"repeat": 3, "layers": […]}`: the layers of the list, as often as that, in the list that it stands in.
  private func repetition(
    _ element: JSONValue, _ members: [JSONValue.Member], at place: String
  ) throws -> (count: Int, list: JSONValue) {
    var reader = LayerReader(element, at: place, input: [1], in: self, depth: 0)
    let count = try reader.integer("repeat", in: 1...Self.mostLayers)
    guard let list = element["layers"] else {
      throw ModelDescriptionError("\(place).layers", "is missing; give the layers to repeat")
    }
    try require(members, in: ["repeat", "layers"], of: "a repeat", at: place)
    return (count, list)
  }

  private func layer(
    _ element: JSONValue, _ members: [JSONValue.Member], at place: String, input: Shape, depth: Int
  ) throws -> (layer: any LayerSpecification, output: Shape) {
    guard let name = element["type"] else {
      throw ModelDescriptionError("\(place).type", "is missing; give the layer's type, such as \"Conv2D\"")
    }
    guard case .string(let text) = name, let type = table[text] else {
      throw ModelDescriptionError(
        "\(place).type", "is \(shown(name)); there are: \(table.names.joined(separator: ", "))")
    }
    layersLeft -= 1
    guard layersLeft >= 0 else {
      throw ModelDescriptionError(place, "is one layer too many; the most is \(Self.mostLayers), repeats counted")
    }
    var reader = LayerReader(element, at: place, input: input, in: self, depth: depth)
    let layer = try type.init(from: &reader)
    try require(members, in: ["type"] + reader.names, of: text, at: place)
    return (layer, try output(of: layer, at: place, input: input))
  }

  /// The shape of the layer's output. Throws if it cannot take `input`, or is larger than any machine holds.
  private func output(of layer: any LayerSpecification, at place: String, input: Shape) throws -> Shape {
    let output: Shape
    do { output = try layer.outputShape(for: input) } catch { throw ModelDescriptionError(place, "\(error)") }
    guard elements(of: output) <= Double(Self.mostValues) else {
      throw ModelDescriptionError(place, "gives \(output) a sample; the most is \(Self.mostValues) values")
    }
    guard layer.learntCount(for: input) <= Double(mostParameters) else {
      throw ModelDescriptionError(
        place, "learns \(layer.learntCount(for: input)) parameters; the most is \(mostParameters)")
    }
    return output
  }

  /// Throws if the object has a member that is not one of `names`.
  private func require(_ members: [JSONValue.Member], in names: [String], of type: String, at place: String) throws {
    guard let unknown = members.first(where: { member in !names.contains { ExactText($0) == ExactText(member.key) } })
    else { return }
    throw ModelDescriptionError(
      place, "\(quoted(unknown.key, limit: 40)) is nothing that \(type) has: \(names.joined(separator: ", "))")
  }
}
