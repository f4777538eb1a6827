import Auditing
import Lockstep
import Testing

/// Ranks that work alone, some longer than others.
@Suite struct SideBySideTests {
  @Test(arguments: 1...4)
  func allRanksHaveAllResults(_ ranks: Int) throws {
    let results = try InProcessCommunicator.run(size: ranks) { communicator in
      try SideBySide(communicator).run(
        communicator.rank == 2
          ? nil
          : { beat in
            for _ in 0..<communicator.rank * 5 { try beat() }
            return [UInt64(communicator.rank)]
          })
    }
    for result in results { #expect(result == (0..<ranks).map { $0 == 2 ? [] : [UInt64($0)] }) }
  }

  @Test func theErrorOfOneIsThatOfAll() throws {
    let lines = try InProcessCommunicator.run(size: 3) { communicator in
      do {
        _ = try SideBySide(communicator).run { beat in
          for turn in 0..<7 {
            try beat()
            if communicator.rank == 1 && turn == 3 { throw TrainingError(.badData, "a fault") }
          }
          return []
        }
        return "none"
      } catch { return "\(TrainingError(error).code) \(error)" }
    }
    #expect(Set(lines).count == 1 && lines[0].hasPrefix("badData rank 1") && lines[0].hasSuffix("a fault"), "\(lines)")
  }
}
