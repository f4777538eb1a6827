import Exchange
import Foundation
import PeerPython
import Testing

struct ONNXGraphTests {
  /// `y = x · w + 0.5` of rows of two.
  private static var model: ONNXModel {
    var graph = ONNXGraph(name: "line")
    graph.addInput("x", [.named("N"), .fixed(2)])
    graph.addConstant("w", shape: [2, 3], floats: [1, 2, 3, 4, 5, 6])
    graph.addConstant("half", shape: [], floats: [0.5])
    graph.addConstant("axes", shape: [2], integers: [-1, 3])
    graph.addNode("MatMul", ["x", "w"], outputs: ["product"])
    graph.addNode("Add", ["product", "half"], outputs: ["sum"])
    graph.addNode("Reshape", ["sum", "axes"], outputs: ["y"], attributes: ["allowzero": .integer(0)])
    graph.addOutput("y", [.named("N"), .fixed(3)])
    return ONNXModel(
      graph, producer: "tests", producerVersion: "1", documentation: "A line.", metadata: [("a", "b"), ("c", "d")])
  }

  /// The fields by onnx.proto, version 1.12.
  @Test func bytes() {
    var graph = ONNXGraph(name: "g")
    graph.addInput("x", [.named("N"), .fixed(2)])
    graph.addConstant("w", shape: [1], floats: [1])
    graph.addNode("Op", ["x", "", "w"], outputs: ["", "y"], attributes: ["k": .integers([1, -1]), "f": .float(1)])
    let model = ONNXModel(graph, producer: "p")
    // Each: the field's tag, the length of what follows, and that.
    func text(_ field: UInt8, _ text: String) -> [UInt8] { message(field, Array(text.utf8)) }
    func message(_ field: UInt8, _ content: [UInt8]) -> [UInt8] { [field << 3 | 2, UInt8(content.count)] + content }
    let shape = message(1, text(2, "N")) + message(1, [0x08, 2])
    let input = text(1, "x") + message(2, message(1, [0x08, 1] + message(2, shape)))
    let constant = message(1, [1]) + [0x10, 1] + text(8, "w") + message(9, [0, 0, 0x80, 0x3F])
    let ints = text(1, "k") + message(8, [1] + [UInt8](repeating: 0xFF, count: 9) + [1]) + [0xA0, 1, 7]
    let float = text(1, "f") + [0x15, 0, 0, 0x80, 0x3F] + [0xA0, 1, 1]
    let node =
      text(1, "x") + text(1, "") + text(1, "w") + text(2, "") + text(2, "y") + text(3, "y") + text(4, "Op")
      + message(5, ints) + message(5, float)
    let whole = text(2, "g") + message(11, input) + message(5, constant) + message(1, node)
    #expect(
      model.bytes == [0x08, 8] + text(2, "p") + text(3, "") + text(6, "") + message(7, whole)
        + message(8, text(1, "") + [0x10, 17]))
  }

  @Test func namesAreUnique() {
    var graph = ONNXGraph(name: "g")
    #expect(["a", "a", "b", "a_2", "a"].map { graph.uniqueName($0) } == ["a", "a_2", "b", "a_2_2", "a_3"])
  }

  @Test func onnxRuntimeRunsIt() throws {
    let packages = ["onnx", "onnxruntime", "numpy"]
    guard let python = try PeerPython("onnx", packages: packages, modules: packages) else { return }
    let path = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString).onnx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(Self.model.bytes).write(to: URL(fileURLWithPath: path))
    let script = """
      import sys, numpy, onnx, onnxruntime
      onnx.checker.check_model(sys.argv[1], full_check=True)
      model = onnx.load(sys.argv[1])
      assert model.ir_version == 8 and [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
      print(model.producer_name, model.producer_version, model.doc_string, {p.key: p.value for p in model.metadata_props})
      session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
      print(session.run(["y"], {"x": numpy.array([[1, 0], [0, 1]], numpy.float32)})[0].tolist())
      """
    let (status, output) = try python.run(["-c", script, path])
    #expect(
      status == 0
        && output == "tests 1 A line. {'a': 'b', 'c': 'd'}\n[[1.5, 2.5, 3.5], [4.5, 5.5, 6.5]]\n", "\(output)")
  }
}
