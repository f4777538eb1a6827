import Foundation
import Fuzzing
import RunReport
import Testing
import Training

@Suite struct RunWatchTests {
  /// A status is refused in one line, or shown, whatever is in the file: cut at every length, and changed at random.
  @Test func aStatusOfAnyKind() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("lockstep-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let whole = """
      {"accuracy":0.9,"communication":0.25,"epoch":2,"epochs":5,"finished":false,"hosts":["n1","n2"],"loss":0.25,\
      "model":"mine","process":12,"ranks":[{"compute":6.5,"host":0,"waiting":0},{"compute":6,"host":1,"waiting":0.5}],\
      "samples_done":30000,"samples_in_epoch":60000,"samples_per_second":10000.5,"step":2500,"time":1764000000.5}
      """
    /// Whether the status is shown.
    func shows(_ bytes: some Collection<UInt8>) throws -> Bool {
      try Data(bytes).write(to: directory.appending(path: RunStatus.fileName))
      do {
        let lines = try RunWatch(directory: directory.path).lines(columns: 80, rows: 24)
        #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 80 })
        return true
      } catch let error as TrainingError {
        #expect(error.code == .badData && error.description.contains(RunStatus.fileName))
        return false
      }
    }
    #expect(try shows(whole.utf8))
    for length in 0..<whole.utf8.count { #expect(try !shows(whole.utf8.prefix(length)), "\(length) bytes") }
    var shown = 0
    try Mutants(seed: 11).forEach(of: [Array(whole.utf8)]) { _, bytes, _ in shown += try shows(bytes) ? 1 : 0 }
    print("statuses shown: \(shown)")
    #expect(shown > 0)
  }
}
