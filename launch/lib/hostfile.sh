# How launch/ scripts fail, and read a hostfile as mpirun does; to be sourced.

name=launch/${0##*/}

fail() {
  printf '%s: %s\n' "$name" "$2" >&2
  exit "$1"
}

# require_hostfile FILE
require_hostfile() {
  [[ -f $1 && -r $1 ]] || fail 66 "$1: no such hostfile"
  [[ -n $(hosts_in "$1") ]] || fail 65 "$1 names no host"
}

# hosts_in FILE: the hosts that it names, in order, each once.
hosts_in() { sed 's/#.*//' -- "$1" | awk 'NF && !seen[$1]++ { print $1 }'; }

# slots_in FILE: how many ranks its hosts take together; nothing where a line leaves that to mpirun.
slots_in() {
  sed 's/#.*//' -- "$1" | awk '
    NF { slots = 0; for (i = 2; i <= NF; i++) if ($i ~ /^slots=[0-9]+$/) slots = substr($i, 7)
         if (slots) sum += slots; else unknown = 1 }
    END { if (!unknown && sum) print sum }'
}
