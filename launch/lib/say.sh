# How launch scripts speak, and where they keep things; to be sourced.

source "${BASH_SOURCE[0]%/*}/aside.sh"

name=launch/${0##*/}

# bash complains at every start about a locale that is not installed: once is enough.
if [[ -n ${LC_ALL-} ]]; then
  take REPLY eval '{ LC_ALL=$LC_ALL; } 2>&1'
  [[ -z $REPLY ]] || export LC_ALL=C.UTF-8
fi

# fail CODE LINE: says it, on one line whatever is in it, and ends.
fail() {
  printf '%s: %s\n' "$name" "`shown "$2"`" >&2
  exit "$1"
}

# tell LINE: says what is about to take a while, to a person who looks on; a log does without.
tell() { [[ ! -t 2 ]] || printf '%s: %s\n' "$name" "`shown "$1"`" >&2; }

# shown TEXT: the text on one line, with control and direction characters and what is no UTF-8 escaped, cut to 600 bytes.
shown() {
  # U+200B to 200F, 2028 to 202E, 2060 to 206F and FEFF, by their bytes: bash reads \u in the locale it started in.
  local LC_ALL=C.UTF-8 text=$1 escaped='' character i
  local hidden=$'[\xe2\x80\x8b-\xe2\x80\x8f\xe2\x80\xa8-\xe2\x80\xae\xe2\x81\xa0-\xe2\x81\xaf\xef\xbb\xbf]'
  if [[ $text == *[[:cntrl:]]* || $text == *[![:print:]]* || $text == *$hidden* ]]; then
    for ((i = 0; i < ${#text} && i < 600; i++)); do
      character=${text:i:1}
      if [[ $character == [[:cntrl:]] || $character != [[:print:]] || $character == $hidden ]]; then
        # As bash writes it, without the quotes around: $'\n'.
        LC_ALL=C printf -v character %q "$character"
        character=${character:2:-1}
      fi
      escaped+=$character
    done
    text=$escaped
  fi
  LC_ALL=C
  [[ ${#text} -le 600 ]] || text=${text:0:597}...
  printf '%s' "$text"
}

# cache: the directory for what can be had again. A relative XDG_CACHE_HOME does not count, as its specification says.
cache() {
  if [[ ${XDG_CACHE_HOME-} == /* ]]; then
    printf '%s' "$XDG_CACHE_HOME/lockstep"
  elif [[ ${HOME-} == /* ]]; then
    printf '%s' "$HOME/.cache/lockstep"
  fi
}

# require_temporary: ends where no temporary file can be made.
require_temporary() {
  [[ -d ${TMPDIR:-/tmp} && -w ${TMPDIR:-/tmp} && -x ${TMPDIR:-/tmp} ]] ||
    fail 73 "TMPDIR=${TMPDIR:-/tmp}: no directory that can be written; set TMPDIR to one"
}

# nameless VARIABLE: sets it to the path of a new, empty temporary file that is gone with these processes.
nameless() {
  local file descriptor
  require_temporary
  take file mktemp 2>/dev/null || fail 73 "TMPDIR=${TMPDIR:-/tmp}: no file can be made there; set TMPDIR to another directory"
  exec {descriptor}<>"$file"
  aside rm -f -- "$file"
  printf -v "$1" /dev/fd/%d "$descriptor"
}

# apt_cause LOG: the first error in what apt-get and sudo said, for later ones follow from it; without one, the last line.
apt_cause() { grep -aE -m 1 '^(E|sudo|env):' "$1" || tail -n 1 "$1"; }
