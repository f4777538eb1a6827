"""Who is measured: each class starts one program and reads its figures."""

import concurrent.futures
import json
import math
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from failures import ContestantFailed, ContestantStopped

TRAINING_SAMPLES = 60_000
# torchrun gives its ranks 30 seconds to end.
SECONDS_TO_END = 45


def run(name, command, limit=None, **options):
    """Runs `command` to its end, or, where that takes more than `limit` seconds, ends it and its children."""
    # A session of its own, which a signal reaches as a whole.
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options)
    try:
        output, errors = process.communicate(timeout=limit)
    except BaseException as end:
        stop(process)
        if isinstance(end, subprocess.TimeoutExpired):
            raise ContestantStopped(name, limit) from None
        raise
    done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    if done.returncode != 0:
        raise ContestantFailed(name, done)
    return done


def stop(process):
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def has_precision(program):
    """Whether the program can train in bfloat16 as well as in single precision."""
    return "--precision" in subprocess.run([program, "bench", "step", "--help"], capture_output=True, text=True).stdout


class Lockstep:
    """`lockstep train` on some ranks, or, with None, alone. `share` is the part of the global batch that it trains with: weak
    scaling's half."""

    def __init__(self, name, options, ranks, *flags, share=1.0, precision="fp32"):
        self.name, self.options, self.ranks, self.share, self.precision = name, options, ranks, share, precision
        # Earlier programs know single precision alone.
        self.flags = flags + (("--precision", precision) if options.has_precision else ())

    def train(self, flags):
        """The run's summary, its epochs' figures, and the seconds that the whole process took."""
        # Without mpirun, which would put every single rank on the same core.
        launcher = ["mpirun", "--quiet", "-n", self.ranks] if self.ranks else []
        with tempfile.TemporaryDirectory() as scratch:
            start = time.monotonic()
            run(self.name, [*launcher, self.options.program, "train", "--data", self.options.data, "--run-dir", f"{scratch}/run",
                            *self.flags, *flags])
            seconds = time.monotonic() - start
            record = pathlib.Path(scratch, "run")
            epochs = [json.loads(line) for line in (record / "metrics.jsonl").read_text().splitlines()]
            return json.loads((record / "summary.json").read_text()), epochs, seconds

    def model(self, name):
        """A built-in net's name, or the file of docs/nets that has this one."""
        file = pathlib.Path(self.options.root, "docs", "nets", f"{name}.json")
        return file if file.exists() else name

    def steps(self, model, batch, samples, least=50):
        """Training steps over about `samples` samples, `least` steps or more; the speed is the program's own, of the steps alone."""
        batch = max(1, round(batch * self.share))
        summary, epochs, _ = self.train(
            ["--model", self.model(model), "--global-batch", batch, "--epochs", 1000, "--max-steps", max(least, math.ceil(samples / batch)),
             "--checkpoint-every", "1000000steps"])
        total = lambda key: sum(epoch[f"{key}_seconds"] for epoch in epochs)
        return {
            "samples_per_second": summary["train_samples_per_second"],
            "seconds_to_first_step": summary["seconds_to_first_step"],
            "communication_fraction": total("communication") / (total("compute") + total("communication") + total("waiting")),
            "waiting_fraction": total("waiting") / (total("compute") + total("communication") + total("waiting")),
            "peak_resident_bytes": summary["peak_resident_bytes"],
        }

    def whole(self, recipe, seed):
        """A named recipe from the process' start to its end."""
        summary, _, seconds = self.train(["--recipe", recipe, "--seed", seed])
        return {"seconds": seconds, "test_accuracy": summary["test_accuracy"]}


class Apart:
    """Processes of one rank at once, each by itself: what the machine gives for so many cores, whose clock is lower when all are busy."""

    def __init__(self, name, options, processes):
        self.name, self.alone = name, [Lockstep(name, options, None) for _ in range(processes)]

    def steps(self, model, batch, samples):
        with concurrent.futures.ThreadPoolExecutor(len(self.alone)) as pool:
            runs = list(pool.map(lambda one: one.steps(model, batch, samples / len(self.alone)), self.alone))
        return {"samples_per_second": sum(run["samples_per_second"] for run in runs)}


class SumOverRanks:
    """`lockstep bench allreduce` of one size: a few microseconds where the cores share a cache, several times as many where the host
    of a virtual machine has put them on parts of a processor that do not."""

    FLOATS = 65_536

    def __init__(self, options, ranks):
        self.name, self.options, self.ranks = "lockstep bench allreduce", options, ranks

    def steps(self, model, batch, samples):
        done = run(self.name, ["mpirun", "--quiet", "-n", self.ranks, self.options.program, "bench", "allreduce", "--least",
                               self.FLOATS, "--most", self.FLOATS])
        found = re.search(rf"^ *{self.FLOATS:,} +([\d.]+) \(", done.stdout, re.MULTILINE)
        if not found:
            raise ContestantFailed(self.name, done)
        return {"microseconds": float(found[1])}


class StepOnOneCore:
    """`lockstep bench step`: a step against the multiply-adders' peak, both measured in turn in one process."""

    def __init__(self, options):
        self.name, self.options = "lockstep bench step", options

    def steps(self, model, batch, samples):
        done = run(self.name, [self.options.program, "bench", "step", "--data", self.options.data, "--model", model, "--batch",
                               batch, "--seconds", 2, "--json", *(("--precision", "fp32") if self.options.has_precision else ())])
        figures = json.loads(done.stdout)
        keys = ("samples_per_second", "gflops", "fma_peak_gflops", "fraction_of_fma_peak", "flop_per_sample")
        return {key: figures[key] for key in keys}


class Peer:
    """A program of Tests/Peers that trains the same net with the same data, batch and Adam, in one of its modes."""

    LINE = re.compile(r"(\d+) samples/s, first step after ([\d.]+) s")

    def __init__(self, name, options, python, *flags, precision="fp32"):
        self.name, self.options, self.python, self.flags, self.precision = name, options, python, flags, precision

    def command(self, model, batch):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ, PYTHONDONTWRITEBYTECODE="1")

    def _train(self, model, batch, flags, limit=None):
        done = run(self.name, [*self.command(model, batch), *self.flags, *flags], limit, env=self.environment())
        if not self.LINE.search(done.stdout):
            raise ContestantFailed(self.name, done)
        return done.stdout

    def steps(self, model, batch, samples, least=20, limit=None):
        epochs = math.ceil(samples / TRAINING_SAMPLES)
        steps = max(least, min(math.ceil(samples / epochs / batch), TRAINING_SAMPLES // batch))
        found = self.LINE.search(self._train(model, batch, ["--epochs", epochs, "--steps", steps], limit))
        return {"samples_per_second": float(found[1]), "seconds_to_first_step": float(found[2])}


class JAX(Peer):
    """Tests/Peers/jax_zoo.py: one process on all cores, or one a core, by its flags."""

    def command(self, model, batch):
        return [self.python, f"{self.options.root}/Tests/Peers/jax_zoo.py", "--data", self.options.data, "--model",
                model.replace("-", "_"), "--global-batch", batch]


class PyTorch(Peer):
    """Tests/Peers/torch_ddp.py; DDP on gloo for more than one process."""

    ACCURACY = re.compile(r"test accuracy ([\d.]+)")

    def __init__(self, name, options, python, ranks, threads, *flags, precision="fp32"):
        super().__init__(name, options, python, *flags, precision=precision)
        self.ranks, self.threads = ranks, threads

    def command(self, model, batch):
        # A rendezvous on a port that is free: two runs at once do not meet.
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", self.ranks] if self.ranks > 1 else []
        return [self.python, *launcher, f"{self.options.root}/Tests/Peers/torch_ddp.py", "--data", self.options.data, "--model",
                model.replace("-", "_"), "--global-batch", batch, "--threads", self.threads]

    def environment(self):
        # One thread compiles: workers that outlive the run would count as other processes.
        return dict(super().environment(), OMP_NUM_THREADS=str(self.threads), TORCHINDUCTOR_COMPILE_THREADS="1")

    def whole(self, recipe, seed):
        """What `recipe` asks for, as lockstep's config.json has it."""
        start = time.monotonic()
        output = self._train(recipe["model"], recipe["global_batch"], [
            "--epochs", recipe["epochs"], "--learning-rate", recipe["learning_rate"], "--schedule", recipe["schedule"],
            "--warmup", recipe["warmup"], "--seed", seed])
        return {"seconds": time.monotonic() - start, "test_accuracy": float(self.ACCURACY.findall(output)[-1])}


class Private:
    """One of Tests/Peers' programs for private training, by its arguments."""

    LINE = re.compile(r"(\d+) samples/s")

    def __init__(self, name, options, python, program, *flags, ranks=1, threads=2):
        self.name, self.options, self.python, self.program = name, options, python, program
        self.flags, self.ranks, self.threads = flags, ranks, threads

    def steps(self, model, batch, samples, least=20):
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", self.ranks] if self.ranks > 1 else []
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS=str(self.threads))
        done = run(self.name, [
            self.python, *launcher, f"{self.options.root}/Tests/Peers/{self.program}", "--data", self.options.data, "--model",
            model.replace("-", "_"), "--global-batch", batch, "--steps", max(least, math.ceil(samples / batch)), *self.flags],
            env=environment)
        found = self.LINE.search(done.stdout)
        if not found:
            raise ContestantFailed(self.name, done)
        return {"samples_per_second": float(found[1])}


class Keras:
    """Tests/Peers/keras_article.py: the article's own program, with its ten digits told apart."""

    def __init__(self, options, python):
        self.name, self.options, self.python = "Keras", options, python

    def whole(self, recipe, seed):
        start = time.monotonic()
        done = run(self.name, [self.python, f"{self.options.root}/Tests/Peers/keras_article.py", self.options.data, "ten",
                               recipe["epochs"], recipe["global_batch"]])
        found = re.search(r"test_acc ([\d.]+)", done.stdout)
        if not found:
            raise ContestantFailed(self.name, done)
        return {"seconds": time.monotonic() - start, "test_accuracy": float(found[1])}
