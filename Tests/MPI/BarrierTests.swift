import Collectives
import Glibc
import Testing

extension RankTests {
  @Suite struct BarrierTests {
    @Test func `No rank leaves before all have come`() {
      onEveryRank { world in
        for last in 0..<world.size {
          // The last comer is made late; then the times of coming and leaving are compared, on one host's one clock.
          if world.rank == last { usleep(20_000) }
          let came = now()
          try world.barrier()
          let left = now()
          let all = try world.gather(Array("\(came) \(left)".utf8)).map { bytes in
            String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
          }
          let lastCame = all.map { $0[0] }.max() ?? 0
          for rank in all { #expect(rank[1] >= lastCame) }
        }
      }
    }

    @Test func `Many in a row`() {
      onEveryRank { world in for _ in 0..<1000 { try world.barrier() } }
    }
  }
}

/// Nanoseconds of the host's clock that never steps back, the same for all its processes.
private func now() -> Int {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
