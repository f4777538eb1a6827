# How launch scripts run what they wait for; to be sourced.
#
# bash loses an INT that comes where a command is just ending for which it waits in the foreground, one in `…` included: 9 of 1,655 starts
# of launch/train, sent after 12 to 30 ms. Its `read` loses none. So a script that catches signals runs by `aside` and `take` all that it
# runs before its job has ended.

# aside COMMAND…: runs it with input from /dev/null, and returns its code. It is of this shell's process group, so what a terminal sends
# ends it.
aside() {
  local pipe job code=''
  open_pipe pipe
  # bash has what runs in the background ignore INT and QUIT. It says its code itself, for a signal can make `wait` forget it.
  (trap - INT QUIT; trap 'printf "%d\n" "$?" >&'"$pipe" EXIT; "$@") &
  job=$!
  while [[ -z $code ]] && ! read -r -t 1 -u "$pipe" code; do
    # It was killed; its last word, if there is one, is in the pipe by now.
    [[ -e /proc/$job/exe ]] || read -r -t 0.1 -u "$pipe" code || code=137
  done
  exec {pipe}>&-
  return "$code"
}

# take VARIABLE COMMAND…: the same, and what it prints, some lines at most, is in VARIABLE, without the last line's end.
take() {
  local words printed='' code=0
  open_pipe words
  aside "${@:2}" >&"$words" || code=$?
  printf '\0' >&"$words"
  IFS= read -r -d '' -u "$words" printed
  exec {words}>&-
  printf -v "$1" %s "${printed%$'\n'}"
  return "$code"
}

# open_pipe VARIABLE: sets it to a descriptor of both ends of a new pipe.
open_pipe() {
  local string both name
  exec {string}<<<''
  if [[ -p /proc/self/fd/$string ]]; then
    exec {both}<>"/proc/self/fd/$string"
    read -r -u "$both"
  else
    # Before bash 5.1 a string is in a file.
    name=${TMPDIR:-/tmp}/lockstep-$$-$RANDOM$RANDOM
    mkfifo -m 600 -- "$name"
    exec {both}<>"$name"
    rm -f -- "$name"
  fi
  exec {string}<&-
  printf -v "$1" %d "$both"
}

# above FILE: prints the path, without links, of the directory above FILE's.
above() { CDPATH='' cd -- "`dirname -- "$1"`/.." && pwd -P; }
