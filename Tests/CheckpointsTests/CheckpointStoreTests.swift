import Checkpoints
import FoundationEssentials
import Testing

@Suite struct CheckpointStoreTests {
  let directory: TemporaryDirectory
  let store: CheckpointStore

  init() throws {
    directory = try TemporaryDirectory()
    store = CheckpointStore(directory: directory.file("run/checkpoints"))
    try store.prepare()
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: store.directory).sorted()
  }

  private func damage(step: Int) throws {
    var damaged = try bytes(of: store.path(step: step))
    damaged[damaged.count - 1] ^= 0x10
    try write(damaged, to: store.path(step: step))
  }

  /// The step of the newest whole checkpoint and the files passed over on the way to it.
  private func newest(strict: Bool = false) throws(CheckpointError) -> (step: Int?, passed: [String]) {
    var passed: [String] = []
    let file = try store.newestWhole(strict: strict) { passed.append($0.description) }
    if let file { return (file.state.step, passed) }
    return (nil, passed)
  }

  @Test func namesFilesByTheirStep() {
    #expect(CheckpointStore(directory: "c").path(step: 9375) == "c/step-00009375.safetensors")
    #expect(CheckpointStore(directory: "c").path(step: 123_456_789) == "c/step-123456789.safetensors")
  }

  @Test func keepsTheNewest() throws {
    for step in [5, 10, 15, 20] { try store.save(sampleCheckpoint(step: step)) }
    #expect(try store.list().map(\.step) == [20, 15, 10])
    for step in [100_000_000, 25] { try store.save(sampleCheckpoint(step: step)) }
    // 100,000,000 is later than what was saved after it, and is neither counted nor removed.
    #expect(try store.list().map(\.step) == [100_000_000, 25, 20, 15])
    #expect(try newest().step == 100_000_000)
    let saved = try CheckpointStore(directory: store.directory, keep: 1).save(sampleCheckpoint(step: 200_000_000))
    #expect(saved.notRemoved.isEmpty)
    #expect(try names() == ["step-200000000.safetensors"])
  }

  @Test func neverRemovesWhatItJustSaved() throws {
    for step in [50, 60, 70] { try store.save(sampleCheckpoint(step: step)) }
    try store.save(sampleCheckpoint(step: 10))
    #expect(try store.list().map(\.step) == [70, 60, 50, 10])
  }

  @Test func aFailedSaveRemovesNothing() throws {
    for step in [1, 2, 3] { try store.save(sampleCheckpoint(step: step)) }
    try FileManager.default.createDirectory(
      atPath: store.path(step: 4) + "/inside", withIntermediateDirectories: true)
    #expect(throws: FileWriteError.self) { try store.save(sampleCheckpoint(step: 4)) }
    #expect(try store.list().map(\.step) == [4, 3, 2, 1])
    #expect(try newest().step == 3)
  }

  @Test func nothingSavedYet() throws {
    #expect(try newest().step == nil)
    #expect(try CheckpointStore(directory: directory.file("none")).list().isEmpty)
  }

  @Test func fallsBackToTheNewestWholeOne() throws {
    for step in [1, 2, 3] { try store.save(sampleCheckpoint(step: step)) }
    try damage(step: 3)
    try write([], to: store.path(step: 2))
    let found = try newest()
    #expect(found.step == 1)
    #expect(found.passed.count == 2)
    #expect(found.passed.first?.hasPrefix(store.path(step: 3)) == true)
    #expect(throws: CheckpointError.self) { try newest(strict: true) }

    // The run goes on from step 1 and comes by step 2 and 3 again.
    for step in [2, 3] { try store.save(sampleCheckpoint(step: step)) }
    #expect(try newest().step == 3)
    #expect(try newest(strict: true).passed.isEmpty)
  }

  @Test func noneWhole() throws {
    for step in [1, 2] {
      try store.save(sampleCheckpoint(step: step))
      try damage(step: step)
    }
    do throws(CheckpointError) {
      _ = try newest()
      Issue.record("a damaged checkpoint was taken")
    } catch {
      guard case .noneWhole(store.directory, 2, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(!error.description.contains("\n"))
    }
  }

  @Test func aRenamedCheckpointIsNotTaken() throws {
    try store.save(sampleCheckpoint(step: 1))
    try FileManager.default.copyItem(atPath: store.path(step: 1), toPath: store.path(step: 9))
    #expect(try newest().step == 1)
  }

  @Test func cleansLeftoversAndNothingElse() throws {
    try store.save(sampleCheckpoint(step: 1))
    let others = ["notes.txt", ".hidden.tmp", ".step-1.safetensors.tmp", "step-00000001.safetensors.tmp", "step-x"]
    for name in others { try write("x".utf8, to: "\(store.directory)/\(name)") }
    try write("half".utf8, to: AtomicFile.temporaryPath(for: store.path(step: 2)))
    #expect(try newest().step == 1)
    try store.prepare()
    #expect(try names() == (others + ["step-00000001.safetensors"]).sorted())
  }
}
