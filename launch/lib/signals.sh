# How launch scripts are stopped; to be sourced first, before anything runs.
#
# USR1, TERM, INT and HUP all ask for the same stop from here on: `stop` is then set, and a job that runs gets USR1. A signal that
# was ignored when the script started stays ignored, as bash has it: a job of nohup's outlives its terminal.

# What a closed descriptor 0, 1 or 2 would be given to is the next file that a program opens.
{ : <&0; } 2>/dev/null || exec </dev/null
{ : >&1; } 2>/dev/null || exec >/dev/null
{ : >&2; } 2>/dev/null || exec 2>/dev/null

stop=''
trap 'stop=1' USR1 TERM INT HUP

# with_signals COMMAND…: runs it with input from /dev/null, and sets `code`, its exit code. It has a process group of its own, so what
# a terminal sends reaches this shell alone. USR2 is handed on; a second TERM or INT hurries the end.
with_signals() {
  local job again='' asking=''
  set -m
  "$@" </dev/null &
  job=$!
  set +m
  trap "again=1; kill -USR2 $job 2>/dev/null || :" USR2
  trap 'again=1 stop=1' USR1 HUP
  trap "again=1; [[ -z \$asking ]] || kill -TERM $job 2>/dev/null || :; stop=1" TERM INT
  while :; do
    [[ -z $stop || -n $asking ]] || { keep_asking "$job" >/dev/null 2>&1 & asking=$!; disown "$asking"; }
    again='' code=0
    # A signal ends `wait`, not the job.
    wait "$job" || code=$?
    [[ -n $again || (-n $stop && -z $asking) ]] || break
  done
  [[ -z $asking ]] || kill -KILL "$asking" 2>/dev/null || :
  trap - USR2
  trap 'stop=1' USR1 TERM INT HUP
}

# keep_asking PROCESS: sends USR1 now and a few times more: mpirun forwards it only once its ranks are there.
keep_asking() {
  local pause
  trap '' USR1 TERM INT HUP
  for pause in 0.1 0.2 0.4 0.8 1.6 3.2; do
    kill -USR1 "$1" || return 0
    sleep "$pause"
  done
}
