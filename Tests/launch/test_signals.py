"""Scripts that catch signals: python3 Tests/launch/test_signals.py

bash 5.2 loses a trap, and may end, where a signal comes while it evaluates $(…), <(…) or >(…); see launch/lib/signals.sh. It loses an INT
that comes just where a command in the foreground ends; see launch/lib/aside.sh.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

LAUNCH = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "launch"))

# What every script that starts a job evaluates, again and again, with a stand-in for mpirun.
SCRIPT = """
set -euo pipefail
source "$1/lib/signals.sh"
root=${1%/*}
source "$1/lib/job.sh"
echo sourced
PATH=$2/tools:$PATH cores=2
for ((i = 0; i < 40; i++)); do
  read_arguments -n 2 --hostfile "$2/hosts" --epochs 1
  [[ `shown $'a\\tb'` == 'a\\tb' ]] || echo "shown: `shown $'a\\tb'`" >&2
  [[ `all_ranks` == 3 ]] || echo "ranks: `all_ranks`" >&2
  stop='' code=''
  start 2 true
  [[ $code -eq 0 ]] || echo "code: $code" >&2
  explain "$said" 2>/dev/null || echo "no reason" >&2
done
echo done
"""

# Commands of a start, again and again: one INT comes among those of each round, and then a line.
ROUNDS = """
set -euo pipefail
source "$1/lib/signals.sh"
shout() { printf %s "$1"; }
for ((round = 0; round < 400; round++)); do
  stop='' said=''
  echo begun
  for ((i = 0; i < 6; i++)); do
    aside true
    take said shout "$round"
    [[ $said == "$round" ]] || echo "said: $said" >&2
  done
  read -r sent
  [[ -n $stop ]] || echo "round $round: lost" >&2
done
"""


class SignalTests(unittest.TestCase):
    def test_a_signal_in_any_evaluation(self):
        directory = tempfile.mkdtemp(prefix="lockstep-signals-")
        self.addCleanup(shutil.rmtree, directory)
        os.mkdir(os.path.join(directory, "tools"))
        mpirun = os.path.join(directory, "tools", "mpirun")
        with open(mpirun, "w") as file:
            file.write("#!/bin/sh\necho 'ssh: no such host' >&2\n")
        os.chmod(mpirun, 0o755)
        with open(os.path.join(directory, "hosts"), "w") as file:
            file.write("localhost slots=3\n")
        sent = 0
        # A file, as all that source it are: with -c, bash may say of a job that ends at once that it is done.
        script = os.path.join(directory, "script")
        with open(script, "w") as file:
            file.write(SCRIPT)
        process = subprocess.Popen(["bash", script, LAUNCH, directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "sourced\n")
        source = random.Random(1)
        while process.poll() is None:
            time.sleep(source.random() * 0.005)
            # Nothing is there to be saved, so this changes nothing.
            process.send_signal(signal.SIGUSR2)
            sent += 1
        output, errors = process.communicate()
        self.assertEqual((process.returncode, output, errors), (0, "done\n", ""), f"after {sent} signals")
        self.assertGreater(sent, 300)

    def test_no_interrupt_is_lost_between_commands(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
            script.write(ROUNDS)
            script.flush()
            process = subprocess.Popen(
                ["bash", script.name, LAUNCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            source = random.Random(1)
            rounds = 0
            while process.stdout.readline() == "begun\n":
                time.sleep(source.random() * 0.015)
                process.send_signal(signal.SIGINT)
                process.stdin.write("sent\n")
                process.stdin.flush()
                rounds += 1
            _, errors = process.communicate()
        self.assertEqual((process.returncode, errors, rounds), (0, "", 400))

    def test_no_script_that_catches_signals_evaluates_so(self):
        scripts = [os.path.join(LAUNCH, name) for name in ("train", "verify", "slurm.sbatch", "pbs.sh")]
        scripts += [os.path.join(LAUNCH, "lib", name) for name in os.listdir(os.path.join(LAUNCH, "lib")) if name.endswith(".sh")]
        for script in scripts:
            with open(script) as file:
                code = re.sub(r"(?m)^\s*#.*$", "", file.read())
            # What stands between backticks is evaluated by another process, which catches nothing.
            code = re.sub(r"(?s)`.*?`", "", code)
            for found in re.finditer(r"\$\((?!\()|[<>]\(", code):
                line = code[: found.start()].count("\n") + 1
                self.fail(f"{script}, line {line}: {code.splitlines()[line - 1].strip()}")


if __name__ == "__main__":
    unittest.main()
