import Checkpoints
import Tensors
import Testing

@Suite struct SafeTensorsTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// The bytes come from Python, which computed the checksums as the documentation of `SafeTensors` says:
  ///
  ///     a = struct.pack("<4f", 1, 2, 3, 4); b = struct.pack("<f", -0.5)
  ///     def file(whole):
  ///       h = json.dumps({"__metadata__": {"sha256": whole, "note": "x",
  ///         "sha256.a": hashlib.sha256(a).hexdigest(), "sha256.b": hashlib.sha256(b).hexdigest()},
  ///         "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
  ///         "b": {"dtype": "F32", "shape": [1], "data_offsets": [16, 20]}}, separators=(",", ":")).encode()
  ///       h += b" " * (-len(h) % 8)
  ///       return struct.pack("<Q", len(h)) + h + a + b
  ///     golden = file(hashlib.sha256(file("0" * 64)).hexdigest())
  @Test func writesTheGoldenBytes() throws {
    let header =
      #"{"__metadata__":{"sha256":"df49fb7086fb1e984afe8a38389983cf285b9b1c2e04576ae055ebca593e27c0","note":"x","#
      + #""sha256.a":"ad73b9acd6e4a74b2f5bb5386658ce3bb146cd040a1867646ab3b973fb6632b1","#
      + #""sha256.b":"c34fde18c1b8ec18aa9dd952cdbbcce00cf0505358e6cfcce5a6fe795e1d019b"},"#
      + #""a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}    "#
    let data: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40, 0, 0, 0, 0xBF]
    let path = directory.file("golden.safetensors")
    try SafeTensors.write(sampleTensors(), metadata: [("note", "x")], to: path)
    #expect(try bytes(of: path) == file(header: header, data: data))
    #expect(try directory.names() == ["golden.safetensors"])
  }

  @Test func readsWhatItWrote() throws {
    let names = ["plain", "with \"quotes\" and \\", "line\nbreak\u{0}\u{1F}", "ünïcödé 🙂", ""]
    let tensors = names.enumerated().map { index, name in
      let shape = Shape(Array(repeating: 2, count: index))
      return NamedTensor(
        name: name, shape: shape, values: Buffer((0..<shape.count).map { Float($0) * .pi + Float(index) }))
    }
    let path = directory.file("round.safetensors")
    let metadata = [("second", "2\t\u{7F}"), ("first", "{\"a\": 1}")]
    try SafeTensors.write(tensors, metadata: metadata, to: path)
    let file = try SafeTensorsFile(path)
    #expect(file.header.tensors.map(\.name) == names)
    #expect(file.header.metadata.filter { !$0.key.hasPrefix("sha256") }.map(\.key) == ["second", "first"])
    #expect(file.header.metadataValue("second") == "2\t\u{7F}")
    #expect(file.byteCount == (try bytes(of: path).count))
    let read = blank(tensors)
    for tensor in read { try file.read(tensor.name, shape: tensor.shape, into: tensor.values) }
    #expect(isIdentical(read, tensors))
  }

  @Test func keepsEveryBitPattern() throws {
    let values: [Float] = [
      .nan, Float(bitPattern: 0x7F80_0001), .infinity, -.infinity, -0, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    ]
    let tensors = [NamedTensor(name: "odd", shape: [7], values: Buffer(values))]
    let path = directory.file("odd.safetensors")
    try SafeTensors.write(tensors, to: path)
    let read = blank(tensors)
    let file = try SafeTensorsFile(path)
    try file.read("odd", shape: [7], into: read[0].values)
    #expect(isIdentical(read, tensors))
  }

  @Test func readsATensorLargerThanAChunk() throws {
    let count = 3 * 65536 + 17
    let tensors = [NamedTensor(name: "large", shape: [count], values: Buffer((0..<count).map(Float.init)))]
    let path = directory.file("large.safetensors")
    try SafeTensors.write(tensors, to: path)
    let read = blank(tensors)
    let file = try SafeTensorsFile(path)
    try file.read("large", shape: [count], into: read[0].values)
    #expect(isIdentical(read, tensors))
  }

  @Test func writesAFileWithoutTensors() throws {
    let path = directory.file("empty.safetensors")
    try SafeTensors.write([], to: path)
    let file = try SafeTensorsFile(path)
    #expect(file.header.tensors.isEmpty)
  }

  @Test func listsForeignFiles() throws {
    let path = directory.file("foreign.safetensors")
    let header = """
      {"b": {"data_offsets": [8, 20], "shape": [3], "dtype": "F32"},
       "i\\u00e9\\ud83d\\ude42": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},
       "u" : {"dtype":"U8","shape":[2,1],"data_offsets":[20,22]}, "__metadata__": {"format": "pt"}}
      """
    try write(file(header: header, data: Array(0..<22)), to: path)
    let file = try SafeTensorsFile(path, checksums: .optional)
    #expect(!file.header.hasChecksums)
    #expect(file.header.tensors.map(\.name) == ["ié🙂", "b", "u"])
    #expect(file.header.tensors.map(\.elementType) == [.int64, .float32, .uint8])
    #expect(file.header.tensors.map(\.shape) == [[], [3], [2, 1]])
    #expect(file.header.metadataValue("format") == "pt")
    #expect(throws: SafeTensorsError.self) { _ = try SafeTensorsFile(path) }
  }

  @Test func namesWhatAReaderAsksForInVain() throws {
    let path = directory.file("sample.safetensors")
    try SafeTensors.write(sampleTensors(), to: path)
    let file = try SafeTensorsFile(path)
    func problem(_ name: String, _ shape: Shape) -> SafeTensorsError.Problem? {
      do throws(SafeTensorsError) {
        try file.requireTensor(name, shape: shape)
        return nil
      } catch {
        return error.problem
      }
    }
    #expect(problem("a", [2, 2]) == nil)
    #expect(problem("c", [2, 2]) == .tensorMissing("c"))
    #expect(problem("a", [4]) == .shapeDiffers(tensor: "a", expected: [4], found: [2, 2]))
  }
}
