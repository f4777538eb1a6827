# Reads a hostfile, once, as mpirun does; to be sourced with `root` set.

source "$root/launch/lib/say.sh"

# read_hostfile FILE → hosts, in order, each once, with its user if one is named; slots, how many ranks they take together, or
#   empty where a line leaves that to mpirun; machines, the lines that say the same to mpirun; naive, 1 where a name has what
#   mpirun takes only with `regx naive`
#
# Ends with 64 at what mpirun would refuse without saying where, and at what is no host's name, for names go into commands. As for
# mpirun, a host may have one line with its slots, or a bare line a slot, as in PBS' node file.
read_hostfile() {
  # Ranges of letters are those of ASCII.
  local LC_ALL=C file=$1 line number=0 place words i key host user value setting count most
  local name_or_address='^([A-Za-z0-9_][A-Za-z0-9_.-]*@)?([A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$'
  # By host, in lower case: its first line, its slots if it says them, its bare lines, and its line for mpirun.
  local -A first=() told=() bare=() rest=()
  hosts=() slots=0 machines='' naive=''
  [[ -e $file ]] || fail 66 "$file: no such hostfile"
  [[ -f $file ]] || fail 66 "$file is no regular file, so it is no hostfile"
  [[ -r $file ]] || fail 66 "$file: no permission to read this hostfile"

  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1)) place="$file, line $number"
    # What editors on Windows leave.
    [[ $number -gt 1 ]] || line=${line#$'\xef\xbb\xbf'}
    line=${line%$'\r'} line=${line%%#*}
    IFS=$' \t\v\f' read -ra words <<<"${line//=/ = }"
    [[ ${#words[@]} -gt 0 ]] || continue
    [[ ${words[0]} =~ $name_or_address && ${#words[0]} -le 253 ]] ||
      fail 64 "$place: '${words[0]:0:100}' is no host's name or address (letters, digits, '.', '-' and '_', not first a '-')"
    host=${words[0]#*@} user=${words[0]%"$host"} count='' most=''
    for ((i = 1; i < ${#words[@]}; i += 3)); do
      setting=${words[i]:0:100} value=${words[i + 2]-}
      [[ ${words[i + 1]-} == = && -n $value ]] || fail 64 "$place: $host: '$setting' is no setting like slots=4"
      case $setting in
        slots | cpu | count)
          is_count "$value" || fail 64 "$place: $host: slots=${value:0:100} is no number of ranks (1 to 999999)"
          count=$((10#$value)) ;;
        max[-_]slots | max[-_]cpu | max[-_]count | slots[-_]max | cpu[-_]max | count[-_]max)
          is_count "$value" || fail 64 "$place: $host: $setting=${value:0:100} is no number of ranks (1 to 999999)"
          most=$((10#$value)) ;;
        username | user[-_]name)
          [[ $value =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]] || fail 64 "$place: $host: '${value:0:100}' is no user's name"
          user=$value@ ;;
        *) fail 64 "$place: $host: there is no setting '$setting'; there are slots, max_slots and username" ;;
      esac
    done
    [[ -z $most || ${count:-1} -le $most ]] || fail 64 "$place: $host: slots=$count is more than its max_slots=$most"

    key=${host,,}
    if [[ -z ${first[$key]-} ]]; then
      hosts+=("$user$host") first[$key]=$number told[$key]=$count bare[$key]=0
      rest[$key]=${most:+ max_slots=$most}
    elif [[ -n $count || -n ${told[$key]} ]]; then
      fail 64 "$place: $host is there twice, first on line ${first[$key]}; give it one line with all its slots"
    fi
    [[ -n $count ]] || bare[$key]=$((bare[$key] + 1))
    [[ $host != *[_:]* ]] || naive=1
  done <"$file"
  [[ ${#hosts[@]} -gt 0 ]] || fail 65 "$file names no host"

  for host in "${hosts[@]}"; do
    key=${host#*@} key=${key,,} count=${told[$key]}
    [[ -n $count || ${bare[$key]} -eq 1 ]] || count=${bare[$key]}
    machines+="$host${count:+ slots=$count}${rest[$key]}"$'\n'
    if [[ -z $count ]]; then slots=''; elif [[ -n $slots ]]; then slots=$((slots + count)); fi
  done
}

# is_count TEXT: whether it is a number of ranks that there may be.
is_count() { [[ $1 =~ ^0*[1-9][0-9]{0,5}$ ]]; }
