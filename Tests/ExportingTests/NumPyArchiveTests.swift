import Foundation
import Lockstep
import PeerPython
import Testing

struct NumPyArchiveTests {
  private static func path() -> String {
    FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString).npz"
  }

  @Test func numPyReadsIt() throws {
    let packages = ["onnx", "onnxruntime", "numpy"]
    guard let python = try PeerPython("onnx", packages: packages, modules: packages) else { return }
    let path = Self.path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let values = Buffer<Float>((0..<24).map { Float($0) - 7.5 })
    try NumPyArchive.write(
      [
        NamedTensor(name: "blocks.0.weight", shape: [2, 3, 4], values: values),
        NamedIntegers(name: "count", shape: [], values: Buffer([-3])),
        NamedTensor(name: "row", shape: [1], values: Buffer([.infinity])),
        NamedTensor(name: "none", shape: [0, 4], values: Buffer(count: 0)),
        NamedIntegers(name: "steps", shape: [2], values: Buffer([1 << 40, 9])),
      ], to: path)
    let script = """
      import sys, numpy, zipfile
      assert zipfile.ZipFile(sys.argv[1]).testzip() is None
      arrays = numpy.load(sys.argv[1], allow_pickle=False)
      for name in arrays: print(name, arrays[name].dtype, arrays[name].shape, arrays[name].ravel()[:3].tolist())
      assert (arrays["blocks.0.weight"].ravel() == numpy.arange(24) - 7.5).all()
      """
    let (status, output) = try python.run(["-c", script, path])
    #expect(
      status == 0
        && output == """
          blocks.0.weight float32 (2, 3, 4) [-7.5, -6.5, -5.5]
          count int64 () [-3]
          row float32 (1,) [inf]
          none float32 (0, 4) []
          steps int64 (2,) [1099511627776, 9]

          """,
      "\(output)")
  }

  @Test func sameTensorsAreTheSameFile() throws {
    let paths = [Self.path(), Self.path()]
    defer { for path in paths { try? FileManager.default.removeItem(atPath: path) } }
    for path in paths {
      try NumPyArchive.write([NamedTensor(name: "a", shape: [3], values: Buffer([1, 2, 3]))], to: path)
    }
    let files = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    #expect(files[0] == files[1])
  }

  /// A tensor of another type, of which NumPy knows more than is written here.
  private struct Bytes: StorableTensor {
    var name: String { "bytes" }
    var shape: Shape { [4] }
    var elementType: ElementType { .bfloat16 }
    func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
      try Buffer<UInt16>(count: 4).withBytes(body)
    }
  }

  @Test func whatCannotBeWrittenIsSaid() throws {
    let path = Self.path()
    #expect(throws: ModelError("bytes: elements of type BF16 are not written for NumPy")) {
      try NumPyArchive.write([Bytes()], to: path)
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(throws: FileWriteError.self) { try NumPyArchive.write([], to: "/nowhere/file.npz") }
  }

  /// Of zeros that take no memory until they are read, and none are.
  @Test func fourGibibytesAreTheMost() throws {
    struct Large: StorableTensor {
      var name: String
      var shape: Shape { [1 << 29] }
      var elementType: ElementType { .float32 }
      func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        Issue.record("was read")
      }
    }
    let path = Self.path()
    #expect(throws: ModelError.self) { try NumPyArchive.write([Large(name: "a"), Large(name: "b")], to: path) }
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
