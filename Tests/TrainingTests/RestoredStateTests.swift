import Fuzzing
import Lockstep
import Testing

/// Checkpoints whose checksums are right and whose state cannot be.
@Suite struct RestoredStateTests {
  private var run: SmallRun
  private let path: String
  /// A checkpoint at step 7: of epochs of five steps, after two of the second.
  private let whole: Checkpoint

  init() throws {
    run = try SmallRun()
    let control = RunControl()
    _ = try run.run(ranks: 1, controls: [control]) { _, step in if step == 6 { control.ask(.stop) } }
    let directory = try #require(run.options.directory)
    let file = try CheckpointFile(CheckpointStore(directory: "\(directory)/checkpoints").path(step: 7))
    let tensors = file.file.header.tensors.map {
      NamedTensor(name: $0.name, shape: $0.shape, values: Buffer(count: $0.shape.count))
    }
    try file.read(into: tensors)
    whole = Checkpoint(tensors: tensors, state: file.state, recipe: file.recipe, weightsDigest: file.weightsDigest)
    path = "\(directory)-state.safetensors"
    run.options.resume = .file(path)
    run.options.directory = nil
  }

  /// How a run that goes on from `state` ends.
  private func ending(_ state: RunState) throws -> (error: TrainingError?, events: [String]) {
    var checkpoint = whole
    checkpoint.state = state
    try checkpoint.write(to: path)
    do {
      let outcome = try run.run(ranks: 1)[0]
      return (outcome.error, outcome.events)
    } catch let error as TrainingError {
      return (error, [])
    }
  }

  @Test func aStateThatCanBeIsGoneOnFrom() throws {
    #expect(try ending(whole.state).events.last == "ended")
    var state = whole.state
    state.sums = EpochSums()
    #expect(try ending(state).events.last == "ended", "a checkpoint from before there were sums")
    state.sums = EpochSums(loss: 1, correct: 3, samples: 20, skippedSteps: 1)
    #expect(try ending(state).events.last == "ended", "a skipped step")
    #expect(try ending(RunState(epoch: 3, step: 15, seed: state.seed)).events.last == "ended")
  }

  @Test(arguments: [
    (1, 39, 7, "sample_offset"), (1, 41, 7, "sample_offset"), (1, 84, 10, "sample_offset"),
    (1, 100, 10, "sample_offset"),
    (1, .max, 7, "sample_offset"), (1, .max / 20 * 20, 7, "sample_offset"), (0, 40, 7, "step"), (2, 40, 7, "step"),
    (1, 40, 6, "step"), (1, 40, 8, "step"), (1, 40, .max, "step"), (1, 0, 7, "step"), (1, 40, 0, "step"),
    (.max, 40, 7, "epoch"), (.max, 0, .max, "epoch"), (.max / 5 + 1, 0, .max, "epoch"), (.max / 5, 60, .max, "epoch"),
    (0, 0, 7, "step"),
  ])
  func aStateThatCannotBeIsRefused(epoch: Int, sampleOffset: Int, step: Int, key: String) throws {
    let state = RunState(epoch: epoch, sampleOffset: sampleOffset, step: step, seed: whole.state.seed)
    let value = ["epoch": epoch, "sample_offset": sampleOffset, "step": step][key] ?? 0
    try expectRefusal(state, "its \(key) is \"\(value)\" instead of")
  }

  @Test func aSeedAndSumsThatCannotBeAreRefused() throws {
    var state = whole.state
    state.seed += 1
    try expectRefusal(state, "its seed is \"\(state.seed)\" instead of")
    for (samples, skipped) in [(39, 0), (40, 1), (20, 2), (0, 3)] {
      state = whole.state
      state.sums = EpochSums(loss: 1, samples: samples, skippedSteps: skipped)
      try expectRefusal(state, "its epoch_samples is \"\(samples) with \(skipped) steps skipped\" instead of")
    }
  }

  private func expectRefusal(_ state: RunState, _ text: String) throws {
    let (error, _) = try ending(state)
    #expect(error?.code == .badData)
    #expect(error?.description.hasPrefix("\(path): ") == true)
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "gone on from") for \(state)")
  }

  @Test func aStateThatIsFurtherThanTheRunIsRefused() throws {
    for epoch in [4, 1_000_000, .max / 5] {
      let (error, _) = try ending(RunState(epoch: epoch, step: epoch * 5, seed: whole.state.seed))
      #expect(error?.code == .usage)
    }
  }

  /// No state ends in a trap: it is refused, or the run goes on from it to its end.
  @Test func noStateTraps() throws {
    try whole.write(to: path)
    let forged = try ForgedCheckpoints(try CheckpointFile(path), globalBatch: 20, steps: 5)
    let count = ForgedCheckpoints.count(usual: 1000)
    var ends: [String: Int] = [:]
    for number in 0..<count {
      let kind = try forged.write(number, to: path)
      var error: TrainingError?
      var events: [String] = []
      do {
        let outcome = try run.run(ranks: 1)[0]
        (error, events) = (outcome.error, outcome.events)
      } catch let thrown as TrainingError { error = thrown }
      let codes: [TrainingError.Code] = kind == .state ? [.badData, .usage] : [.badData, .usage, .rankFailed]
      #expect(
        error.map { codes.contains($0.code) } ?? (events.last == "ended"),
        "\(number): \(error?.description ?? "\(events)")")
      ends[error.map { "\($0.code)" } ?? "ended", default: 0] += 1
    }
    let told = ends.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print("\(count) forged checkpoints in process: \(told)")
    #expect(ends.count >= 3, "\(ends)")
  }
}
