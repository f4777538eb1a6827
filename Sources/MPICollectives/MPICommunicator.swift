import Collectives
import Tensors

/// The ranks that `mpirun` started; without it, a world of one.
///
/// A process can initialise MPI once, and not again after ``finish()``.
public final class MPICommunicator: Communicator {
  public let rank: Int
  public let size: Int
  public private(set) var hosts: HostMap
  /// The limit of a wait for other ranks, and the heartbeat that notes waits.
  private let patience: Patience
  /// Where waits for other ranks are recorded; nil if they are not.
  private var recording: (recorder: SpanRecorder, name: SpanRecorder.Name)?
  private var requests = Requests()
  private var windows: SharedWindows

  /// Initialises MPI if the process has not done so yet, and finds this process's rank. Collective.
  ///
  /// - Parameters:
  ///   - patience: the limit of any wait. Must be longer than the longest pause of any rank, such as a checkpoint to a
  ///     slow disk.
  ///   - watchdog: the watchdog that shows the other ranks where this rank is; nil for none.
  ///   - hosts: the ranks that share memory, for ranks on one machine that act as if they were not. By default as MPI
  ///     finds them.
  public init(
    patience: Duration = .seconds(600), watchdog: Watchdog? = nil, hosts: HostMap? = nil
  ) throws(CommunicationError) {
    let heartbeat = watchdog?.heartbeat ?? Heartbeat()
    self.patience = Patience(limit: patience, heartbeat: heartbeat)
    // These calls cannot be polled, so only a watchdog can bound them.
    heartbeat.wait = .blocked
    defer { heartbeat.wait = .none }
    if !MPICalls.isInitialised() { try MPICalls.initialise() }
    watchdog?.hasJoined()
    rank = try MPICalls.rank()
    size = try MPICalls.size()
    self.hosts = .apart(size)
    unsafe windows = SharedWindows(self.hosts, rank: rank, communicator: nil)
    if let hosts {
      self.hosts = hosts
      windows = try unsafe SharedWindows(
        hosts, rank: rank, communicator: MPICalls.communicator(colour: hosts.host(of: rank)))
    } else {
      let (communicator, first) = try unsafe MPICalls.hostCommunicator()
      self.hosts = HostMap(colours: try gatherEqual(littleEndianBytes(of: first)).map(count(fromLittleEndianBytes:)))
      windows = unsafe SharedWindows(self.hosts, rank: rank, communicator: communicator)
    }
    guard let watchdog else { return }
    let names = try gather(Array(watchdog.host.utf8)).map { String(decoding: $0, as: UTF8.self) }
    watchdog.hosts.withLock { $0 = names }
  }

  /// The address space in bytes that MPI takes in a process, on a host of `ranksHere` ranks. With less, Open MPI prints
  /// many lines, ends the process or waits for ever. Measured with Open MPI 4.1: 243 MB on a host of two.
  public static func addressSpace(ranksHere: Int) -> Int { 256_000_000 + 5_000_000 * ranksHere }

  /// Leaves MPI. Collective, and the last call to it.
  public static func finish() throws(CommunicationError) { try MPICalls.finalise() }

  /// Whether all ranks are on this host by the launcher's `variables`, and the user leaves it to Open MPI how to send messages.
  ///
  /// Open MPI then looks for networks for nothing. It loads the libraries of two, psm and psm2, which measure the clock for a tenth of a
  /// second each while they are loaded, with or without such a network.
  package static func needsNoNetwork(_ variables: [String: String]) -> Bool {
    guard let size = variables["OMPI_COMM_WORLD_SIZE"] else { return false }
    return size == variables["OMPI_COMM_WORLD_LOCAL_SIZE"] && variables["OMPI_MCA_pml"] == nil
      && variables["OMPI_MCA_mtl"] == nil
  }

  /// Whether this process has initialised MPI and not left it.
  public static var isRunning: Bool { MPICalls.isInitialised() && !MPICalls.isFinalised() }

  /// Ends every rank of the job with `code`, because the others would wait for ever. By MPI's promise it does not
  /// return.
  public static func abort(code: Int32) { MPICalls.abort(code: code) }

  /// The MPI library's name and version, for `lockstep doctor`.
  public static var libraryVersion: String { MPICalls.libraryVersion() }

  public func recordWaits(in recorder: SpanRecorder) { recording = (recorder, recorder.name("wait")) }

  public func entered(_ phase: Phase, step: Int?) { patience.heartbeat.moved(to: phase, step: step) }

  public func barrier() throws(CommunicationError) {
    guard windows.barrier != nil && hosts.ranks.count == 1 else { return try barrierByMessages() }
    try hostBarrier()
  }

  private func barrierByMessages() throws(CommunicationError) {
    try MPICalls.barrier(&requests)
    try complete("MPI_Ibarrier")
  }

  public func hostBarrier() throws(CommunicationError) {
    try recordingWait { () throws(CommunicationError) in try windows.barrier?.wait(limit: patience) }
  }

  /// Waits until all messages under way are there. `call` names them in an error.
  private func complete(_ call: StaticString) throws(CommunicationError) {
    try recordingWait { () throws(CommunicationError) in
      try MPICalls.wait(for: &requests, limit: patience, during: call)
    }
  }

  /// Calls `body`, which waits for other ranks, and records how long.
  private func recordingWait(_ body: () throws(CommunicationError) -> Void) throws(CommunicationError) {
    guard let (recorder, name) = recording else { return try body() }
    try recorder.record(name, body)
  }

  public func sharedBuffers(count: Int) throws(CommunicationError) -> [Buffer<Float>] {
    let counts = try gather(littleEndianBytes(of: count)).map(self.count(fromLittleEndianBytes:))
    let buffers = try windows.allocate(counts)
    // Not the windows' own barrier, because its words may not be zero on all ranks yet.
    try barrierByMessages()
    return buffers
  }

  public func broadcast(_ buffer: Buffer<Float>, from root: Int) throws(CommunicationError) {
    try unsafe MPICalls.broadcast(buffer.base, buffer.count, from: root, &requests)
    try complete("MPI_Ibcast")
  }

  public func gather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
    // All send as many bytes as the longest has: first the lengths, then the padded bytes.
    let length = littleEndianBytes(of: bytes.count)
    let lengths = try gatherEqual(length).map(count(fromLittleEndianBytes:))
    let longest = lengths.max() ?? 0
    guard longest > 0 else { return lengths.map { _ in [] } }
    let padded = bytes + [UInt8](repeating: 0, count: longest - bytes.count)
    return zip(try gatherEqual(padded), lengths).map { Array($0.prefix($1)) }
  }

  private func gatherEqual(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
    let mine = Buffer<UInt8>(bytes)
    let all = Buffer<UInt8>(count: size * bytes.count)
    try unsafe MPICalls.allgather(mine.base, bytes.count, into: all.base, &requests)
    try complete("MPI_Iallgather")
    return (0..<size).map { all[$0 * bytes.count..<($0 + 1) * bytes.count].array }
  }

  private func littleEndianBytes(of count: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
  }

  private func count(fromLittleEndianBytes bytes: [UInt8]) -> Int {
    bytes.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
  }

  public func exchange(
    _ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>
  ) throws(CommunicationError) {
    // Messages between two ranks arrive in the order in which they left (MPI 3.1, § 3.5), as the plan promises.
    for receive in plan.receives {
      let floats = destination[receive.range]
      try unsafe MPICalls.receive(floats.base, floats.count, from: receive.peer, &requests)
    }
    for send in plan.sends {
      let floats = source[send.range]
      try unsafe MPICalls.send(floats.base, floats.count, to: send.peer, &requests)
    }
    try complete("MPI_Isend and MPI_Irecv")
  }

  public func allreduce(_ buffer: Buffer<Float>) throws(CommunicationError) {
    // The wait is MPI's own, so only a watchdog can bound it.
    patience.heartbeat.wait = .blocked
    defer { patience.heartbeat.wait = .none }
    try unsafe MPICalls.allreduce(buffer.base, buffer.count)
  }
}
