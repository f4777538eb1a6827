"""Counts the instructions of training under valgrind and compares them with a baseline. Started by launch/guard."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

# What is counted: the arguments of a run, its batch, and the steps of the shorter of its two runs. valgrind works at a fiftieth of
# the processor's speed, so few steps.
CASES = {
    "article, batch 32": (["--model", "article", "--global-batch", "32"], 32, 4),
    "article, batch 256": (["--model", "article", "--global-batch", "256"], 256, 1),
    "mlp, microbatch 32": (["--model", "mlp", "--global-batch", "64", "--microbatch", "32"], 64, 1),
    "keras-convnet, batch 64": (["--model", "keras-convnet", "--global-batch", "64"], 64, 1),
}
SAMPLES = {"train": 512, "t10k": 64}
TOLERANCE = 0.15


def fail(code, line):
    print(f"launch/guard: {line}", file=sys.stderr)
    sys.exit(code)


def arguments():
    parser = argparse.ArgumentParser(prog="launch/guard")
    for name in ("program", "data", "baseline"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--renew", action="store_true")
    return parser.parse_args()


def write_subset(source, target):
    """The first images of each part: real ones, for what a sample costs depends on how much of it is black."""
    target.mkdir()
    for part, count in SAMPLES.items():
        for name, header, size in ((f"{part}-images-idx3-ubyte", 16, 784), (f"{part}-labels-idx1-ubyte", 8, 1)):
            with open(source / name, "rb") as file:
                start, items = file.read(header), file.read(count * size)
            (target / name).write_bytes(start[:4] + struct.pack(">I", count) + start[8:] + items)


def instructions(program, data, flags, steps):
    """All that a run of `steps` steps takes, from the process' start to its end.

    Without pages and pictures: what those take follows from what the net has learnt, so it is another after twice the steps.
    """
    # OpenBLAS would choose its kernels by the processor, and by their rounding the bits.
    environment = dict(os.environ, OPENBLAS_CORETYPE="Haswell", OPENBLAS_NUM_THREADS="1")
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, "train", "--data", data, "--epochs", "1",
             "--max-steps", str(steps), "--run-dir", f"{scratch}/run", "--no-report", "--no-tensorboard", *flags],
            capture_output=True, text=True, env=environment)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        fail(70, f"{' '.join(flags)}: ended with {done.returncode}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return int(found[1])


def count(options):
    """Instructions a sample, by case."""
    with tempfile.TemporaryDirectory() as scratch:
        data = pathlib.Path(scratch, "data")
        write_subset(pathlib.Path(options.data), data)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = {
                (name, times): pool.submit(instructions, options.program, data, flags, times * steps)
                for name, (flags, _, steps) in CASES.items() for times in (2, 1)
            }
        return {
            name: round((runs[name, 2].result() - runs[name, 1].result()) / (steps * batch))
            for name, (_, batch, steps) in CASES.items()
        }


def main():
    options = arguments()
    counts = count(options)
    path = pathlib.Path(options.baseline)
    if options.renew:
        path.write_text(json.dumps(counts, indent=2) + "\n")
    try:
        baseline = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        fail(69, f"{path}: {error}; launch/guard --renew writes it")
    slower = []
    for name, now in counts.items():
        before = baseline.get(name)
        if not before:
            fail(69, f"{path} has no '{name}'; launch/guard --renew writes it")
        print(f"{name}: {now:,} instructions a sample, {now / before - 1:+.1%}")
        if now > before * (1 + TOLERANCE):
            slower.append(name)
    if slower:
        fail(1, f"more than {TOLERANCE:.0%} above the baseline: {'; '.join(slower)}; if it must be so, launch/guard --renew")


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
