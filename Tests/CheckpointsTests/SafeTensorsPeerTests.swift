import Checkpoints
import Foundation
import PeerPython
import Tensors
import Testing

/// Files exchanged with the `safetensors` package of Python, installed once into the cache directory.
@Suite struct SafeTensorsPeerTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func pythonReadsOursAndWeReadPythons() throws {
    let packages = ["safetensors", "numpy"]
    guard let python = try PeerPython("safetensors", packages: packages, modules: ["safetensors.numpy"]) else { return }
    let ours = directory.file("ours.safetensors")
    let theirs = directory.file("theirs.safetensors")
    let checkpoint = sampleCheckpoint(step: 3)
    try checkpoint.write(to: ours)

    let script = """
      import hashlib, json, sys
      import numpy
      from safetensors import safe_open
      from safetensors.numpy import load_file, save_file

      ours, theirs = sys.argv[1:]
      tensors = load_file(ours)
      with safe_open(ours, framework="numpy") as file:
          metadata = file.metadata()
      for name, tensor in tensors.items():
          assert tensor.dtype == numpy.float32, name
          assert metadata["sha256." + name] == hashlib.sha256(tensor.tobytes()).hexdigest(), name
      bytes = open(ours, "rb").read()
      assert bytes.count(metadata["sha256"].encode()) == 1
      zeroed = bytes.replace(metadata["sha256"].encode(), b"0" * 64)
      assert metadata["sha256"] == hashlib.sha256(zeroed).hexdigest()
      assert metadata["recipe.note"] == 'a "quoted"\\n\\\\ line, \\u00fc', metadata["recipe.note"]
      tensors["integers"] = numpy.arange(3, dtype=numpy.int64)
      tensors["bytes"] = numpy.arange(5, dtype=numpy.uint8).reshape(5, 1)
      tensors["scalar"] = numpy.array(2.5, dtype=numpy.float32)
      save_file(tensors, theirs, metadata={"step": metadata["step"], "quote\\u00fc\\n": '"'})
      print(len(tensors))
      """
    let result = try python.run(["-c", script, ours, theirs])
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output == "\(checkpoint.tensors.count + 3)\n")

    let file = try SafeTensorsFile(theirs, checksums: .optional)
    #expect(!file.header.hasChecksums)
    #expect(file.header.metadataValue("step") == "3")
    #expect(file.header.metadataValue("quoteü\n") == "\"")
    let read = blank(checkpoint.tensors)
    for tensor in read { try file.read(tensor.name, shape: tensor.shape, into: tensor.values) }
    #expect(isIdentical(read, checkpoint.tensors))
    let scalar = Buffer<Float>(count: 1)
    try file.read("scalar", shape: [], into: scalar)
    #expect(scalar[0] == 2.5)
    #expect(file.header.tensor(named: "integers")?.elementType == .int64)
    #expect(file.header.tensor(named: "bytes")?.elementType == .uint8)
    #expect(file.header.tensor(named: "bytes")?.shape == [5, 1])
  }
}
