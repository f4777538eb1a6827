# What mpirun says where lockstep says nothing, in one line; to be sourced after say.sh.
#
# mpirun's words are long, and it says some at every end of a job. They are held back, and one of them is shown if it is needed.

# hold FILE: passes standard input on to standard error line by line, but for what mpirun, ssh and the remote shell say, which
# goes to FILE. It ends with its input, whatever signals come.
hold() {
  local line frame=0 held=0 error clear=''
  exec {error}>&2
  # On a terminal a line may come before the bar that it ends has been wiped away: the two have different ways there.
  [[ ! -t 2 || -z ${TERM-} || $TERM == dumb ]] || clear=$'\r\e[K'
  trap '' HUP INT QUIT TERM USR1 USR2 PIPE TSTP
  while IFS= read -r line || [[ -n $line ]]; do
    case $line in
      # What the ranks and these scripts say is for the user at once, even between mpirun's lines.
      'lockstep: '* | '{"time": '* | launch/*)
        printf '%s\n' "$clear$line" >&"$error" || :
        [[ $line != 'lockstep: stopped by '* && $line != '{"time": '*'"event": "stopped"'* || -z ${stop_file-} ]] || : >"$stop_file.said"
        continue ;;
      # mpirun puts each message between two such lines; none is longer than 60.
      -----------------------------------------*) frame=$((frame > 0 ? 0 : 60)) ;;
      # The second and third are libevent's.
      '['*:*'] '* | '[warn] '* | '[err] '* | 'mpirun: '* | 'ssh: '* | kex_exchange_identification:* | *': Permission denied ('* | *': command not found' | \
        'Host key verification failed.'* | 'Warning: Permanently added '* | *"orted: No such file or directory" | '') ;;
      *)
        if [[ $frame -eq 0 ]]; then
          printf '%s\n' "$clear$line" >&"$error" || :
          continue
        fi
        frame=$((frame - 1)) ;;
    esac
    held=$((held + 1))
    [[ $held -gt 1000 ]] || printf '%s\n' "$line" >>"$1"
  done 2>/dev/null
  printf '%s\n' "$held_all" >>"$1"
}

# The last line of what is held.
held_all='the end'

# await_held FILE: waits for the end of `hold`, but not for long: what a job left behind may still have its input open.
await_held() {
  local try
  for ((try = 0; try < 150; try++)); do
    [[ `tail -n 1 -- "$1"` != "$held_all" ]] || break
    sleep 0.02
  done
}

# explain FILE: says the reason in FILE; fails where there is none.
explain() {
  local line
  line=`reason "$1"`
  [[ -n $line ]] && printf '%s: mpirun: %s\n' "$name" "$line" >&2
}

# reason FILE: in one line, the first of what `hold` held that is a cause; nothing where there is none.
reason() {
  local line message='' paragraph=1 general='' found=''
  while IFS= read -r line; do
    line=${line%$'\r'}
    case $line in
      -----------------------------------------*)
        case $message in
          # What follows from something else, or is said at the end of a rank, of which lockstep tells.
          '' | 'Primary job '* | 'mpirun noticed that process'* | 'mpirun detected that one or more'* | 'MPI_ABORT was invoked'* | \
            'An internal error has occurred in ORTE'* | 'It looks like '* | 'A process has executed an operation involving'* | \
            'While trying to create a regular expression'* | 'WARNING: '*) ;;
          'ORTE was unable to reliably start'* | 'ORTE has lost communication'*) general=${general:-${message%% This usually *}} ;;
          *) found=${found:-$message} ;;
        esac
        message='' paragraph=1 ;;
      'ssh: '* | *': Permission denied ('* | 'Host key verification failed.'* | kex_exchange_identification:* | \
        *': command not found' | *'orted: No such file or directory') found=${found:-$line} ;;
      # After the first paragraph only what it announces counts.
      '') [[ -z $message ]] || { [[ $message == *: ]] && paragraph=1 || paragraph=2; } ;;
      *) [[ $paragraph -eq 2 ]] || message+=${message:+ }${line#"${line%%[! ]*}"} ;;
    esac
  done <"$1"
  shown "${found:-$general}"
}
