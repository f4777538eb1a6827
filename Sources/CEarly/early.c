#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "CEarly.h"

// OpenBLAS starts a thread a processor while it is loaded, and ends the process with two lines of its own where a limit on the address
// space leaves no room for their stacks. It is asked for one, all that is ever used; as it looks into the environment of the
// process' start, that start is repeated where the variable is not there. Without a limit nothing is done: a start costs 10 ms.
static void limit_address_space(int count, char **arguments, char **environment) {
  static const char name[] = "OPENBLAS_NUM_THREADS=";
  static char setting[] = "OPENBLAS_NUM_THREADS=1";
  struct rlimit limit;
  int variables = 0;
  (void)count;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
#ifdef M_ARENA_MAX
  // A thread's first allocation maps 64 MB for an arena of its own. Where that came between the look at what is left and OpenBLAS' own
  // 128 MB, OpenBLAS asked for these without end.
  mallopt(M_ARENA_MAX, 1);
#endif
  for (; environment[variables]; variables++)
    if (strncmp(environment[variables], name, sizeof name - 1) == 0) {
      environment[variables] = setting;
      return;
    }
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  // More variables than a stack holds with ease are nobody's.
  if (length <= 0 || variables > 10000) return;
  path[length] = 0;
  char *extended[variables + 2];
  memcpy(extended, environment, variables * sizeof *environment);
  extended[variables] = setting;
  extended[variables + 1] = 0;
  execve(path, arguments, extended);
}

#ifdef __linux__
// The dynamic loader calls these before it initialises any library.
__attribute__((section(".preinit_array"), used)) static void (*const early)(int, char **, char **) = limit_address_space;
#endif
