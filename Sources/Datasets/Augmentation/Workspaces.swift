import Synchronization
import Tensors

/// Working memory for the threads that change images at the same time: a buffer each. One is allocated only if more
/// threads than ever before need one.
final class Workspaces: Sendable {
  private let count: Int
  private let free: Mutex<[Buffer<Float>]>

  /// Buffers of `count` floats; the first is made now.
  init(count: Int) {
    self.count = count
    free = Mutex([Buffer(count: count)])
  }

  /// Calls `body` with a buffer that nobody else has until it returns.
  func withOne(_ body: (Buffer<Float>) -> Void) {
    let workspace = free.withLock { $0.popLast() } ?? Buffer(count: count)
    body(workspace)
    free.withLock { $0.append(workspace) }
  }
}
