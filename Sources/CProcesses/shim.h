#pragma once
#include <sys/syscall.h>
#include <unistd.h>

// A descriptor that becomes readable when the process ends (Linux 5.3), or -1. Swift imports no variadic function, and this call
// has only `syscall`.
static inline int lockstep_process_descriptor(pid_t process) {
#ifdef SYS_pidfd_open
  return (int)syscall(SYS_pidfd_open, process, 0);
#else
  (void)process;
  return -1;
#endif
}
