import Checkpoints
import Foundation
import Tensors
import Testing

/// Files exchanged with the `safetensors` package of Python, installed once into the cache directory.
@Suite struct SafeTensorsPeerTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func pythonReadsOursAndWeReadPythons() throws {
    guard let python = try peerPython() else { return }
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
    let result = try run(python, ["-c", script, ours, theirs])
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

  /// The interpreter of an environment with `safetensors` and `numpy`; nil, with the reason printed, where there is no
  /// registry to install them from. On CI that is a failure.
  private func peerPython() throws -> String? {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "/tmp")/.cache"
    let path = "\(cache)/lockstep/peers-safetensors"
    let python = "\(path)/environment/bin/python"
    let works = ["-c", "import safetensors.numpy"]

    // Two test runs at once must not install into one environment.
    var lock: RunDirectory?
    for _ in 0..<600 where lock == nil {
      do throws(RunDirectoryError) { lock = try RunDirectory(path) } catch {
        guard case .locked = error else { throw error }
        usleep(200_000)
      }
    }
    try #require(lock != nil, "another test run has held \(path) for two minutes")
    if FileManager.default.isExecutableFile(atPath: python), try run(python, works).status == 0 { return python }

    let created = try run("/usr/bin/env", ["python3", "-m", "venv", "--clear", "\(path)/environment"])
    try #require(created.status == 0, "python3 -m venv needs the packages python3 and python3-venv: \(created.output)")
    let installed = try run(python, ["-m", "pip", "install", "--quiet", "safetensors", "numpy"])
    if installed.status == 0 { return python }
    if environment["CI"] == "true" {
      Issue.record("the peer could not be installed: \(installed.output)")
    } else {
      print("SKIPPED: Python's safetensors could not be installed: \(installed.output)")
    }
    return nil
  }

  private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}
