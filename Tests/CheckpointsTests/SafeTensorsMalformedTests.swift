import Checkpoints
import Testing

/// Headers that no writer should make, each with the error that must come of it.
@Suite struct SafeTensorsMalformedTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func problem(_ bytes: [UInt8]) throws -> SafeTensorsError.Problem? {
    let path = directory.file("malformed.safetensors")
    try write(bytes, to: path)
    do throws(SafeTensorsError) {
      _ = try SafeTensorsFile(path, checksums: .optional)
      return nil
    } catch {
      #expect(error.path == path)
      #expect(!error.description.contains("\n"))
      #expect(error.description.utf8.count < 1000)
      return error.problem
    }
  }

  private func problem(_ header: String, dataByteCount: Int = 0) throws -> SafeTensorsError.Problem? {
    try problem(file(header: header, data: [UInt8](repeating: 7, count: dataByteCount)))
  }

  private func entry(_ shape: String, _ offsets: String, type: String = "F32") -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test func takesAWellFormedFile() throws {
    #expect(try problem(#"{"a":\#(entry("[2]", "[0,8]"))}"#, dataByteCount: 8) == nil)
  }

  @Test func lengths() throws {
    #expect(try problem([]) == .tooShort(byteCount: 0))
    #expect(try problem([1, 2, 3]) == .tooShort(byteCount: 3))
    #expect(try problem([UInt8](repeating: 0xFF, count: 100)) == .headerTooLong(.max))
    #expect(try problem([0, 0, 0, 2, 0, 0, 0, 0, 0]) == .headerTooLong(32 << 20))
    #expect(try problem([3, 0, 0, 0, 0, 0, 0, 0] + "{}".utf8) == .headerCut(declared: 3, present: 2))
    #expect(try problem([0, 0, 0, 0, 0, 0, 0, 0]) == .headerSyntax(offset: 0, expected: "{"))
    #expect(try problem("{}") == nil)
    #expect(try problem("{}", dataByteCount: 1) == .trailingBytes(count: 1))
  }

  @Test(arguments: [
    "", " {}", "[]", "{", "{}}", "{}\t", "{},", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1}"#, #"{"a":"b"}"#, #"{"a":{}}"#,
    #"{"a":null}"#, #"{"a":[[[[[[[["#, #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":{"a":null}}"#,
    #"{"__metadata__":[]}"#, #"{"__metadata__":nul}"#, #"{"__metadata__":nulls}"#, #"{"__metadata__":n"#,
    #"{"__metadata__":{"a":"b",}}"#, #"{"__metadata__":{"a":"b"}"#,
    #"{"__metadata__":{"a":"b}}"#, #"{"__metadata__":{'a':"b"}}"#, #"{"__metadata__":{"a":"\x"}}"#,
    #"{"__metadata__":{"a":"\u12"}}"#, #"{"__metadata__":{"a":"\ud800"}}"#, #"{"__metadata__":{"a":"\ud800\u0041"}}"#,
    #"{"__metadata__":{"a":"\udc00\ud800"}}"#, #"{"__metadata__":{"a":"\"}}"#, "{\"__metadata__\":{\"a\":\"\n\"}}",
    #"{"a":{"dtype":"F32","shape":[1]}}"#, #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#,
    #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}"#,
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[\(String(repeating: "1,", count: 64))1],\"data_offsets\":[0,4]}}",
  ])
  func syntax(header: String) throws {
    guard case .headerSyntax = try problem(header, dataByteCount: 4) else {
      Issue.record("\(header) gave \(String(describing: try problem(header, dataByteCount: 4)))")
      return
    }
  }

  @Test func notUTF8() throws {
    let bytes = Array(#"{"__metadata__":{"a":""#.utf8) + [0xC3, 0x28] + Array(#""}}"#.utf8)
    let length: [UInt8] = [UInt8(bytes.count), 0, 0, 0, 0, 0, 0, 0]
    #expect(try problem(length + bytes) == .headerSyntax(offset: 24, expected: "UTF-8"))
  }

  @Test func nestingDoesNotExhaustTheStack() throws {
    let deep = #"{"a":"# + String(repeating: "[", count: 1 << 20)
    #expect(try problem(deep) == .headerSyntax(offset: 5, expected: "{"))
  }

  @Test func duplicateKeys() throws {
    let tensor = entry("[1]", "[0,4]")
    #expect(try problem(#"{"a":\#(tensor),"a":\#(tensor)}"#, dataByteCount: 4) == .duplicateKey("a"))
    #expect(try problem(#"{"a":\#(tensor),"\u0061":\#(tensor)}"#, dataByteCount: 4) == .duplicateKey("a"))
    #expect(try problem(#"{"__metadata__":{"k":"1","k":"1"}}"#) == .duplicateKey("k"))
    #expect(try problem(#"{"__metadata__":{},"__metadata__":{}}"#) == .duplicateKey("__metadata__"))
    #expect(try problem(#"{"a":{"dtype":"F32","dtype":"F32"}}"#) == .duplicateKey("dtype"))
  }

  @Test func typesAndSizes() throws {
    func one(_ shape: String, _ offsets: String, type: String = "F32") throws -> SafeTensorsError.Problem? {
      try problem(#"{"a":\#(entry(shape, offsets, type: type))}"#, dataByteCount: 8)
    }
    #expect(try one("[2]", "[0,8]", type: "F31") == .unknownElementType(tensor: "a", type: "F31"))
    #expect(try one("[2]", "[0,8]", type: "f32") == .unknownElementType(tensor: "a", type: "f32"))
    #expect(try one("[0]", "[0,8]") == .sizeDiffers(tensor: "a", shape: [0], needed: 0, begin: 0, end: 8))
    #expect(try one("[0,2]", "[0,0]") == .trailingBytes(count: 8))
    #expect(try one("[4611686018427387904,0]", "[0,0]") == .sizeOverflow(tensor: "a"))
    #expect(try one("[4611686018427387904]", "[0,8]") == .sizeOverflow(tensor: "a"))
    #expect(try one("[4294967296,4294967296]", "[0,8]") == .sizeOverflow(tensor: "a"))
    #expect(try one("[3]", "[0,8]") == .sizeDiffers(tensor: "a", shape: [3], needed: 12, begin: 0, end: 8))
    #expect(try one("[2]", "[0,8]", type: "I64") == .sizeDiffers(tensor: "a", shape: [2], needed: 16, begin: 0, end: 8))
    #expect(try one("[2]", "[8,0]") == .sizeDiffers(tensor: "a", shape: [2], needed: 8, begin: 8, end: 0))
    #expect(try one("[]", "[0,8]") == .sizeDiffers(tensor: "a", shape: [], needed: 4, begin: 0, end: 8))
    let last = Int.max
    #expect(
      try one("[1]", "[0,\(last)]") == .sizeDiffers(tensor: "a", shape: [1], needed: 4, begin: 0, end: last))
    #expect(try one("[3]", "[0,12]") == .dataCut(needed: 12, present: 8))
    #expect(try one("[1099511627776]", "[0,1099511627776]", type: "U8") == .dataCut(needed: 1 << 40, present: 8))
    #expect(try one("[1]", "[0,4]") == .trailingBytes(count: 4))
  }

  @Test func whatOthersWriteIsListed() throws {
    func read(_ json: String, dataByteCount: Int) throws -> SafeTensorsHeader {
      try SafeTensorsHeader(json: Array(json.utf8), dataByteCount: dataByteCount)
    }
    let withNull = try read(#"{"__metadata__": null, "a": \#(entry("[1]", "[0,4]"))}"#, dataByteCount: 4)
    #expect(withNull.metadata.isEmpty && withNull.tensors.map(\.name) == ["a"])
    #expect(try problem(#"{"__metadata__":null,"__metadata__":{}}"#) == .duplicateKey("__metadata__"))
    for shape in ["[0]", "[2, 0]", "[0,4611686018427387904]"] {
      for empty in ["[0,0]", "[4,4]"] {
        let header = try read(
          #"{"b": \#(entry("[1]", "[0,4]")), "a": \#(entry(shape, empty))}"#, dataByteCount: 4)
        #expect(header.tensors.map(\.name) == (empty == "[0,0]" ? ["a", "b"] : ["b", "a"]))
        #expect(header.tensor(named: "a")?.shape.count == 0)
      }
    }
    for (type, byteCount) in [("C64", 32), ("F8_E5M2FNUZ", 4), ("F8_E4M3FNUZ", 4), ("F8_E8M0", 4)] {
      let header = try read(
        #"{"a":\#(entry("[4]", "[0,\(byteCount)]", type: type))}"#, dataByteCount: byteCount)
      #expect(header.tensors.map(\.elementType.rawValue) == [type])
    }
  }

  @Test func offsets() throws {
    func two(_ first: String, _ second: String) throws -> SafeTensorsError.Problem? {
      try problem(#"{"a":\#(entry("[1]", first)),"b":\#(entry("[1]", second))}"#, dataByteCount: 8)
    }
    #expect(try two("[0,4]", "[4,8]") == nil)
    #expect(try two("[4,8]", "[0,4]") == nil)
    #expect(try two("[0,4]", "[0,4]") == .overlap(tensor: "b", begin: 0, previousEnd: 4))
    #expect(try two("[0,4]", "[3,7]") == .overlap(tensor: "b", begin: 3, previousEnd: 4))
    #expect(try two("[0,4]", "[5,9]") == .hole(tensor: "b", begin: 5, previousEnd: 4))
    #expect(try two("[1,5]", "[5,9]") == .hole(tensor: "a", begin: 1, previousEnd: 0))
    #expect(
      try two("[0,4]", "[\(Int.max - 4),\(Int.max)]") == .hole(tensor: "b", begin: .max - 4, previousEnd: 4))
  }

  @Test func checksums() throws {
    let good = String(repeating: "0", count: 64)
    func metadata(_ lines: String) throws -> SafeTensorsError.Problem? {
      try problem(#"{"__metadata__":{\#(lines)},"a":\#(entry("[1]", "[0,4]"))}"#, dataByteCount: 4)
    }
    #expect(try metadata(#""sha256.a":"\#(good)""#) == .checksumMissing(key: "sha256"))
    #expect(try metadata(#""sha256":"\#(good)""#) == .checksumMissing(key: "sha256.a"))
    #expect(try metadata(#""sha256":"0""#) == .checksumMalformed(key: "sha256"))
    #expect(try metadata(#""sha256":"\u0030\#(good.dropFirst())""#) == .checksumMalformed(key: "sha256"))
    #expect(
      try metadata(#""sha256":"\#(good)","sha256.a":"\#(good.dropFirst())A""#) == .checksumMalformed(key: "sha256.a"))
    #expect(
      try metadata(#""sha256":"\#(good)","sha256.a":"\#(good)","sha256.b":"\#(good)""#)
        == .checksumMalformed(key: "sha256.b"))
    guard case .tensorDamaged("a", good, _)? = try metadata(#""sha256":"\#(good)","sha256.a":"\#(good)""#) else {
      Issue.record("a wrong checksum was taken")
      return
    }
  }

  @Test func namesOfHostileFilesStayOnOneLine() throws {
    let name = String(repeating: "\\u001b[2J\\n", count: 1000)
    #expect(try problem(#"{"\#(name)":\#(entry("[1]", "[0,4]", type: "X\\n"))}"#, dataByteCount: 4) != nil)
  }

  @Test func notAFile() throws {
    let pipe = directory.file("pipe")
    try makePipe(pipe)
    for path in [directory.path, pipe, "/dev/null"] {
      do throws(SafeTensorsError) {
        _ = try SafeTensorsFile(path)
        Issue.record("\(path) was read")
      } catch {
        #expect(error.problem == .notARegularFile)
      }
    }
    do throws(SafeTensorsError) {
      _ = try SafeTensorsFile(directory.file("none"))
      Issue.record("a missing file was read")
    } catch {
      #expect(error.fileIsMissing)
      #expect(
        error.description == "\(directory.file("none")): cannot be read: No such file or directory; check the name")
    }
  }
}
