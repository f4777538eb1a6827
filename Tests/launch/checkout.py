"""A checkout whose launch scripts are the real ones, with stand-ins for what they install, fetch, build and start."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(REPOSITORY, "Tests", "slow", "lib"))
import jobs

# Notes how it is called, speaks as rank 0 of `lockstep train`, waits for a signal where it is told to, ends as it is told to.
MPIRUN = """#!/bin/bash
printf '%s\\n' "$*" >>"$CALLS"
ranks=all host=
for ((i = 1; i < $#; i++)); do
  j=$((i + 1))
  case ${!i} in -n) ranks=${!j} ;; --host) host=${!j} ;; esac
done
for signal in USR1 USR2 TERM; do trap "echo $signal >>'$CALLS'; code=75; waiting=" $signal; done
code=${CODE:-0} waiting=${WAIT-}
if [[ -n $waiting ]]; then
  echo ready >>"$CALLS"
  while [[ -n $waiting ]]; do
    sleep 0.05
    [[ ! -e ${LOCKSTEP_STOP_FILE:-/nowhere} ]] || { echo asked >>"$CALLS"; code=75 waiting=; }
  done
fi
digest=same
[[ -z ${ODD-} || " $ranks $host " != *" $ODD "* ]] || { digest=odd; code=${ODD_CODE:-0}; }
echo "weights digest: $digest"
exit $code
"""


class CheckoutTests(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lockstep launch ")
        self.addCleanup(shutil.rmtree, self.directory)
        self.root = os.path.join(self.directory, "a checkout")
        self.calls = os.path.join(self.directory, "calls")
        shutil.copytree(os.path.join(REPOSITORY, "launch"), os.path.join(self.root, "launch"))
        self.write("a checkout/launch/setup", "#!/bin/sh\n")
        self.write("a checkout/launch/fetch", "#!/bin/sh\necho fetch $1 >>\"$CALLS\"\n")
        self.write("a checkout/launch/build", "#!/bin/sh\necho /the/program\n")
        self.write("tools/mpirun", MPIRUN)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def environment(self, settings):
        path = os.path.join(self.directory, "tools") + ":" + os.environ["PATH"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKSTEP_", "OMPI_", "SLURM_", "PBS_"))}
        # Root's mpirun asks for both.
        root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} if os.geteuid() == 0 else {}
        return environment | root | {"PATH": path, "CALLS": self.calls} | settings

    def start(self, script, *arguments, **settings):
        return subprocess.Popen(
            [os.path.join(self.root, "launch", script), *arguments], env=self.environment(settings), cwd=self.directory,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=jobs.heed_signals)

    def run_as(self, *command, **settings):
        """Runs a command as it is, as another user for example."""
        process = subprocess.run(command, env=self.environment(settings), cwd=self.directory, capture_output=True, text=True, timeout=60)
        process.output, process.errors = process.stdout, process.stderr
        return process

    def run_script(self, script, *arguments, **settings):
        process = self.start(script, *arguments, **settings)
        process.output, process.errors = process.communicate(timeout=60)
        return process

    def calls_made(self):
        """What the stand-ins noted, a line each."""
        if not os.path.exists(self.calls):
            return []
        with open(self.calls) as file:
            return file.read().splitlines()

    def wait_for(self, line):
        """Until a stand-in has noted `line`."""
        deadline = time.monotonic() + 30
        while line not in self.calls_made():
            self.assertLess(time.monotonic(), deadline, f"{line} never came: {self.calls_made()}")
            time.sleep(0.02)
