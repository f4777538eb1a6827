internal import COpenMPI

import Collectives
import Glibc
import Tensors

// Wraps each call of MPI's once: raw memory and codes inside, errors outside. The communicator is the world, except for
// memory that a host's ranks share. Only these wait without limit: `allreduce` (see there), and calls that cannot be
// polled, which are `initialise`, `finalise` and those that make communicators and windows, before the first step.

/// The requests under way, which ``MPICalls/wait(for:limit:during:)`` completes. Kept and reused, so that a step
/// allocates nothing.
@safe
struct Requests {
  fileprivate var handles: [MPI_Request?] = unsafe []
  /// The other rank of each request; nil for a collective.
  fileprivate var peers: [Int?] = []

  fileprivate mutating func append(_ handle: MPI_Request?, with peer: Int? = nil) {
    unsafe handles.append(handle)
    peers.append(peer)
  }

  mutating func removeAll() {
    unsafe handles.removeAll(keepingCapacity: true)
    peers.removeAll(keepingCapacity: true)
  }

  /// The first rank whose message is missing; nil if no request waits for a single rank.
  fileprivate var awaitedPeer: Int? {
    for (index, peer) in peers.enumerated() {
      guard let peer else { continue }
      var isDone: Int32 = 0
      if unsafe MPI_Request_get_status(handles[index], &isDone, lockstep_mpi_status_ignore()) == MPI_SUCCESS,
        isDone == 0
      {
        return peer
      }
    }
    return nil
  }
}

enum MPICalls {
  /// Throws the error of an MPI code: the one place where codes become errors.
  private static func check(_ code: Int32, _ call: StaticString) throws(CommunicationError) {
    guard code != MPI_SUCCESS else { return }
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
    var length: Int32 = 0
    _ = unsafe MPI_Error_string(code, &text, &length)
    throw CommunicationError("\(call): \(string(text, length))")
  }

  private static func string(_ characters: [CChar], _ length: Int32) -> String {
    String(decoding: characters.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func initialise() throws(CommunicationError) {
    // `ob1` is what Open MPI sends messages with where it finds no network that needs another way.
    if MPICommunicator.needsNoNetwork(ProcessEnvironment.variables) { unsafe setenv("OMPI_MCA_pml", "ob1", 0) }
    var provided: Int32 = 0
    // One thread at a time calls MPI, but not always the main one: tests run on others.
    try check(unsafe MPI_Init_thread(nil, nil, Int32(MPI_THREAD_SERIALIZED), &provided), "MPI_Init_thread")
    guard provided >= Int32(MPI_THREAD_SERIALIZED) else {
      throw CommunicationError("MPI_Init_thread: this MPI library was built without thread support")
    }
    // By default MPI ends the process at an error. Now it returns a code, which `check` makes an error.
    try check(
      unsafe MPI_Comm_set_errhandler(lockstep_mpi_comm_world(), lockstep_mpi_errors_return()), "MPI_Comm_set_errhandler"
    )
  }

  static func isInitialised() -> Bool {
    var flag: Int32 = 0
    return unsafe MPI_Initialized(&flag) == MPI_SUCCESS && flag != 0
  }

  static func isFinalised() -> Bool {
    var flag: Int32 = 0
    return unsafe MPI_Finalized(&flag) == MPI_SUCCESS && flag != 0
  }

  static func finalise() throws(CommunicationError) { try check(MPI_Finalize(), "MPI_Finalize") }

  static func abort(code: Int32) { unsafe _ = MPI_Abort(lockstep_mpi_comm_world(), code) }

  static func rank() throws(CommunicationError) -> Int {
    var rank: Int32 = 0
    try check(unsafe MPI_Comm_rank(lockstep_mpi_comm_world(), &rank), "MPI_Comm_rank")
    return Int(rank)
  }

  static func size() throws(CommunicationError) -> Int {
    var size: Int32 = 0
    try check(unsafe MPI_Comm_size(lockstep_mpi_comm_world(), &size), "MPI_Comm_size")
    return Int(size)
  }

  static func libraryVersion() -> String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
    var length: Int32 = 0
    guard unsafe MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "unknown" }
    return string(text, length)
  }

  // MARK: Begun here, completed by `wait`

  static func send(
    _ floats: UnsafePointer<Float>, _ count: Int, to rank: Int, _ requests: inout Requests
  ) throws(CommunicationError) {
    var request: MPI_Request?
    try check(
      unsafe MPI_Isend(
        floats, Int32(count), lockstep_mpi_float(), Int32(rank), 0, lockstep_mpi_comm_world(), &request), "MPI_Isend")
    unsafe requests.append(request, with: rank)
  }

  static func receive(
    _ floats: UnsafeMutablePointer<Float>, _ count: Int, from rank: Int, _ requests: inout Requests
  ) throws(CommunicationError) {
    var request: MPI_Request?
    try check(
      unsafe MPI_Irecv(
        floats, Int32(count), lockstep_mpi_float(), Int32(rank), 0, lockstep_mpi_comm_world(), &request), "MPI_Irecv")
    unsafe requests.append(request, with: rank)
  }

  static func barrier(_ requests: inout Requests) throws(CommunicationError) {
    var request: MPI_Request?
    try check(unsafe MPI_Ibarrier(lockstep_mpi_comm_world(), &request), "MPI_Ibarrier")
    unsafe requests.append(request)
  }

  static func broadcast(
    _ floats: UnsafeMutablePointer<Float>, _ count: Int, from root: Int, _ requests: inout Requests
  ) throws(CommunicationError) {
    var request: MPI_Request?
    try check(
      unsafe MPI_Ibcast(
        floats, Int32(count), lockstep_mpi_float(), Int32(root), lockstep_mpi_comm_world(), &request), "MPI_Ibcast")
    unsafe requests.append(request)
  }

  /// Gathers `count` bytes from each rank into `all`, in rank order.
  static func allgather(
    _ mine: UnsafePointer<UInt8>, _ count: Int, into all: UnsafeMutablePointer<UInt8>, _ requests: inout Requests
  ) throws(CommunicationError) {
    var request: MPI_Request?
    try check(
      unsafe MPI_Iallgather(
        mine, Int32(count), lockstep_mpi_byte(), all, Int32(count), lockstep_mpi_byte(), lockstep_mpi_comm_world(),
        &request), "MPI_Iallgather")
    unsafe requests.append(request)
  }

  // MARK: Memory that the ranks of one host share

  /// The communicator of the ranks on this host, and the rank in the world of its first.
  static func hostCommunicator() throws(CommunicationError) -> (communicator: MPI_Comm?, first: Int) {
    var host: MPI_Comm?
    try check(
      unsafe MPI_Comm_split_type(
        lockstep_mpi_comm_world(), Int32(MPI_COMM_TYPE_SHARED), 0, lockstep_mpi_info_null(), &host),
      "MPI_Comm_split_type")
    var hostGroup: MPI_Group?
    var worldGroup: MPI_Group?
    try check(unsafe MPI_Comm_group(host, &hostGroup), "MPI_Comm_group")
    try check(unsafe MPI_Comm_group(lockstep_mpi_comm_world(), &worldGroup), "MPI_Comm_group")
    var first: Int32 = 0
    var rank: Int32 = 0
    try check(
      unsafe MPI_Group_translate_ranks(hostGroup, 1, &first, worldGroup, &rank), "MPI_Group_translate_ranks")
    return unsafe (host, Int(rank))
  }

  /// The communicator of the ranks that call this with the same `colour`, in the order of the world.
  static func communicator(colour: Int) throws(CommunicationError) -> MPI_Comm? {
    var communicator: MPI_Comm?
    try check(
      unsafe MPI_Comm_split(lockstep_mpi_comm_world(), Int32(colour), 0, &communicator), "MPI_Comm_split")
    return unsafe communicator
  }

  /// Allocates a window of memory that all ranks of `communicator` share, with a part of `count` floats for this rank.
  static func allocateShared(_ count: Int, _ communicator: MPI_Comm?) throws(CommunicationError) -> MPI_Win? {
    var window: MPI_Win?
    // Not used: `sharedMemory` gives the addresses of all parts.
    var base: UnsafeMutableRawPointer?
    try check(
      unsafe MPI_Win_allocate_shared(
        MPI_Aint(count * MemoryLayout<Float>.stride), Int32(MemoryLayout<Float>.stride), lockstep_mpi_info_null(),
        communicator, &base, &window), "MPI_Win_allocate_shared")
    // One epoch of access for the whole run: reads and writes are plain loads and stores, ordered by barriers.
    try check(unsafe MPI_Win_lock_all(Int32(MPI_MODE_NOCHECK), window), "MPI_Win_lock_all")
    return unsafe window
  }

  /// The address in this process of the part of `rank`, and its number of floats.
  static func sharedMemory(
    of rank: Int, _ window: MPI_Win?
  ) throws(CommunicationError) -> (base: UnsafeMutablePointer<Float>?, count: Int) {
    var bytes: MPI_Aint = 0
    var unit: Int32 = 0
    var base: UnsafeMutableRawPointer?
    try check(unsafe MPI_Win_shared_query(window, Int32(rank), &bytes, &unit, &base), "MPI_Win_shared_query")
    let count = Int(bytes) / MemoryLayout<Float>.stride
    return unsafe (base?.bindMemory(to: Float.self, capacity: max(count, 1)), count)
  }

  // MARK: Completion

  /// Lets messages under way go on, while this rank waits for something else.
  static func progress() throws(CommunicationError) {
    var isThere: Int32 = 0
    try check(
      unsafe MPI_Iprobe(
        MPI_ANY_SOURCE, MPI_ANY_TAG, lockstep_mpi_comm_world(), &isThere, lockstep_mpi_status_ignore()), "MPI_Iprobe")
  }

  /// Polls until all requests are complete. Throws once that has taken longer than `limit`, with the rank that is
  /// missing.
  ///
  /// Open MPI makes progress only while it is polled. It yields the processor between polls if there are more ranks
  /// than cores.
  static func wait(
    for requests: inout Requests, limit: Patience, during call: StaticString
  ) throws(CommunicationError) {
    let count = unsafe Int32(requests.handles.count)
    guard count > 0 else { return }
    var polls = 0
    var waiting = Waiting(limit)
    defer { waiting.end() }
    while true {
      var isDone: Int32 = 0
      try check(
        unsafe requests.handles.withUnsafeMutableBufferPointer { handles in
          unsafe MPI_Testall(count, handles.baseAddress, &isDone, lockstep_mpi_statuses_ignore())
        }, call)
      if isDone != 0 { break }
      polls += 1
      // Reading the clock costs as much as a poll, so it is done seldom.
      guard polls % 64 == 0 else { continue }
      let isOver = waiting.isOver()
      guard isOver || polls % 65536 == 0 else { continue }
      let peer = requests.awaitedPeer
      waiting.awaits(peer)
      if isOver {
        let late = peer.map { "rank \($0) has" } ?? "the other ranks have"
        throw CommunicationError("\(call): \(late) not answered for \(waiting.time.components.seconds) s")
      }
    }
    requests.removeAll()
  }

  // MARK: Blocking

  /// Sums `floats` over the ranks by a blocking `MPI_Allreduce`. It stands for what other trainers do and must be as
  /// fast as MPI makes it, so the wait is MPI's own. mpirun ends the job if a rank dies in it.
  static func allreduce(_ floats: UnsafeMutablePointer<Float>, _ count: Int) throws(CommunicationError) {
    try check(
      unsafe MPI_Allreduce(
        lockstep_mpi_in_place(), floats, Int32(count), lockstep_mpi_float(), lockstep_mpi_sum(),
        lockstep_mpi_comm_world()), "MPI_Allreduce")
  }
}
