import FoundationEssentials
import RunReport
import Testing
import Training

@Suite struct RunScreenTests {
  /// A status of `ranks` ranks on as many hosts as `hosts` has names, the first ranks on the first.
  private static func status(_ ranks: Int, hosts: [String] = ["n1"], isFinished: Bool = false) throws -> RunStatus {
    let times = (0..<ranks).map {
      "{\"host\": \($0 * hosts.count / ranks), \"compute\": 6, \"waiting\": \($0 == 0 ? 0 : 1)}"
    }
    let names = hosts.map { "\"\($0)\"" }.joined(separator: ",")
    let text = """
      {"model": "mine", "process": 12, "time": 100, "finished": \(isFinished), "epoch": 2, "epochs": 5, "step": 2500,
       "samples_done": 30000, "samples_in_epoch": 60000, "samples_per_second": 10000.4, "loss": 0.25, "accuracy": 0.9,
       "communication": 3, "hosts": [\(names)], "ranks": [\(times.joined(separator: ","))]}
      """
    return try RunJSON.decoder.decode(RunStatus.self, from: Data(text.utf8))
  }

  private static func epoch(_ number: Int, _ loss: Double) throws -> EpochFigures {
    try #require(
      EpochFigures(
        line: """
          {"epoch": \(number), "step": 1, "train_samples": 1, "train_loss": \(loss), "test_loss": 1, "samples_per_second": 1, \
          "seconds": 1, "evaluation_seconds": 1, "compute_seconds": 1, "communication_seconds": 1, "waiting_seconds": 1, \
          "slowest_rank": 0, "skipped_steps": 0}
          """.utf8))
  }

  @Test func everyRankHasALine() throws {
    let epochs = try [2, 1, 0.5].enumerated().map { try Self.epoch($0 + 1, $1) }
    let screen = RunScreen(directory: "runs/a", try Self.status(2), epochs, isGone: false)
    #expect(
      screen.lines(time: 101, columns: 200, rows: 50) == [
        "runs/a: mine on 2 ranks, process 12 on n1",
        "Epoch 2/5 ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌ 30,000/60,000, step 2,500",
        "10,000 samples/s   3 s left   loss 0.2500   accuracy 0.9000",
        "training loss   █▃▁  2.0000 → 0.5000",
        "test loss       ▁▁▁  1.0000 → 1.0000",
        "",
        "rank 0     █████████████▒▒▒▒▒▒▒ compute 67 %, communication 33 %, waiting 0.0 %",
        "rank 1     ████████████▒▒▒▒▒▒·· compute 60 %, communication 30 %, waiting 10 %",
      ])
  }

  /// On a small terminal nothing is wider or higher than it, and hosts stand for their ranks.
  @Test func aTerminalIsNeverTooSmall() throws {
    let screen = RunScreen(directory: "a", try Self.status(64, hosts: ["n1", "n2"]), [], isGone: false)
    #expect(screen.lines(time: 100, columns: 200, rows: 100).count == 4 + 2 + 64)
    let hosts = screen.lines(time: 100, columns: 200, rows: 24)
    #expect(hosts.count == 6 && hosts[4].hasPrefix("n1  ") && hosts[5].hasPrefix("n2  "))
    #expect(hosts[0].hasSuffix(" on 64 ranks of 2 hosts, process 12 on n1"))
    for (columns, rows) in [(0, 0), (1, 1), (20, 5), (79, 3)] {
      let lines = screen.lines(time: 100, columns: columns, rows: rows)
      #expect(lines.count <= rows && lines.allSatisfy { $0.count <= columns })
    }
  }

  @Test func whatStandsStillIsSaid() throws {
    func second(_ status: RunStatus, isGone: Bool, at time: Double) -> String {
      RunScreen(directory: "a", status, [], isGone: isGone).lines(time: time, columns: 200, rows: 50)[1]
    }
    #expect(second(try Self.status(1), isGone: false, at: 110).hasPrefix("Epoch 2/5"))
    #expect(second(try Self.status(1), isGone: false, at: 225) == "no news for 2 min 05 s")
    #expect(second(try Self.status(1), isGone: true, at: 101).hasPrefix("stopped"))
    #expect(second(try Self.status(1, isFinished: true), isGone: true, at: 1e9) == "finished")
  }

  /// A name that would colour the terminal, or begin a line of its own, is shown as text.
  @Test func foreignTextIsEscaped() throws {
    let status = try Self.status(1, hosts: ["a\\u001b[31m\\nb"])
    let screen = RunScreen(directory: "x\u{1B}[2J\n", status, [], isGone: false)
    for line in screen.lines(time: 100, columns: 200, rows: 50) {
      #expect(!line.unicodeScalars.contains { $0.value < 32 }, "\(line)")
    }
  }
}
