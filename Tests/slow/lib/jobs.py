"""What the slow tests in Python share: the program, small data, jobs whose every process must end, and a count of cases."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[3]

# A test that is told to end cleans up as one that failed does.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

# Eight steps an epoch of a network so small that a start costs more than the run.
RECIPE = ["--model", "mlp:36-8-10", "--global-batch", "8", "--microbatch", "1", "--epochs", "4", "--max-steps", "30",
          "--checkpoint-every", "10steps"]


def require(packages):
    """Installs Debian packages, given as {command: package}, whose commands are missing."""
    missing = [package for command, package in packages.items() if shutil.which(command) is None]
    if missing:
        print("installing", *missing, flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
        subprocess.run(apt + ["update"], check=True, env=environment, stdout=subprocess.DEVNULL)
        subprocess.run(apt + ["install", "-y", "--no-install-recommends"] + missing, check=True, env=environment,
                       stdout=subprocess.DEVNULL)


def built_program():
    return subprocess.run([ROOT / "launch/build"], check=True, capture_output=True, text=True).stdout.strip()


def scratch(name):
    """A directory of its own; whoever makes it removes it."""
    return pathlib.Path(tempfile.mkdtemp(prefix=f"lockstep-{name}-"))


def write_small_data(directory):
    """64 training and 16 test images of 6 x 6 pixels, as IDX files."""
    directory.mkdir()
    for part, count in (("train", 64), ("t10k", 16)):
        size = count.to_bytes(4, "big")
        side = (6).to_bytes(4, "big")
        pixels = bytes(index * 37 % 251 for index in range(36 * count))
        (directory / f"{part}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + size + side + side + pixels)
        (directory / f"{part}-labels-idx1-ubyte").write_bytes(
            bytes([0, 0, 8, 1]) + size + bytes(index % 10 for index in range(count)))
    return directory


class Outcome:
    def __init__(self, code, output, errors):
        self.code, self.output, self.errors = code, output, errors

    @property
    def digest(self):
        lines = [line for line in self.output.splitlines() if line.startswith("weights digest: ")]
        return lines[-1].removeprefix("weights digest: ") if lines else None

    @property
    def error_lines(self):
        return self.errors.splitlines()

    @property
    def warnings_alone(self):
        return all(line.startswith("lockstep: warning: ") for line in self.error_lines)

    def __str__(self):
        return f"exit code {self.code}, stderr: {self.errors.strip() or 'nothing'}"


def over_mpi(program, arguments, ranks=2, rank0=()):
    """The command of a job; `rank0` stands before the program of rank 0, such as strace."""
    mpirun = ["mpirun", "--quiet", "--mca", "opal_signal", "", "--oversubscribe"]
    command = [program] + list(arguments)
    if not rank0:
        return mpirun + ["-n", str(ranks)] + command
    return mpirun + ["-n", "1"] + list(rank0) + command + [":", "-n", str(ranks - 1)] + command


def heed_signals():
    """In a child before its program: a test that is itself started in the background has INT and QUIT ignored, and so would its jobs."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Job:
    """A command started in a session of its own, whose processes are known by a mark in their environment."""

    def __init__(self, command, limit=60, **environment):
        self.limit = limit
        self.mark = f"LOCKSTEP_TEST_JOB={uuid.uuid4()}"
        name, value = self.mark.split("=")
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("OMPI_", "PMIX_"))}
        clean |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", name: value} | environment
        self.process = subprocess.Popen([str(word) for word in command], env=clean, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                        preexec_fn=heed_signals)

    def processes(self):
        """Those of the job that live, by their numbers."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                # A zombie's environment is empty.
                if self.mark.encode() in pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                    found.append(int(entry))
            except OSError:
                pass
        return found

    def ranks(self):
        """The processes that are ranks of MPI (not what started them), by rank."""
        found = {}
        for process in self.processes():
            try:
                words = pathlib.Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
                name = pathlib.Path(f"/proc/{process}/comm").read_text().strip()
            except OSError:
                continue
            for word in words:
                if word.startswith(b"OMPI_COMM_WORLD_RANK=") and name == "lockstep":
                    found[int(word.split(b"=")[1])] = process
        return found

    def wait(self):
        """Waits for the end. A job that does not come to one has code -1; what outlives its job is killed and makes it -2."""
        code = None
        try:
            output, errors = self.process.communicate(timeout=self.limit)
            code = self.process.returncode if self.process.returncode >= 0 else 128 - self.process.returncode
        except subprocess.TimeoutExpired:
            code = -1
            self.kill()
            output, errors = self.process.communicate()
        deadline = time.monotonic() + 5
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.processes():
            code = -2
            self.kill()
        return Outcome(code, output.decode(errors="replace"), errors.decode(errors="replace"))

    def kill(self):
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass


def run(command, limit=60, **environment):
    return Job(command, limit, **environment).wait()


class Cases:
    """Counts cases, and says which were not as they must be."""

    def __init__(self):
        self.good = self.bad = 0

    def check(self, name, problems, log=None):
        if not problems:
            self.good += 1
            return
        self.bad += 1
        print(f"  FAIL  {name}: {'; '.join(problems)}", flush=True)
        if log is not None:
            print(f"        {log}", flush=True)

    def finish(self, what):
        print(f"{what}: {self.good + self.bad} cases, {self.bad} not as they must be", flush=True)
        sys.exit(0 if self.good and not self.bad else 1)


def problems_of_checkpoints(run_directory, reference, least=1, may_have_leftovers=False):
    """What is wrong with the checkpoints of a run, each of which must be the reference's to the byte."""
    problems = []
    directory = pathlib.Path(run_directory) / "checkpoints"
    steps = sorted(directory.glob("step-*.safetensors"))
    for path in steps:
        if path.read_bytes() != (reference / "checkpoints" / path.name).read_bytes():
            problems.append(f"{path.name} is not whole")
    if len(steps) < least:
        problems.append(f"{len(steps)} checkpoints left instead of {least}")
    leftovers = [path.name for path in pathlib.Path(run_directory).rglob(".*.tmp")]
    if leftovers and not may_have_leftovers:
        problems.append(f"left over: {', '.join(leftovers)}")
    return problems


def problems_of_metrics(run_directory, epochs):
    """Every epoch must have one line, whatever was interrupted and repeated; in `metrics.csv` too, if there is one."""
    path = pathlib.Path(run_directory) / "metrics.jsonl"
    table = path.with_suffix(".csv")
    try:
        found = [json.loads(line)["epoch"] for line in path.read_text().splitlines()]
        rows = [int(line.split(",")[0]) for line in table.read_text().splitlines()[1:]] if table.exists() else epochs
    except (OSError, ValueError) as error:
        return [f"metrics: {error}"]
    return [f"{name} has epochs {those} instead of {epochs}"
            for name, those in ((path.name, found), (table.name, rows)) if those != epochs]


def problems_of_events(run_directory, epochs):
    """The event files must have the tag `epoch` with a number (fields 1 and 2 of a value) once an epoch."""
    found = sum(path.read_bytes().count(b"\n\x05epoch\x15") for path in pathlib.Path(run_directory).glob("events.out.tfevents.*"))
    return [] if found == epochs else [f"the event files have {found} epochs instead of {epochs}"]
