import Glibc

/// Runs `body` on a thread of its own that takes no signals, because those are for the rank.
func startThread(_ body: @escaping @Sendable () -> Void) {
  let box = unsafe Unmanaged.passRetained(ThreadBody(run: body))
  var thread = pthread_t()
  // A thread inherits the blocked signals.
  var (all, mine) = (sigset_t(), sigset_t())
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_SETMASK, &all, &mine)
  let failed = unsafe pthread_create(
    &thread, nil,
    { context in
      if let context = unsafe context { unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
      return nil
    }, unsafe box.toOpaque())
  unsafe pthread_sigmask(SIG_SETMASK, &mine, nil)
  // If there can be no thread, the run goes on as without a watchdog.
  if failed != 0 { unsafe box.release() }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(run: @escaping @Sendable () -> Void) { self.run = run }
}
