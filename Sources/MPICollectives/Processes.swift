internal import CProcesses

import Glibc

/// The processes whose end a watchdog must notice at once.
@safe
struct Processes {
  private var descriptors: [pollfd] = []
  /// The rank of each descriptor's process; nil for the parent.
  private var owners: [Int?] = []
  private var isWatched: [Bool]
  private var gone: Set<Int> = []
  private let parent: pid_t
  private(set) var parentIsGone = false

  init(parent: pid_t, count: Int) {
    self.parent = parent
    isWatched = Array(repeating: false, count: count)
    watch(parent, nil)
  }

  private mutating func watch(_ process: pid_t, _ owner: Int?) {
    let descriptor = lockstep_process_descriptor(process)
    // An old kernel has none. Then `isGone` asks each time.
    guard descriptor >= 0 else { return }
    descriptors.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
    owners.append(owner)
  }

  /// Waits until one of them ends, but at most for this time.
  mutating func wait(milliseconds: Int32) {
    let count = unsafe poll(&descriptors, nfds_t(descriptors.count), milliseconds)
    parentIsGone = getppid() != parent
    guard count > 0 else { return }
    for index in descriptors.indices.reversed() where descriptors[index].revents != 0 {
      if let owner = owners[index] { gone.insert(owner) } else { parentIsGone = true }
      close(descriptors[index].fd)
      descriptors.remove(at: index)
      owners.remove(at: index)
    }
  }

  /// Whether a rank's process has ended. `process` is 0 if it has not started yet.
  mutating func isGone(_ rank: Int, _ process: pid_t) -> Bool {
    guard process != 0, !gone.contains(rank) else { return process != 0 }
    if !isWatched[rank] {
      isWatched[rank] = true
      watch(process, rank)
    }
    if kill(process, 0) != 0 && errno == ESRCH { gone.insert(rank) }
    return gone.contains(rank)
  }
}
