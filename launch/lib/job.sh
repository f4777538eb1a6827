# What launch/train and launch/verify share, to be sourced behind signals.sh with `root` set: which ranks and
# hosts, what must be there first, and mpirun.
#
#   read_arguments "$@"   → ranks, hostfile, hosts, slots, machines, naive, data, arguments (those of lockstep train)
#   set_up                → program, cores, all that can be installed, fetched and built
#   start RANKS COMMAND…  → code; USR1, TERM, INT, HUP and QUIT stop the job (signals.sh), USR2, TSTP and CONT are handed on

source "$root/launch/lib/hostfile.sh"
source "$root/launch/lib/reason.sh"

# Of `lockstep train`'s own arguments it heeds what decides what is fetched and how many ranks there can be.
read_arguments() {
  local count
  ranks='' hostfile='' slots='' data=mnist most=8
  arguments=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -n | -np) [[ -n ${2-} ]] || fail 64 "$1 takes a number of ranks"; ranks=$2; shift 2 ;;
      -n=* | -n[0-9]* | -np=* | -np[0-9]*) fail 64 "$1: the number of ranks is a word of its own: -n 2" ;;
      --hostfile) [[ -n ${2-} ]] || fail 64 '--hostfile takes a file'; hostfile=$2; shift 2 ;;
      --hostfile=*) hostfile=${1#*=}; [[ -n $hostfile ]] || fail 64 '--hostfile takes a file'; shift ;;
      --data) arguments+=("$1"); [[ $# -lt 2 ]] || { data=$2; arguments+=("$2"); shift; }; shift ;;
      --data=*) data=${1#--data=}; arguments+=("$1"); shift ;;
      # The default batch has 8 microbatches in most nets (16 in gpt and wavenet), so more ranks would have no work. Of another batch, or other
      # clients, lockstep knows.
      --global-batch* | --microbatch* | --client*) most=''; arguments+=("$1"); shift ;;
      *) arguments+=("$1"); shift ;;
    esac
  done
  [[ -z $hostfile ]] || open_hostfile
  for count in ${ranks//[^0-9]/ }; do
    is_count "$count" || fail 64 "-n ${ranks:0:100}: there are 1 to 999999 ranks"
    [[ -z $slots || $((10#$count)) -le $slots ]] || fail 64 "-n $count is more ranks than the slots in $hostfile, which are $slots"
  done
}

# open_hostfile: reads $hostfile, and makes `machines` a file for mpirun that has no name, so nobody need remove it.
open_hostfile() {
  local lines
  read_hostfile "$hostfile"
  lines=$machines
  nameless machines
  printf '%s' "$lines" >"$machines" || fail 73 "${TMPDIR:-/tmp} is full; set TMPDIR to another directory"
}

set_up() {
  require_temporary
  aside "$root/launch/setup"
  case $data in mnist | fashion-mnist) aside "$root/launch/fetch" "$data" >/dev/null ;; esac
  take program "$root/launch/build"
  take cores count_cores
  [[ $EUID -ne 0 ]] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
}

# count_cores: prints how many ranks this machine, or the allocation, has a place for.
count_cores() {
  local cores processors
  # In a job of Slurm's, mpirun takes the allocation for its hosts: 2(x3),1 is two tasks on each of three nodes and one more.
  if [[ -n ${SLURM_JOB_ID-} && -n ${SLURM_TASKS_PER_NODE-} ]]; then
    tr ',' '\n' <<<"$SLURM_TASKS_PER_NODE" | tr -d '()' | awk -F x '{ sum += $1 * (NF > 1 ? $2 : 1) } END { print sum }'
    return
  fi
  # Physical cores: two ranks on one core's two threads share its multipliers. Where /sys is missing, lscpu says nothing.
  cores=`lscpu -p=Core,Socket 2>/dev/null | sed '/^#/d' | sort -u | wc -l` || :
  processors=`nproc`
  [[ $cores -ge 1 && $cores -le $processors ]] || cores=$processors
  printf '%s' "$cores"
}

# all_ranks: as many as the hosts have slots or this machine cores, and no more than have work; nothing if mpirun must count.
all_ranks() {
  local count=$cores
  [[ -z $hostfile ]] || count=$slots
  [[ -z $count || -z $most || $count -le $most ]] || count=$most
  printf '%s' "$count"
}

# start RANKS COMMAND…: runs it on so many ranks (where RANKS is empty, on all slots) and sets `code`, mpirun's exit code.
# `saved` is then set where lockstep has stopped after a checkpoint and said so (the program makes the file $stop_file.done): `heard`, or
# `unheard` where mpirun died before it passed that on.
# $only, where it is set, is the one host of the hostfile to use; with $spread, ranks go to the hosts in turn.
start() {
  # mpirun hands TSTP and CONT on to its ranks.
  local count=$1 mpi=(--mca orte_base_help_aggregate 1 --mca orte_forward_job_control 1) variable exported directory releasing=''
  shift
  saved=''
  # An error is one line, which lockstep prints; and no stack trace of Open MPI's when a rank is killed.
  [[ ${LOCKSTEP_VERBOSE-} == 1 ]] || mpi+=(--mca opal_signal '')
  [[ -z $count ]] || mpi+=(-n "$count")
  if [[ -n $hostfile ]]; then
    mpi+=(--hostfile "$machines" ${naive:+--mca regx naive})
    [[ -z ${only-} ]] || mpi+=(--host "${only#*@}")
    [[ -z ${spread-} ]] || mpi+=(--map-by node)
    take exported compgen -e
    # What decides the bits, where the data are, and flags given as variables must be the same on every host; ssh carries nothing over.
    while IFS= read -r variable; do
      case $variable in
        LOCKSTEP_STOP_FILE) ;;
        OPENBLAS_* | XDG_CACHE_HOME | LOCKSTEP_*) mpi+=(-x "$variable") ;;
      esac
    done <<<"$exported"
  elif [[ $count -gt $cores ]]; then
    mpi+=(--oversubscribe)
  fi
  # There is nothing to save yet.
  [[ -z $stop ]] || { say_stopped; code=75; return; }
  take directory mktemp -d "${TMPDIR:-/tmp}/lockstep-stop.XXXXXXXX" 2>/dev/null || directory=''
  stop_file=${directory:+$directory/asked}
  export LOCKSTEP_STOP_FILE=$stop_file
  release $$ >/dev/null 2>&1 &
  releasing=$!
  # So that bash does not speak of its end.
  disown "$releasing"
  nameless said
  if [[ ${LOCKSTEP_VERBOSE-} == 1 ]]; then with_signals mpirun "${mpi[@]}" "$@"; else
    # The coproc of an earlier run may not have ended yet. bash would warn of that.
    { coproc HOLD { hold "$said" 2>&3; }; } 3>&2 2>/dev/null
    with_signals mpirun "${mpi[@]}" "$@" 2>&"${HOLD[1]-2}"
    [[ -z ${HOLD[1]-} ]] || exec {HOLD[1]}>&-
    await_held "$said"
  fi
  kill -KILL "$releasing" 2>/dev/null || :
  if [[ -n $stop_file && -e $stop_file.done ]]; then
    saved=unheard
    [[ ${LOCKSTEP_VERBOSE-} != 1 && ! -e $stop_file.said ]] || saved=heard
  fi
  [[ -z $directory ]] || rm -rf -- "$directory"
}

# release SHELL: ends the mpirun below SHELL where it has no ranks any more on this host and yet goes on for 10 s. Then another
# host is cut off, and mpirun waits for that host's daemon until TCP gives up, a quarter of an hour later; or a rank died while it
# connected, of which mpirun never hears. Where all ranks are on this host, it also ends one that has had none for a minute.
# A job whose SHELL was killed is asked to stop: nobody would see what becomes of it.
release() {
  local mpirun='' since=$SECONDS patience='' orphaned=''
  trap '' USR1 TERM INT HUP QUIT PIPE ALRM USR2 TSTP
  [[ -n ${hostfile-}${SLURM_JOB_ID-} ]] || patience=60
  while [[ -z $mpirun && -e /proc/$1/exe && $((SECONDS - since)) -lt 30 ]]; do
    sleep 0.1
    mpirun=`child_named "$1" mpirun`
  done
  # It may have been started all the same.
  [[ -n $mpirun || -e /proc/$1/exe ]] || { orphaned=1; ask_by_file || :; sleep 60; }
  while [[ -n $mpirun && -e /proc/$mpirun/exe ]]; do
    if [[ -n `child_named "$mpirun" lockstep` ]]; then
      since=$SECONDS patience=10
    elif [[ -n $patience && $((SECONDS - since)) -ge $patience ]]; then
      kill -KILL "$mpirun" 2>/dev/null || :
    fi
    if [[ -z $orphaned && ! -e /proc/$1/exe ]]; then
      orphaned=1
      ask_by_file || keep_asking "$mpirun"
    fi
    sleep 1
  done
  [[ -z $orphaned || -z $directory ]] || rm -rf -- "$directory"
}

# settle: says on one line what `code` means where lockstep did not, and makes it one of lockstep's own where it can.
settle() {
  # mpirun that was hurried has a code of its own for ranks that ended with 75.
  case $saved in heard) code=75 ;; unheard) say_stopped; code=75 ;; esac
  # mpirun dies where it or a rank was stopped before its handlers were there, and ends with 1 where it was sent TERM as well.
  case $stop$code in 11 | 1129 | 1130 | 1131 | 1138 | 1143) say_stopped; code=75 ;; esac
  case $code in 0 | 64 | 65 | 66 | 70 | 73 | 75) ;; *) ! explain "$said" || code=70 ;; esac
  case $code in
    0 | 64 | 65 | 66 | 70 | 73 | 75) ;;
    1)
      printf '%s: mpirun was stopped, lost a rank or could not start one; LOCKSTEP_VERBOSE=1 shows what it says\n' "$name" >&2
      code=70 ;;
    129 | 13? | 14? | 15?)
      printf '%s: a rank or mpirun was killed by signal %d; the same command with its --run-dir goes on from the last checkpoint\n' \
        "$name" $((code - 128)) >&2
      code=70 ;;
    *)
      printf '%s: mpirun ended with %d; LOCKSTEP_VERBOSE=1 shows what it says\n' "$name" "$code" >&2
      code=70 ;;
  esac
}

say_stopped() {
  printf '%s: stopped by a signal; the same command with its --run-dir goes on from the last checkpoint, if there is one\n' "$name" >&2
}
