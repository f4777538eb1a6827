import Dispatch
import Synchronization
import Tensors

/// Ranks that are threads of one process, with the same bits as over MPI: for tests, for users of the library, and
/// wherever no process may be started.
///
/// A rank shows the others its buffers, waits for all, reads what is meant for it, and waits again until all have read.
public final class InProcessCommunicator: Communicator {
  public let rank: Int
  public var size: Int { world.size }
  public var hosts: HostMap { world.hosts }
  private let world: MeetingPlace

  private init(rank: Int, world: MeetingPlace) {
    self.rank = rank
    self.world = world
  }

  /// Runs `body` once on each of `size` threads, as the ranks of one world, and returns their results in rank order
  /// when all have ended. If ranks throw, the others stop waiting, and the first error is thrown.
  ///
  /// - Parameter hosts: which ranks share memory; all of them by default.
  public static func run<Result: Sendable>(
    size: Int, hosts: HostMap? = nil, _ body: @escaping @Sendable (InProcessCommunicator) throws -> Result
  ) throws -> [Result] {
    precondition(size >= 1, "a world of \(size) ranks")
    let world = MeetingPlace(hosts: hosts ?? .together(size))
    precondition(world.size == size, "hosts of \(world.size) ranks in a world of \(size)")
    let outcomes = Mutex<[Swift.Result<Result, any Error>?]>(Array(repeating: nil, count: size))
    let ranks = DispatchGroup()
    for rank in 0..<size {
      // A serial queue of its own is a thread of its own: a rank may block on another without starving it.
      DispatchQueue(label: "lockstep rank \(rank)").async(group: ranks) {
        let outcome = Swift.Result { try body(InProcessCommunicator(rank: rank, world: world)) }
        if case .failure = outcome { world.fail(rank: rank) }
        outcomes.withLock { $0[rank] = outcome }
      }
    }
    ranks.wait()
    return try outcomes.withLock { outcomes in
      if let cause = world.failedRank { _ = try outcomes[cause]?.get() }
      return try outcomes.compactMap { try $0?.get() }
    }
  }

  public func barrier() throws(CommunicationError) { try world.all.wait(rank: rank) }

  public func hostBarrier() throws(CommunicationError) { try world.meetings[hosts.host(of: rank)].wait(rank: rank) }

  public func broadcast(_ buffer: Buffer<Float>, from root: Int) throws(CommunicationError) {
    try share(.floats(buffer)) { board throws(CommunicationError) in
      let floats = board[root].floats
      guard floats.count == buffer.count else {
        throw CommunicationError("broadcast of \(floats.count) floats meets \(buffer.count)")
      }
      if rank != root { buffer.copy(from: floats) }
    }
  }

  public func gather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
    try share(.bytes(bytes)) { board in board.map(\.bytes) }
  }

  public func exchange(
    _ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>
  ) throws(CommunicationError) {
    try share(.exchange(plan, source)) { board throws(CommunicationError) in
      for peer in 0..<size where peer != rank {
        let (theirs, buffer) = board[peer].exchange
        let sent = theirs.sends.filter { $0.peer == rank }
        let received = plan.receives.filter { $0.peer == peer }
        guard sent.map(\.range.count) == received.map(\.range.count) else {
          throw CommunicationError("rank \(peer) sends rank \(rank) other floats than it expects")
        }
        for (from, to) in zip(sent, received) { destination[to.range].copy(from: buffer[from.range]) }
      }
    }
  }

  public func sharedBuffers(count: Int) throws(CommunicationError) -> [Buffer<Float>] {
    try share(.floats(Buffer(count: count))) { board in hosts.neighbours(of: rank).map { board[$0].floats } }
  }

  public func allreduce(_ buffer: Buffer<Float>) throws(CommunicationError) {
    let total = Buffer<Float>(count: buffer.count)
    try share(.floats(buffer)) { board throws(CommunicationError) in
      for entry in board {
        guard entry.floats.count == buffer.count else {
          throw CommunicationError("allreduce of \(buffer.count) floats meets \(entry.floats.count)")
        }
        for i in 0..<buffer.count { total[i] += entry.floats[i] }
      }
    }
    buffer.copy(from: total)
  }

  /// Shows `entry` to all ranks, reads theirs, and keeps all in place until everyone has read. Returns the result of
  /// `read`.
  private func share<Result>(
    _ entry: Entry, _ read: ([Entry]) throws(CommunicationError) -> Result
  ) throws(CommunicationError) -> Result {
    world.board.withLock { $0[rank] = entry }
    try world.all.wait(rank: rank)
    let result = try read(world.board.withLock { $0 })
    try world.all.wait(rank: rank)
    return result
  }
}

/// The data that a rank shows the others in one collective.
private enum Entry: Sendable {
  case nothing
  case floats(Buffer<Float>)
  case bytes([UInt8])
  case exchange(ExchangePlan, Buffer<Float>)

  var floats: Buffer<Float> {
    if case .floats(let floats) = self { return floats }
    preconditionFailure("ranks are in different collectives")
  }
  var bytes: [UInt8] {
    if case .bytes(let bytes) = self { return bytes }
    preconditionFailure("ranks are in different collectives")
  }
  var exchange: (ExchangePlan, Buffer<Float>) {
    if case .exchange(let plan, let buffer) = self { return (plan, buffer) }
    preconditionFailure("ranks are in different collectives")
  }
}

/// The state that the ranks of one world share.
private final class MeetingPlace: Sendable {
  let hosts: HostMap
  let board: Mutex<[Entry]>
  /// The meeting of all ranks.
  let all: Meeting
  /// The meeting of each host's ranks.
  let meetings: [Meeting]

  init(hosts: HostMap) {
    self.hosts = hosts
    let size = hosts.ranks.reduce(0) { $0 + $1.count }
    board = Mutex(Array(repeating: .nothing, count: size))
    all = Meeting(of: Array(0..<size))
    meetings = hosts.ranks.map(Meeting.init)
  }

  var size: Int { all.ranks.count }
  var failedRank: Int? { all.failedRank }

  /// Tells all that wait for this rank, now or later, that it has failed.
  func fail(rank: Int) {
    // The host's meeting also tells of the world's first failure.
    let first = all.fail(rank: rank)
    for meeting in meetings { _ = meeting.fail(rank: first) }
  }
}

/// A place where some ranks wait for one another, over and over.
private final class Meeting: Sendable {
  private struct State {
    var arrived = 0
    var failedRank: Int?
  }

  let ranks: [Int]
  private let state = Mutex(State())
  private let gates: [DispatchSemaphore]

  init(of ranks: [Int]) {
    self.ranks = ranks
    gates = ranks.map { _ in DispatchSemaphore(value: 0) }
  }

  var failedRank: Int? { state.withLock { $0.failedRank } }

  /// Returns when all ranks have come here. Throws if one of them has failed.
  func wait(rank: Int) throws(CommunicationError) {
    let place = ranks.firstIndex(of: rank) ?? 0
    let isLast = state.withLock { state in
      state.arrived += 1
      guard state.arrived == ranks.count else { return false }
      state.arrived = 0
      return true
    }
    if isLast {
      for (other, gate) in gates.enumerated() where other != place { gate.signal() }
    } else {
      gates[place].wait()
    }
    if let failed = failedRank {
      // The gate stays open: a rank that goes on all the same is told again at the next one.
      gates[place].signal()
      throw CommunicationError("rank \(failed) failed, and rank \(rank) waited for it")
    }
  }

  /// Opens every gate for good, and returns the first rank that failed.
  func fail(rank: Int) -> Int {
    let first = state.withLock { state in
      defer { state.failedRank = state.failedRank ?? rank }
      return state.failedRank
    }
    if let first { return first }
    for gate in gates { gate.signal() }
    return rank
  }
}
