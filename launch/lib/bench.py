"""Runs Lockstep and PyTorch on the same work in turn, and prints medians and ratios. Started by launch/bench."""

import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile


def fail(code, line):
    print(f"launch/bench: {line}", file=sys.stderr)
    sys.exit(code)


def arguments():
    parser = argparse.ArgumentParser(prog="launch/bench")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--data", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--peers", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="how often each contestant runs")
    parser.add_argument("--models", default="article,mlp", help="the models, with commas between")
    parser.add_argument("--batches", default="256,32", help="the global batches, with commas between")
    parser.add_argument("--no-peers", action="store_true", help="measure Lockstep alone")
    parser.add_argument("--json", help="where the figures go; by default in the cache directory")
    return parser.parse_args()


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "lockstep"


def peer_python():
    """The Python of the virtual environment that holds torch, made where it is missing."""
    environment = cache() / "peers"
    python = environment / "bin" / "python"
    if subprocess.run([python, "-c", "import torch, numpy"], capture_output=True).returncode == 0 if python.exists() else False:
        return python
    print("launch/bench: installing torch", file=sys.stderr)
    for command in ([sys.executable, "-m", "venv", environment], [python, "-m", "pip", "install", "-q", "torch", "numpy"]):
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            fail(69, "torch cannot be installed; --no-peers measures Lockstep alone")
    return python


class Lockstep:
    """`lockstep train` on some ranks; the speed is its own summary's, of the training steps alone."""

    def __init__(self, name, program, ranks, *flags):
        self.name, self.program, self.ranks, self.flags = name, program, ranks, flags

    def run(self, model, batch, steps):
        with tempfile.TemporaryDirectory() as scratch:
            launcher = ["mpirun", "--quiet", "-n", str(self.ranks)]
            command = launcher + [
                self.program, "train", "--data", OPTIONS.data, "--model", model, "--global-batch", str(batch), "--epochs",
                "1000", "--max-steps", str(steps), "--run-dir", f"{scratch}/run", *self.flags,
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                fail(70, f"{self.name} on {model}: {done.stderr.strip()}")
            summary = json.loads(pathlib.Path(scratch, "run", "summary.json").read_text())
        return {
            "samples_per_second": summary["train_samples_per_second"],
            "seconds_to_first_step": summary["seconds_to_first_step"],
            "communication_fraction": summary["communication_fraction"],
            "peak_resident_bytes": summary["peak_resident_bytes"],
        }


class PyTorch:
    """Tests/Peers/torch_ddp.py: the same net, data and batch, Adam; DDP on gloo for more than one process."""

    LINE = re.compile(r"(\d+) samples/s, first step after ([\d.]+) s")

    def __init__(self, name, python, ranks, threads):
        self.name, self.python, self.ranks, self.threads = name, python, ranks, threads

    def run(self, model, batch, steps):
        start = [self.python]
        if self.ranks > 1:
            start += ["-m", "torch.distributed.run", "--nproc-per-node", str(self.ranks)]
        command = start + [
            f"{OPTIONS.peers}/torch_ddp.py", "--data", OPTIONS.data, "--model", model.replace("-", "_"), "--global-batch",
            str(batch), "--threads", str(self.threads), "--steps", str(steps),
        ]
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS=str(self.threads))
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        found = self.LINE.search(done.stdout)
        if done.returncode != 0 or not found:
            fail(70, f"{self.name} on {model}: {done.stderr.strip().splitlines()[-1:]}")
        return {"samples_per_second": float(found[1]), "seconds_to_first_step": float(found[2])}


def contestants():
    ours = [
        Lockstep("lockstep, 1 rank", OPTIONS.program, 1),
        Lockstep("lockstep, 2 ranks", OPTIONS.program, 2),
        Lockstep("lockstep, 2 ranks, --reduction mpi", OPTIONS.program, 2, "--reduction", "mpi"),
    ]
    if OPTIONS.no_peers:
        return ours
    python = peer_python()
    return ours + [PyTorch("PyTorch DDP, 2 ranks", python, 2, 1), PyTorch("PyTorch, 2 threads", python, 1, 2)]


def machine():
    model = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown processor")
    return f"{os.cpu_count()} cores of {model}"


def measure(players, model, batch):
    """Every contestant once a round; a few seconds each."""
    steps = {"lockstep": max(200, 120_000 // batch), "torch": max(40, 15_000 // batch)}
    runs = {player.name: [] for player in players}
    for _ in range(OPTIONS.rounds):
        for player in players:
            kind = "lockstep" if isinstance(player, Lockstep) else "torch"
            runs[player.name].append(player.run(model, batch, steps[kind]))
    result = {"model": model, "global_batch": batch, "contestants": {}}
    for name, rows in runs.items():
        figures = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        speeds = [row["samples_per_second"] for row in rows]
        figures["deviation"] = statistics.stdev(speeds) if len(speeds) > 1 else 0.0
        figures["n"] = len(speeds)
        result["contestants"][name] = figures
    speed = lambda name: result["contestants"][name]["samples_per_second"]
    ratios = {
        "2 ranks over 1": speed("lockstep, 2 ranks") / speed("lockstep, 1 rank"),
        "fixed tree over MPI_Allreduce": speed("lockstep, 2 ranks") / speed("lockstep, 2 ranks, --reduction mpi"),
    }
    peers = [name for name in runs if name.startswith("PyTorch")]
    for name in peers:
        ratios[f"over {name}"] = speed("lockstep, 2 ranks") / speed(name)
    if peers:
        ratios["over the better PyTorch"] = speed("lockstep, 2 ranks") / max(speed(name) for name in peers)
    result["ratios"] = ratios
    return result


def report(result):
    print(f"\n### {result['model']}, global batch {result['global_batch']}\n")
    print("| | samples/s | deviation | first step after | communication | memory a rank |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, row in result["contestants"].items():
        communication = f"{row['communication_fraction']:.1%}" if "communication_fraction" in row else ""
        memory = f"{row['peak_resident_bytes'] / 1e6:.0f} MB" if "peak_resident_bytes" in row else ""
        print(
            f"| {name} | {row['samples_per_second']:,.0f} | {row['deviation']:,.0f} | {row['seconds_to_first_step']:.2f} s "
            f"| {communication} | {memory} |")
    print()
    for name, ratio in result["ratios"].items():
        print(f"- {name}: {ratio:.2f} ×")
    sys.stdout.flush()


def main():
    if not shutil.which("mpirun"):
        fail(69, "no mpirun; launch/setup installs it")
    players = contestants()
    print(f"{machine()}, {datetime.date.today()}, medians of {OPTIONS.rounds}, every contestant in turn")
    results = []
    for model in OPTIONS.models.split(","):
        for batch in OPTIONS.batches.split(","):
            results.append(measure(players, model, int(batch)))
            report(results[-1])
    path = pathlib.Path(OPTIONS.json or cache() / "bench.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), "date": str(datetime.date.today()), "results": results}, indent=2) + "\n")
    print(f"\n{path}")


OPTIONS = arguments()
main()
