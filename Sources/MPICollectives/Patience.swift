/// The limit of a rank's wait for others, and the heartbeat that shows the wait.
struct Patience {
  let limit: Duration
  let heartbeat: Heartbeat
}
