"""launch/bench: reads the arguments, measures, reports."""

import argparse
import datetime
import json
import pathlib
import shutil
import signal
import subprocess
import sys

import report
from contestants import has_precision
from failures import fail, say
from measure import measure_nets, measure_private, measure_steps, measure_whole
from peers import Peers, cache


def arguments():
    parser = argparse.ArgumentParser(prog="launch/bench")
    for name in ("root", "program", "data", "arguments"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--models")
    parser.add_argument("--batches")
    parser.add_argument("--only", choices=["steps", "nets", "private", "runs"])
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--docs", action="store_true")
    try:
        options = parser.parse_args()
    except SystemExit as end:
        raise SystemExit(64 if end.code == 2 else end.code)
    if options.rounds < 1:
        fail(64, f"--rounds {options.rounds} is less than 1")
    if options.repeats < 0:
        fail(64, f"--repeats {options.repeats} is less than 0")
    options.has_precision = has_precision(options.program)
    return options




MODELS = {
    "nets": "vgg,resnet,rnn,lstm,gru,vit,gpt,wavenet", "private": "opacus-mnist,article",
    "steps": "article,mlp,keras-convnet,pytorch-convnet",
}


def cases(options):
    for model in (options.models or MODELS.get(options.only, MODELS["steps"])).split(","):
        batches = options.batches or ("256,32" if model == "article" and options.only != "private" else "256")
        for batch in batches.split(","):
            if not batch.isdigit() or int(batch) < 2:
                fail(64, f"--batches: {batch} is not a batch of two or more")
            yield model, int(batch)


def main():
    # Contestants are in sessions of their own, so whoever ends the bench ends its contestant by it. What was ignored stays ignored.
    for ending in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(ending) != signal.SIG_IGN:
            signal.signal(ending, lambda number, frame: sys.exit(128 + number))
    options = arguments()
    wanted = list(cases(options))
    if not shutil.which("mpirun"):
        fail(69, "no mpirun; launch/setup installs it")
    peers = Peers(
        not options.no_peers, wants_keras=options.only in (None, "runs"), wants_private=options.only == "private",
        wants_jax=options.only != "runs")
    commit = subprocess.run(["git", "-C", options.root, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    versions = [f"Lockstep at {commit.stdout.strip()}"] if commit.returncode == 0 else []
    versions += [f"PyTorch {peers.torch}"] if peers.torch else []
    versions += [f"Opacus {peers.opacus}"] if peers.opacus else []
    versions += [f"JAX {peers.jax}"] if peers.jax else []
    versions += [f"TensorFlow {peers.tensorflow}"] if peers.tensorflow else []
    run = {
        "machine": report.machine(), "date": str(datetime.date.today()), "versions": ", ".join(versions), "rounds": options.rounds,
        "arguments": report.without_files(options.arguments),
    }
    steps, wholes, probed = [], [], {}
    measures = {"nets": measure_nets, "private": measure_private}
    parts = {"nets": report.nets, "private": report.private}
    if options.only != "runs":
        for model, batch in wanted:
            rows, probed[model, batch] = measures.get(options.only, measure_steps)(options, peers, model, batch)
            steps.append(report.Case(model, batch, rows, probed[model, batch]))
            run |= report.probes(probed)
            print(f"\n{report.benchmarks(run, steps[-1:], [], parts.get(options.only, report.steps))}", flush=True)
    if options.only in (None, "runs"):
        for name in ("article", "fast"):
            wholes.append(measure_whole(options, peers, name, probed))
            run |= report.probes(probed)
            print(f"\n{report.benchmarks(run, [], wholes[-1:])}", flush=True)
    tables = report.benchmarks(run, steps, wholes, parts.get(options.only, report.steps))
    print(f"\n\n{tables}" + ("" if options.only in parts else f"\n\n{report.measured(run, steps, wholes)}"))
    run["steps"] = {case.name: {row.name: row.runs for row in case.rows.values()} for case in steps}
    run["whole_processes"] = [{row.name: row.runs for row in rows} for rows in wholes]
    path = pathlib.Path(options.json or cache() / "bench.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run, indent=2) + "\n")
    say(f"every figure is in {path}")
    if options.docs and options.only in parts:
        report.replace(f"{options.root}/docs/benchmarks.md", tables, f"launch/bench --only {options.only} --docs")
    elif options.docs:
        report.replace(f"{options.root}/docs/benchmarks.md", tables)
        report.replace(f"{options.root}/README.md", report.measured(run, steps, wholes))


main()
