"""Runs contestants in turn, round after round, and condenses their figures."""

import json
import statistics
import subprocess
import tempfile

from contestants import Apart, Keras, Lockstep, Private, PyTorch, StepOnOneCore, SumOverRanks
from failures import ContestantFailed, fail, say

# How long a run's steps last, where the contestant's speed is known from its last: PyTorch takes seconds to find its pace.
SECONDS = {Lockstep: 2.0, Apart: 2.0, PyTorch: 4.0, StepOnOneCore: 0.0, SumOverRanks: 0.0}
# The samples of a contestant's first run.
FIRST = {Lockstep: 60_000, Apart: 120_000, PyTorch: 8_000, StepOnOneCore: 0, SumOverRanks: 0}
# The same for the large nets, of which some hundred samples take a second.
NETS_SECONDS, NETS_FIRST = 5.0, 2_560
# Peers need minutes for a whole process.
PEERS_WHOLE_ROUNDS = 3


class Row:
    """One contestant's runs, as dictionaries of figures."""

    def __init__(self, name):
        self.name, self.runs = name, []

    def __bool__(self):
        return bool(self.runs)

    @property
    def n(self):
        return len(self.runs)

    def values(self, key):
        return [run[key] for run in self.runs]

    def median(self, key):
        return statistics.median(self.values(key))

    def mean(self, key):
        return statistics.mean(self.values(key))

    def deviation(self, key):
        return statistics.stdev(self.values(key)) if self.n > 1 else 0.0


def attempt(contestant, row, body):
    """A round of one contestant. Lockstep must not fail; a peer that does is told of and left out."""
    try:
        row.runs.append(body())
    except ContestantFailed as failure:
        if isinstance(contestant, PyTorch | Keras | Private):
            say(f"{failure}; left out of this round")
        else:
            fail(70, str(failure))


def measure_steps(options, peers, model, batch):
    """Rows by the contestant's key: sum, two, one, apart, mpi, half, core, ddp, threads."""
    players = {
        "sum": SumOverRanks(options, 2),
        "two": Lockstep("lockstep, 2 ranks", options, 2),
        "one": Lockstep("lockstep, 1 rank", options, 1),
        "apart": Apart("lockstep, two of 1 rank at once", options, 2),
        "mpi": Lockstep("lockstep, 2 ranks, --reduction mpi", options, 2, "--reduction", "mpi"),
        "half": Lockstep("lockstep, 1 rank, half of the batch", options, 1, share=0.5),
        "core": StepOnOneCore(options),
        **pytorch(options, peers),
    }
    return in_turn(options, players, model, batch, lambda player: FIRST[type(player)], lambda player: SECONDS[type(player)])


def measure_nets(options, peers, model, batch):
    """Rows by the contestant's key: two, ddp, threads."""
    players = {"two": Lockstep("lockstep, 2 ranks", options, 2), **pytorch(options, peers)}
    return in_turn(options, players, model, batch, lambda player: NETS_FIRST, lambda player: NETS_SECONDS, least=10)


# Opacus' ways to a sample's gradient, and the seconds of a run.
OPACUS_MODES, PRIVATE_SECONDS = ("hooks", "functorch", "ew", "ghost"), 4.0


def measure_private(options, peers, model, batch):
    """Rows of training with differential privacy by the contestant's key: private, plain, one for each of Opacus' ways, jax."""
    flags = ("--optimizer", "sgd", "--learning-rate", 0.15)
    private = ("--private", "--noise-multiplier", 1.1, "--sample-clip-norm", 1, "--seed", 0)
    players = {
        "private": Lockstep("lockstep --private, 2 ranks", options, 2, *flags, *private),
        "plain": Lockstep("lockstep, 2 ranks", options, 2, *flags),
    }
    if peers.opacus:
        for mode in OPACUS_MODES:
            players[f"{mode}, 2 threads"] = Private(
                f"Opacus {mode}, 2 threads", options, peers.python, "opacus_private.py", "--mode", mode, "--threads", 2)
            players[f"{mode}, DDP"] = Private(
                f"Opacus {mode}, DDP on 2 ranks", options, peers.python, "opacus_private.py", "--mode", mode, "--threads", 1,
                ranks=2, threads=1)
    if peers.jax:
        players["jax"] = Private("JAX vmap", options, peers.python, "jax_private.py")
    return in_turn(
        options, players, model, batch, lambda player: FIRST.get(type(player), 5_120), lambda player: PRIVATE_SECONDS, least=20)


def in_turn(options, players, model, batch, first, seconds, **limits):
    """The players' rows by their keys, round after round: the first over `first` samples, the next for so many seconds at the speed of the
    one before, and over as many samples as the first at least."""
    rows = {key: Row(player.name) for key, player in players.items()}
    for round in range(options.rounds):
        say(f"{model}, batch {batch}: round {round + 1} of {options.rounds}")
        for key, player in players.items():
            samples = first(player)
            if rows[key] and seconds(player):
                samples = max(samples, seconds(player) * rows[key].runs[-1]["samples_per_second"])
            attempt(player, rows[key], lambda: player.steps(model, batch, samples, **limits))
    return rows


def pytorch(options, peers):
    """PyTorch's two ways by their keys, or none."""
    if not peers.torch:
        return {}
    return {
        "ddp": PyTorch("PyTorch DDP, 2 ranks", options, peers.python, 2, 1),
        "threads": PyTorch("PyTorch, 2 threads", options, peers.python, 1, 2),
    }


def recipe(options, name):
    """What a named recipe stands for: a run of one step writes it down."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([options.program, "train", "--data", options.data, "--recipe", name, "--max-steps", "1", "--run-dir",
                        f"{scratch}/run"], check=True, capture_output=True)
        with open(f"{scratch}/run/config.json") as file:
            return json.load(file)


def measure_whole(options, peers, name):
    """Rows of whole processes of a recipe, ours first; a round is a seed."""
    ours = Lockstep(f"`lockstep train --recipe {name}`, 2 ranks", options, 2)
    wanted = recipe(options, name)
    others = []
    if name == "article" and peers.tensorflow:
        others.append(Keras(options, peers.python))
    if name == "fast":
        others += pytorch(options, peers).values()
    rows = [Row(player.name) for player in [ours, *others]]
    for seed in range(options.rounds):
        say(f"whole processes of the recipe {name}: round {seed + 1} of {options.rounds}")
        attempt(ours, rows[0], lambda: ours.whole(name, seed))
        for player, row in zip(others, rows[1:]):
            if seed < PEERS_WHOLE_ROUNDS:
                attempt(player, row, lambda: player.whole(wanted, seed))
    return [row for row in rows if row]
