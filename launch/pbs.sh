#!/usr/bin/env bash
# Trains as a job of PBS' (OpenPBS, PBS Professional, Torque) that goes on by itself where its time limit stopped it:
#   qsub -l select=2:ncpus=16:mpiprocs=16 -l walltime=4:00:00 -v LOCKSTEP_ARGUMENTS="--global-batch 1024" launch/pbs.sh
#
# It takes its size from the allocation (PBS_NODEFILE: one rank a line). PBS gives no signal ahead of the limit, so the run
# is given --max-time: it stops a minute and a half before, writes a checkpoint and ends with 75; the same job is then
# submitted again with the same resources, and goes on from there, with the same bits. --run-dir is runs/pbs-<first job>
# unless it is given; the log is that name and .log. A job that fails is not submitted again.
# LOCKSTEP_ARGUMENTS are words between blanks or line ends; with a comma in it, export it and give its name alone to -v.
# LOCKSTEP_CHECKOUT names the checkout where qsub is called from elsewhere.
#
#PBS -N lockstep
#PBS -j oe
set -euo pipefail

# PBS runs a copy of this file, in the home directory.
root=${LOCKSTEP_CHECKOUT:-${PBS_O_WORKDIR-}}
if [[ ! -x $root/launch/train || -z ${PBS_JOBID-} || ! -r ${PBS_NODEFILE-} ]]; then
  printf 'launch/pbs.sh: submit it by qsub from the checkout, or set LOCKSTEP_CHECKOUT to its path\n' >&2
  exit 66
fi
cd -- "${PBS_O_WORKDIR:-$root}"
source "$root/launch/lib/signals.sh"

# Over lines, too.
read -r -d '' -a arguments <<<"${LOCKSTEP_ARGUMENTS-}" || :
arguments+=("$@")
# The name of the first job of the chain.
export LOCKSTEP_CHAIN=${LOCKSTEP_CHAIN:-runs/pbs-${PBS_JOBID%%.*}}
where=(--run-dir "$LOCKSTEP_CHAIN")
for argument in ${arguments[@]+"${arguments[@]}"}; do [[ $argument != --run-dir* ]] || where=(); done
take parent dirname -- "$LOCKSTEP_CHAIN"
aside mkdir -p -- "$parent"
exec >>"$LOCKSTEP_CHAIN.log" 2>&1

# What this job was given; long values are broken over lines that begin with a tab.
given() {
  qstat -f "$PBS_JOBID" | sed -e ':more' -e 'N;s/\n\t//;t more' -e 'P;D' |
    sed -n 's/^ *Resource_List\.\(select\|place\|nodes\|walltime\) = /\1=/p'
}
take resources given
limit=()
# In seconds.
given_time() { sed -n 's/^walltime=//p' <<<"$resources" | awk -F : '{ for (i = 1; i <= NF; i++) sum = sum * 60 + $i; print sum }'; }
take walltime given_time
[[ -z $walltime || $walltime -le 180 ]] || limit=(--max-time "$((walltime - 90))s")

take hosts mktemp
trap 'rm -f -- "$hosts"' EXIT
aside awk '!count[$1]++ { order[++n] = $1 } END { for (i = 1; i <= n; i++) print order[i] " slots=" count[order[i]] }' \
  "$PBS_NODEFILE" >"$hosts"

take places paste -sd, "$hosts"
printf 'launch/pbs.sh: job %s, %s\n' "$PBS_JOBID" "$places"
with_signals "$root/launch/train" --hostfile "$hosts" ${where[@]+"${where[@]}"} ${limit[@]+"${limit[@]}"} \
  ${arguments[@]+"${arguments[@]}"}
if [[ $code -eq 75 ]]; then
  # By name alone, for qsub splits a value at its commas.
  export LOCKSTEP_ARGUMENTS=${arguments[*]-}
  options=(-v "LOCKSTEP_CHAIN,LOCKSTEP_ARGUMENTS${LOCKSTEP_CHECKOUT:+,LOCKSTEP_CHECKOUT}")
  while read -r resource; do [[ -z $resource ]] || options+=(-l "$resource"); done <<<"$resources"
  [[ -z ${PBS_QUEUE-} ]] || options+=(-q "$PBS_QUEUE")
  next=`qsub "${options[@]}" "$root/launch/pbs.sh"` ||
    { printf 'launch/pbs.sh: qsub refuses; submit it again with --run-dir %s to go on\n' "$LOCKSTEP_CHAIN" >&2; exit 75; }
  printf 'launch/pbs.sh: stopped after a checkpoint; %s goes on\n' "$next"
fi
exit "$code"
