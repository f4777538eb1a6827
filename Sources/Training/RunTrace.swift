import Collectives
import Tensors

/// What every rank did in some steps of a run, on one clock.
///
/// The clocks of ranks on one host are the same. Those of other hosts are brought in line by what every rank's clock says after messages
/// that all wait for; they may be some hundredths of a millisecond apart.
public struct RunTrace: Sendable {
  /// One rank's work.
  public struct Rank: Sendable {
    /// The host's name.
    public var host: String
    /// The rank's pieces of work, in the order in which they ended.
    public var spans: [SpanRecorder.Span]
  }

  /// The names of the kinds of work, which the spans point to.
  public let names: [String]
  /// The ranks.
  public let ranks: [Rank]
  /// The pieces of work of all ranks that there was no room for.
  public let lostCount: Int

  /// The pause between the measurements of the clocks is a message; the middle one counts.
  private static let looks = 9

  /// Gathers what every rank has recorded. Collective. The same on every rank.
  init(_ recorder: SpanRecorder, on communicator: any Communicator) throws {
    let hosts = try communicator.gatherText(ProcessFacts.hostName)
    var clock: [UInt64] = []
    for _ in 0..<Self.looks {
      _ = try communicator.gather(words: [0])
      clock.append(SpanRecorder.now)
    }
    let clocks = try communicator.gather(words: clock)
    let offsets = clocks.indices.map { rank -> Int64 in
      guard hosts[rank] != hosts[0] else { return 0 }
      return zip(clocks[rank], clocks[0]).map { Int64(bitPattern: $0 &- $1) }.sorted()[Self.looks / 2]
    }
    let mine = recorder.spans.flatMap { [UInt64($0.name), $0.start, $0.end] }
    let words = try communicator.gather(words: [UInt64(recorder.lostCount)] + mine)
    names = recorder.names
    lostCount = words.reduce(0) { $0 + Int($1[0]) }
    ranks = zip(hosts, zip(words, offsets)).map { host, found in
      let (words, offset) = found
      return Rank(
        host: host,
        spans: stride(from: 1, to: words.count, by: 3).map {
          SpanRecorder.Span(
            name: Int(words[$0]), start: UInt64(bitPattern: Int64(bitPattern: words[$0 + 1]) - offset),
            end: UInt64(bitPattern: Int64(bitPattern: words[$0 + 2]) - offset))
        })
    }
  }
}
