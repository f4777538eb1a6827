# How launch/ scripts fail, and read a hostfile as mpirun does; to be sourced.

name=launch/${0##*/}

fail() {
  printf '%s: %s\n' "$name" "$2" >&2
  exit "$1"
}

# lines_in FILE: its lines as mpirun understands them: no comments, no carriage returns, nothing around an equals sign.
lines_in() { sed -e 's/\r$//' -e 's/#.*//' -e 's/[[:blank:]]*=[[:blank:]]*/=/g' -- "$1"; }

# require_hostfile FILE: refuses what mpirun would misread, by line. Host names become words of command lines, so they are names and
# nothing else.
require_hostfile() {
  local number=0 line words word count
  local -A lines=()
  [[ -n $1 ]] || fail 64 '--hostfile takes a file'
  [[ -f $1 && -r $1 ]] || fail 66 "$(printf '%q' "$1"): no such hostfile"
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    read -ra words <<<"$line"
    [[ ${#words[@]} -gt 0 ]] || continue
    word=${words[0]}
    [[ $word =~ ^([A-Za-z0-9_.][A-Za-z0-9_.-]*@)?[][A-Za-z0-9_.:%][][A-Za-z0-9_.:%-]*$ ]] ||
      fail 64 "$1, line $number: $(printf '%q' "${word:0:80}") is no host name; give one host a line, as in: node1 slots=2"
    [[ -z ${lines[$word]-} ]] ||
      fail 64 "$1, line $number: $word stands in line ${lines[$word]} already; give each host once, with all of its slots"
    lines[$word]=$number
    for word in "${words[@]:1}"; do
      [[ $word == slots=* ]] || continue
      count=${word#slots=}
      [[ $count =~ ^[1-9][0-9]{0,5}$ ]] ||
        fail 64 "$1, line $number: slots=$(printf '%q' "${count:0:80}") of ${words[0]} is no number of ranks; give 1 to 999999"
    done
  done < <(lines_in "$1")
  [[ ${#lines[@]} -gt 0 ]] || fail 65 "$1 names no host"
}

# hosts_in FILE: the hosts that it names, in order.
hosts_in() { lines_in "$1" | awk 'NF { print $1 }'; }

# slots_in FILE: how many ranks its hosts take together; nothing where a line leaves that to mpirun.
slots_in() {
  lines_in "$1" | awk '
    NF { slots = 0; for (i = 2; i <= NF; i++) if ($i ~ /^slots=[0-9]+$/) slots = substr($i, 7)
         if (slots) sum += slots; else unknown = 1 }
    END { if (!unknown && sum) print sum }'
}
