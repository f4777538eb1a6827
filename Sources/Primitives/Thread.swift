import Glibc

/// Runs `body` on a thread of its own that takes no signals, because those are for the rank.
///
/// - Parameter stackBytes: the address space of its stack; nil for what the system gives.
package func startThread(stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void) {
  let box = unsafe Unmanaged.passRetained(ThreadBody(run: body))
  var attributes = pthread_attr_t()
  unsafe pthread_attr_init(&attributes)
  if let stackBytes { unsafe pthread_attr_setstacksize(&attributes, stackBytes) }
  var thread = pthread_t()
  // A thread inherits the blocked signals.
  var (all, mine) = (sigset_t(), sigset_t())
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_SETMASK, &all, &mine)
  let failed = unsafe pthread_create(
    &thread, &attributes,
    { context in
      if let context = unsafe context { unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
      return nil
    }, unsafe box.toOpaque())
  unsafe pthread_sigmask(SIG_SETMASK, &mine, nil)
  unsafe pthread_attr_destroy(&attributes)
  // If there can be no thread, the run goes on as without what it would have watched.
  if failed != 0 { unsafe box.release() }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(run: @escaping @Sendable () -> Void) { self.run = run }
}
