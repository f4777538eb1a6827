import Checkpoints
import Tensors
import Testing

@Suite struct CheckpointTests {
  let directory: TemporaryDirectory
  let path: String
  let saved = sampleCheckpoint(step: 12)

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("checkpoint.safetensors")
    try saved.write(to: path)
  }

  private func failure(_ body: () throws(CheckpointError) -> Void) -> CheckpointError? {
    do throws(CheckpointError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func comesBackAsItWas() throws {
    let file = try CheckpointFile(path)
    #expect(file.state == saved.state)
    #expect(file.recipe == saved.recipe)
    #expect(file.weightsDigest == "d12")
    let tensors = blank(saved.tensors)
    try file.read(into: tensors)
    #expect(isIdentical(tensors, saved.tensors))
  }

  @Test func theSameRunWritesTheSameBytes() throws {
    let again = directory.file("again.safetensors")
    try sampleCheckpoint(step: 12).write(to: again)
    #expect(try bytes(of: again) == bytes(of: path))
  }

  @Test func readsTheWeightsAlone() throws {
    let file = try CheckpointFile(path)
    let weights = blank(saved.tensors.filter { !$0.name.hasPrefix(Checkpoint.optimizerPrefix) })
    #expect(weights.count == 2)
    try file.read(into: weights, ignoringPrefix: Checkpoint.optimizerPrefix)
    #expect(isIdentical(weights, Array(saved.tensors[..<2])))
    #expect(
      failure { () throws(CheckpointError) in try file.read(into: weights) }
        == .unexpectedTensor(path: path, tensor: "optimizer.m.dense.weight", shape: [2, 3]))
  }

  @Test func anotherModelTouchesNoBuffer() throws {
    let file = try CheckpointFile(path)
    var tensors = blank(saved.tensors)
    tensors[5] = NamedTensor(name: tensors[5].name, shape: [1, 3], values: Buffer(count: 3))
    let shape = failure { () throws(CheckpointError) in try file.read(into: tensors) }
    #expect(
      shape?.description
        == "\(path): tensor \"optimizer.v.dense.bias\" has shape [3] instead of [1, 3]; give the file of the same model"
    )
    tensors[5] = NamedTensor(name: "other", shape: [3], values: Buffer(count: 3))
    let name = failure { () throws(CheckpointError) in try file.read(into: tensors) }
    #expect(name?.description == "\(path): has no tensor \"other\"; give the file of the same model")
    #expect(tensors.allSatisfy { $0.values.array.allSatisfy { $0 == 0 } })
  }

  @Test func anotherRecipeIsRefusedWithBothValues() throws {
    let file = try CheckpointFile(path)
    var recipe = saved.recipe
    #expect(failure { () throws(CheckpointError) in try file.requireRecipe(recipe) } == nil)
    recipe["global_batch"] = "64"
    recipe["note"] = nil
    recipe["task"] = "binary:8"
    let error = failure { () throws(CheckpointError) in try file.requireRecipe(recipe) }
    #expect(
      error?.description
        == "\(path): is of another run: global_batch is 32 there and 64 here, task is not given there and binary:8 here, "
        + #"note is "a \"quoted\"\n\\ line, ü" there and not given here; "#
        + "give the same arguments, or another directory")
    let ignored: Set = ["global_batch", "note", "task"]
    #expect(failure { () throws(CheckpointError) in try file.requireRecipe(recipe, ignoring: ignored) } == nil)
  }

  @Test func aFileThatIsNoCheckpointIsRefused() throws {
    let other = directory.file("other.safetensors")
    try SafeTensors.write(sampleTensors(), to: other)
    let missing = failure { () throws(CheckpointError) in _ = try CheckpointFile(other) }
    #expect(missing == .notACheckpoint(path: other, key: "checkpoint_version", expected: "1", found: nil))

    for (key, value) in [("checkpoint_version", "2"), ("epoch", "-1"), ("step", "9223372036854775808"), ("seed", "x")] {
      var metadata = [
        ("checkpoint_version", "1"), ("epoch", "0"), ("sample_offset", "0"), ("step", "0"), ("seed", "0"),
        ("weights_digest", "d"),
      ]
      metadata = metadata.map { $0.0 == key ? (key, value) : $0 }
      try SafeTensors.write(sampleTensors(), metadata: metadata, to: other)
      guard
        case .notACheckpoint(other, key, _, value)? = failure({ () throws(CheckpointError) in
          _ = try CheckpointFile(other)
        })
      else {
        Issue.record("\(key) = \(value) was taken")
        continue
      }
    }
  }

  @Test func aMissingFileIsTold() throws {
    let error = failure { () throws(CheckpointError) in _ = try CheckpointFile(directory.file("none")) }
    #expect(error?.fileIsMissing == true)
  }
}
