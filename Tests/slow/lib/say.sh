# How the slow tests say what they provoke and what came; to be sourced with `root` set.

failures=0 successes=0
say() { printf '%s\n' "$*"; }
good() { successes=$((successes + 1)); printf '  ok    %s\n' "$1"; }

# bad LINE [LOG]
bad() {
  failures=$((failures + 1))
  printf '  FAIL  %s\n' "$1"
  [[ -z ${2-} ]] || sed 's/^/        | /' "$2" | tail -n 20
}

die() { bad "$1"; exit 1; }

# finish: the sum, and the exit code.
finish() {
  printf '%d as it must be, %d not\n' "$successes" "$failures"
  [[ $failures -eq 0 && $successes -gt 0 ]] || exit 1
  exit 0
}

# await SECONDS WHAT COMMAND…: until the command succeeds.
await() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $deadline ]] || die "$what did not come"
    sleep 0.1
  done
}

# require_packages COMMAND:PACKAGE…: from Debian, where a command is missing. Installing must not start services here.
require_packages() {
  local pair missing=()
  for pair in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  say "installing ${missing[*]}"
  local log policy=/usr/sbin/policy-rc.d
  log=$(mktemp)
  [[ -e $policy ]] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; made_policy=1; }
  DEBIAN_FRONTEND=noninteractive apt-get update -q -o DPkg::Lock::Timeout=120 >"$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 \
      "${missing[@]}" >>"$log" 2>&1 || bad "apt cannot install ${missing[*]}" "$log"
  [[ -z ${made_policy-} ]] || rm -f "$policy"
  rm -f "$log"
  [[ $failures -eq 0 ]] || exit 1
}
