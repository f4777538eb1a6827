import Collectives
import Testing

/// Ranks of one host as a watchdog sees them, four looks a second, told by a few words for each.
@Suite struct StallDetectorTests {
  /// What a rank does between two looks.
  private enum Doing { case works, waits, isBlocked, hangs, hangsInWait, isStopped, isGone, hasLeft, isAbsent }

  private static let limits = StallDetector.Limits(warning: .seconds(30), timeout: .seconds(600))

  /// The ranks, and the watchdog of one of them.
  private struct Host {
    var detector: StallDetector
    var sightings: [StallDetector.Sighting]

    init(ranks: Int, watchdogOf rank: Int = 0, expected: Int? = nil, phase: Phase = .reduction) {
      detector = StallDetector(rank: rank, size: ranks, expected: expected ?? ranks, limits: limits)
      sightings = Array(repeating: .init(), count: ranks)
      for index in sightings.indices { sightings[index].whereabouts = Whereabouts(phase, step: 512) }
    }

    /// One look, and what came of it.
    mutating func look(_ doing: [Doing], after elapsed: Duration = .milliseconds(250)) -> StallDetector.Finding? {
      for (index, doing) in doing.enumerated() {
        sightings[index].state = doing == .hasLeft ? .left : doing == .isAbsent ? .absent : .running
        sightings[index].isGone = doing == .isGone || doing == .hasLeft
        sightings[index].wait =
          doing == .isBlocked ? .blocked : [.waits, .hangsInWait].contains(doing) ? .polling : .none
        if doing == .waits { sightings[index].polls += 1 }
        if ![.isStopped, .isGone].contains(doing) { sightings[index].ticks += 1 }
        if doing == .works { sightings[index].moves += 1 }
      }
      return detector.look(sightings, after: elapsed)
    }

    /// What was found in so many seconds, each with the second it was found in; up to the job's end.
    mutating func look(_ doing: [Doing], seconds: Int) -> [(second: Int, finding: StallDetector.Finding)] {
      var found: [(second: Int, finding: StallDetector.Finding)] = []
      for index in 0..<seconds * 4 {
        guard let finding = look(doing) else { continue }
        found.append((index / 4, finding))
        if case .end = finding { break }
      }
      return found
    }
  }

  @Test(arguments: [(Doing.isStopped, StallDetector.Stall.Kind.stopped), (.hangs, .hung), (.hangsInWait, .hung)])
  private func `A rank that does not go on is named once, and the job ended`(
    _ doing: Doing, _ kind: StallDetector.Stall.Kind
  ) throws {
    for culprit in 0..<3 {
      var host = Host(ranks: 3, watchdogOf: culprit == 0 && doing == .isStopped ? 1 : 0)
      var doings = [Doing](repeating: .waits, count: 3)
      #expect(host.look([.works, .works, .works], seconds: 5).isEmpty)
      doings[culprit] = doing
      let found = host.look(doings, seconds: 601)
      guard case .warn(let warning) = try #require(found.first).finding else {
        Issue.record("no warning first")
        return
      }
      #expect((29...30).contains(found[0].second))
      #expect(warning.rank == culprit && warning.kind == kind)
      #expect(warning.whereabouts == Whereabouts(.reduction, step: 512))
      guard case .end(let stall) = try #require(found.dropFirst().first).finding else {
        Issue.record("no end next")
        return
      }
      #expect((599...600).contains(found[1].second))
      #expect(stall.rank == culprit && stall.kind == kind)
    }
  }

  @Test func `A rank that goes on after a warning is said to, and may stall again`() throws {
    var host = Host(ranks: 2)
    #expect(host.look([.waits, .hangs], seconds: 31).count == 1)
    guard case .goesOn(let stall) = host.look([.works, .works]) else {
      Issue.record("it is not said that it goes on")
      return
    }
    #expect(stall.rank == 1)
    #expect(host.look([.works, .works], seconds: 100).isEmpty)
    #expect(host.look([.waits, .hangs], seconds: 31).count == 1)
  }

  @Test func `A job that is suspended as a whole is not stalled`() {
    var host = Host(ranks: 2)
    #expect(host.look([.works, .works], seconds: 5).isEmpty)
    // A night's sleep, in which nobody looks; then this rank is woken some seconds before the other.
    #expect(host.look([.works, .isStopped], after: .seconds(8 * 3600)) == nil)
    #expect(host.look([.waits, .isStopped], seconds: 20).isEmpty)
    #expect(host.look([.works, .works], seconds: 60).isEmpty)
  }

  @Test func `Only the lowest rank that runs speaks`() {
    var second = Host(ranks: 3, watchdogOf: 1)
    #expect(second.look([.waits, .waits, .hangs], seconds: 1000).isEmpty)
    var third = Host(ranks: 3, watchdogOf: 2)
    #expect(third.look([.isStopped, .waits, .waits], seconds: 1000).isEmpty)
    // Both others are stopped: now it is this one's turn.
    #expect(third.look([.isStopped, .isStopped, .waits], seconds: 3).count == 1)
  }

  @Test func `A process that is gone ends the job at once, unless it had left`() {
    var host = Host(ranks: 3)
    #expect(host.look([.works, .works, .hasLeft], seconds: 100).isEmpty)
    guard case .end(let stall) = host.look([.works, .isGone, .hasLeft]) else {
      Issue.record("the job goes on")
      return
    }
    #expect(stall.rank == 1 && stall.kind == .ended)
  }

  @Test(arguments: [Doing.waits, .isBlocked])
  private func `Where all wait, it is for another host, and said later`(_ doing: Doing) throws {
    var host = Host(ranks: 2)
    host.sightings[0].awaited = 7
    let found = host.look([doing, doing], seconds: 606)
    #expect(found.count == 2)
    guard case .warn(let warning) = try #require(found.first).finding else {
      Issue.record("no warning first")
      return
    }
    #expect(warning.kind == .waits && warning.awaited == 7)
    #expect(found[0].second >= 34)
  }

  @Test func `A rank that never starts is named while MPI waits for it`() throws {
    var host = Host(ranks: 3, phase: .start)
    guard case .warn(let warning) = try #require(host.look([.waits, .waits, .isAbsent], seconds: 32).first).finding
    else {
      Issue.record("no warning")
      return
    }
    #expect(warning.kind == .notStarted && warning.rank == 2)
    // One of another host is none of this host's business.
    var other = Host(ranks: 3, expected: 2, phase: .start)
    #expect(other.look([.waits, .waits, .isAbsent], seconds: 33).isEmpty)
  }

  @Test func `A slow checkpoint is a warning and no end`() {
    var host = Host(ranks: 2, phase: .checkpoint)
    #expect(host.look([.hangs, .waits], seconds: 300).count == 1)
    guard case .goesOn = host.look([.works, .works]) else {
      Issue.record("the checkpoint is done, and that is not said")
      return
    }
  }
}
