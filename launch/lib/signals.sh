# How launch scripts are stopped; to be sourced first, before anything runs.
#
# USR1, TERM, INT, HUP and QUIT all ask for the same stop from here on, and so do PIPE and ALRM, of which the script would die and leave its
# job behind: `stop` is then set, and a job that runs is asked to stop. A signal that was ignored when the script started stays ignored,
# as bash has it: a job of nohup's outlives its terminal.

# bash 5.2 loses a trap, says `trap: line 2: unexpected EOF` and may end with 2 where a signal comes while it evaluates $(…), <(…) or
# >(…). So the shells that source this, and what they source, write `…` and coproc instead, and $(…) only inside of `…` or in what `aside`
# runs. Before the job has ended, they write no `…` either, and run nothing but by aside.sh. It loses the code of a command for which it
# waits when a signal comes. So they wait only for what has ended.

source "${BASH_SOURCE[0]%/*}/aside.sh"

# What a closed descriptor 0, 1 or 2 would be given to is the next file that a program opens.
[[ -e /proc/$$/fd/0 ]] || exec </dev/null
[[ -e /proc/$$/fd/1 ]] || exec >/dev/null
[[ -e /proc/$$/fd/2 ]] || exec 2>/dev/null

stop=''
# A file that asks a job for a stop by being there. It cannot come too early, as a signal can. Empty where the job looks at none.
stop_file=''
trap 'stop=1' USR1 TERM INT HUP QUIT PIPE ALRM
# There is nothing to save yet.
trap : USR2

# with_signals COMMAND…: runs it with input from /dev/null, and sets `code`, its exit code. It has a process group of its own, so what
# a terminal sends reaches this shell alone. USR2, TSTP and CONT are handed on; a second TERM, INT or QUIT hurries the end.
with_signals() {
  local job save='' suspend='' resume='' hurry='' asked='' asking='' never tries=0
  open_pipe never
  set -m
  "$@" </dev/null &
  job=$!
  set +m
  trap 'save=1' USR2
  trap 'suspend=1' TSTP
  trap 'resume=1' CONT
  trap 'hurry=$asked stop=1' TERM INT QUIT
  while [[ -e /proc/$job/exe ]]; do
    if [[ -n $stop && -z $asked ]]; then
      asked=1
      if ! ask_by_file; then
        keep_asking "$job" >/dev/null 2>&1 &
        asking=$!
        disown "$asking"
      fi
    fi
    [[ -z $hurry ]] || { hurry=''; kill -TERM "$job" 2>/dev/null || :; }
    [[ -z $save ]] || { save=''; ask_to_save "$job" >/dev/null 2>&1 & disown "$!"; }
    [[ -z $suspend ]] || { suspend=''; kill -TSTP "$job" 2>/dev/null || :; kill -STOP $$; }
    [[ -z $resume ]] || { resume=''; kill -CONT "$job" 2>/dev/null || :; }
    # Nothing ever comes.
    read -r -t 0.05 -u "$never" || :
  done
  # A signal may end even this, but not three times.
  while [[ $tries -lt 3 ]]; do
    tries=$((tries + 1)) code=0
    wait "$job" 2>/dev/null || code=$?
    [[ $code -gt 128 ]] || break
  done
  exec {never}>&-
  [[ -z $asking ]] || kill -KILL "$asking" 2>/dev/null || :
  trap - TSTP CONT
  trap : USR2
  trap 'stop=1' TERM INT QUIT
}

# ask_to_save PROCESS: sends it USR2 once neither it nor a rank below it would die of that; gives up after 10 s, or where it ends.
ask_to_save() {
  local looks child
  trap '' USR1 TERM INT HUP QUIT USR2
  for ((looks = 0; looks < 100; looks++)); do
    [[ -e /proc/$1/exe ]] || return 0
    # Before it is the command, it is a copy of this shell, with traps that end with it.
    if catches_save "$1" && ! cmp -s "/proc/$1/cmdline" "/proc/$$/cmdline"; then
      child=`child_named "$1" lockstep`
      # Ranks that have not been seen for so long are on other hosts.
      if [[ `cat "/proc/$1/comm"` != mpirun || -z $child && $looks -ge 30 ]] || catches_save "$child"; then
        kill -USR2 "$1"
        return
      fi
    fi
    sleep 0.1
  done
}

# catches_save PROCESS: whether it has a handler of USR2.
catches_save() {
  local mask
  mask=`sed -n 's/^SigCgt:[[:blank:]]*/0x/p' "/proc/$1/status" 2>/dev/null` && [[ -n $mask ]] && (((mask >> 11) & 1))
}

# child_named PROCESS NAME: the last of its children of that name, if there is any.
child_named() {
  local child found=''
  for child in `cat /proc/"$1"/task/*/children 2>/dev/null`; do
    [[ `cat "/proc/$child/comm" 2>/dev/null` != "$2" ]] || found=$child
  done
  printf '%s' "$found"
}

# ask_by_file: whether this asks the job for a stop for certain.
ask_by_file() {
  [[ -n $stop_file ]] && { : >"$stop_file"; } 2>/dev/null && [[ -z ${hostfile-}${SLURM_JOB_ID-} ]]
}

# keep_asking PROCESS: sends USR1 now and a few times more: mpirun forwards it only once its ranks are there.
keep_asking() {
  local pause
  trap '' USR1 TERM INT HUP QUIT
  for pause in 0.1 0.2 0.4 0.8 1.6 3.2; do
    kill -USR1 "$1" || return 0
    sleep "$pause"
  done
}
