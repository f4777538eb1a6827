/// Finds out which rank of a host keeps the others waiting, from looks at all of them at intervals. Every rank runs one.
///
/// A rank whose watchdog no longer ticks is stopped. One that ticks, waits for nobody and does not move on hangs. One
/// whose process is gone, and that had not left, has failed. If all ranks of the host wait, they wait for a rank
/// elsewhere. A rank that polls shows that it waits; one in a call of MPI's is believed.
///
/// Time counts from look to look, but no more than a second each. While the whole job is suspended, or the host asleep,
/// nobody looks, so that time does not count.
public struct StallDetector: Sendable {
  /// The state of a rank at one look.
  public struct Sighting: Sendable, Equatable {
    /// The relation of a rank to the job.
    public enum State: UInt64, Sendable {
      /// Its process has not said anything yet.
      case absent
      /// It takes part in the job.
      case running
      /// It has ended in order, or has said itself why not.
      case left
    }

    /// How a rank waits for others.
    public enum Wait: UInt64, Sendable {
      /// It waits for nobody.
      case none
      /// It asks again and again whether what it waits for has come.
      case polling
      /// It is in a call of MPI's that returns when that has come.
      case blocked
    }

    /// The relation of the rank to the job.
    public var state = State.absent
    /// Whether its process has ended.
    public var isGone = false
    /// Counts up as long as the process runs at all.
    public var ticks: UInt64 = 0
    /// Counts up whenever the rank moves on.
    public var moves: UInt64 = 0
    /// Its place in the run.
    public var whereabouts = Whereabouts(.start, step: 0)
    /// Whether it waits for other ranks, and how.
    public var wait = Wait.none
    /// Counts up as long as it polls.
    public var polls: UInt64 = 0
    /// A rank that it waits for, if known.
    public var awaited: Int?

    /// The sighting of a rank that is not there.
    public init() {}
  }

  /// A rank that keeps others waiting.
  public struct Stall: Sendable, Equatable {
    /// The kind of a stall.
    public enum Kind: Sendable {
      /// Its process is gone, though it had not left.
      case ended
      /// Its watchdog no longer ticks.
      case stopped
      /// It ticks, waits for nobody, and does not move on.
      case hung
      /// Its process has not said anything, while others wait in MPI's start.
      case notStarted
      /// This rank is sound, and waits for one of another host.
      case waits
    }

    /// The kind of the stall.
    public var kind: Kind
    /// The rank.
    public var rank: Int
    /// Its place in the run.
    public var whereabouts: Whereabouts
    /// The length of the stall.
    public var time: Duration
    /// The rank that it waits for, if known.
    public var awaited: Int?
  }

  /// The action after a look.
  public enum Finding: Sendable, Equatable {
    /// Say that this rank keeps the others waiting.
    case warn(Stall)
    /// Say that a rank that was warned of goes on.
    case goesOn(Stall)
    /// End the job, for this reason.
    case end(Stall)
  }

  /// The times after which a stall is said, and after which it ends the job.
  public struct Limits: Sendable, Equatable {
    /// The time after which a stall is said.
    public var warning: Duration
    /// The time after which a stall ends the job.
    public var timeout: Duration

    /// The default timeout is far beyond a slow checkpoint.
    public init(warning: Duration = .seconds(30), timeout: Duration = .seconds(600)) {
      self.warning = warning
      self.timeout = timeout
    }
  }

  /// The longest time that one look may add.
  static let longestLook = Duration.seconds(1)
  /// The extra time before a rank that only waits is reported, so that ranks that see the culprit speak first.
  static let grace = Duration.seconds(5)
  /// The time without a tick after which a rank leaves speaking to the next.
  static let silence = Duration.seconds(2)

  private struct History {
    var sighting = Sighting()
    /// The times since it last ticked, moved on, and polled.
    var unticked = Duration.zero
    var unmoved = Duration.zero
    var unpolled = Duration.zero

    var isWaiting: Bool {
      switch sighting.wait {
      case .none: false
      case .polling: unpolled < StallDetector.silence
      case .blocked: true
      }
    }
  }

  private let limits: Limits
  private let rank: Int
  private let expected: Int
  private var ranks: [History]
  private var warned: Stall?

  /// The detector of `rank`, in a world of `size` ranks, of which `expected` are on this host.
  public init(rank: Int, size: Int, expected: Int, limits: Limits) {
    self.limits = limits
    self.rank = rank
    self.expected = expected
    ranks = Array(repeating: History(), count: size)
  }

  /// Takes in a look at all ranks, `elapsed` after the last, and returns what this rank is to do; nil for nothing.
  /// Ranks of other hosts are absent.
  public mutating func look(_ sightings: [Sighting], after elapsed: Duration) -> Finding? {
    let time = min(elapsed, Self.longestLook)
    for index in ranks.indices {
      let (before, now) = (ranks[index].sighting, sightings[index])
      let isNew = before.state != now.state
      ranks[index].unticked = isNew || before.ticks != now.ticks ? .zero : ranks[index].unticked + time
      ranks[index].unmoved = isNew || before.moves != now.moves ? .zero : ranks[index].unmoved + time
      ranks[index].unpolled = isNew || before.polls != now.polls ? .zero : ranks[index].unpolled + time
      ranks[index].sighting = now
    }
    guard isSpeaker else {
      warned = nil
      return nil
    }
    guard let stall = worst else {
      defer { warned = nil }
      return warned.map { .goesOn($0) }
    }
    let grace = stall.kind == .waits ? Self.grace : .zero
    if stall.kind == .ended || stall.time >= limits.timeout + grace { return .end(stall) }
    defer { warned = stall }
    return warned?.rank == stall.rank && warned?.kind == stall.kind ? nil : .warn(stall)
  }

  /// Whether this rank speaks for its host: the lowest that runs does.
  private var isSpeaker: Bool {
    rank
      == ranks.indices.first {
        let other = ranks[$0]
        return other.sighting.state == .running && !other.sighting.isGone
          && ($0 == rank || other.unticked < Self.silence)
      }
  }

  /// The stall to be reported; nil if none is beyond the warning.
  private var worst: Stall? {
    let stalls = ranks.indices.compactMap(stall)
    if let ended = stalls.first(where: { $0.kind == .ended }) { return ended }
    if let culprit = stalls.filter({ $0.kind != .waits }).max(by: { $0.time < $1.time }) { return culprit }
    let present = ranks.count { $0.sighting.state != .absent }
    let mine = ranks[rank]
    // MPI starts only if all ranks do.
    if mine.sighting.whereabouts.phase == .start, mine.isWaiting, mine.unmoved >= limits.warning,
      present < expected,
      let absent = ranks.indices.first(where: { ranks[$0].sighting.state == .absent })
    {
      return Stall(kind: .notStarted, rank: absent, whereabouts: mine.sighting.whereabouts, time: mine.unmoved)
    }
    return stalls.max { $0.time < $1.time }
  }

  private func stall(_ index: Int) -> Stall? {
    let (now, history) = (ranks[index].sighting, ranks[index])
    func stall(_ kind: Stall.Kind, _ time: Duration) -> Stall {
      Stall(kind: kind, rank: index, whereabouts: now.whereabouts, time: time, awaited: now.awaited)
    }
    guard now.state == .running else { return nil }
    if now.isGone { return stall(.ended, history.unticked) }
    if history.unticked >= limits.warning { return stall(.stopped, history.unticked) }
    // One that has just been stopped is not taken for one that hangs.
    guard history.unmoved >= limits.warning, history.unticked < Self.silence else { return nil }
    if !history.isWaiting { return stall(.hung, history.unmoved) }
    return history.unmoved >= limits.warning + Self.grace ? stall(.waits, history.unmoved) : nil
  }
}
