/// How long a rank waits for others, and where it says that it does.
struct Patience {
  let limit: Duration
  let heartbeat: Heartbeat
}
