import Glibc

/// Runs `body` on a thread of its own that takes no signal: those are the rank's.
func startThread(_ body: @escaping @Sendable () -> Void) {
  let box = unsafe Unmanaged.passRetained(ThreadBody(run: body))
  var thread = pthread_t()
  // A thread begins with the signals blocked that its maker has blocked.
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
  // Without a thread to be had the run goes on as without a watchdog.
  if failed != 0 { unsafe box.release() }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(run: @escaping @Sendable () -> Void) { self.run = run }
}
