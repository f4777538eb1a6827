# with_signals COMMAND…: runs it, hands USR1, USR2 and TERM on to it, and sets `code`, its exit code; to be sourced. A batch
# system or `kill` reaches this shell alone. (Not INT: a terminal sends that to both.)
with_signals() {
  local job again
  "$@" <&0 &
  job=$!
  trap "again=1; kill -USR1 $job 2>/dev/null || :" USR1
  trap "again=1; kill -USR2 $job 2>/dev/null || :" USR2
  trap "again=1; kill -TERM $job 2>/dev/null || :" TERM
  # A signal ends `wait`, not the job.
  while again='' code=0; wait "$job" || code=$?; [[ -n $again ]]; do :; done
  trap - USR1 USR2 TERM
}
