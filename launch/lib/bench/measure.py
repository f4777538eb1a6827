"""Runs contestants in turn, round after round, and condenses their figures."""

import json
import statistics
import subprocess
import tempfile

import load
import modes
from contestants import JAX, TRAINING_SAMPLES, Apart, Keras, Lockstep, Private, PyTorch, StepOnOneCore, SumOverRanks
from failures import ContestantFailed, fail, say

# How long a run's steps last, where the contestant's speed is known from its last: PyTorch takes seconds to find its pace.
SECONDS = {Lockstep: 2.0, Apart: 2.0, PyTorch: 4.0, JAX: 4.0, StepOnOneCore: 0.0, SumOverRanks: 0.0}
# The samples of a contestant's first run.
FIRST = {Lockstep: 60_000, Apart: 120_000, PyTorch: 8_000, JAX: 8_000, StepOnOneCore: 0, SumOverRanks: 0}
# The same for the large nets, of which some hundred samples take a second.
NETS_SECONDS, NETS_FIRST = 5.0, 2_560
# The samples of a probe: two seconds of PyTorch on two cores, by net, or those of the slow nets; and the steps at least.
PROBE_SAMPLES = {"article": 20_000, "mlp": 50_000, "keras-convnet": 10_000, "rnn": 20_000, "lstm": 10_000, "gru": 10_000}
SLOW_PROBE_SAMPLES, PROBE_STEPS = 1_536, 4
# How many modes in full precision, and how many at any, enter the rounds of steps, and those of whole processes.
ENTRANTS, WHOLE_ENTRANTS = 2, 1
# Peers need minutes for a whole process.
PEERS_WHOLE_ROUNDS = 3


class Row:
    """One contestant's runs, as dictionaries of figures."""

    def __init__(self, name, precision="fp32", is_peer=False):
        self.name, self.precision, self.is_peer, self.runs = name, precision, is_peer, []

    @classmethod
    def of(cls, contestant):
        return cls(contestant.name, getattr(contestant, "precision", "fp32"), is_peer(contestant))

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

    @property
    def others_share(self):
        """The largest share of other processes in any run."""
        return max((run.get("others_share", 0.0) for run in self.runs), default=0.0)

    @property
    def is_disturbed(self):
        return any(run.get("is_disturbed") for run in self.runs)


def is_peer(contestant):
    return isinstance(contestant, PyTorch | JAX | Keras | Private)


def undisturbed(name, body, repeats, reading=load.reading):
    """`body`'s figures and the share of other processes in its run. Where that is too large the run is repeated, at most `repeats`
    times, and the least disturbed is kept; `is_disturbed` marks it where its share is too large as well."""
    kept = None
    for attempts in range(1, repeats + 2):
        before = reading()
        try:
            figures = body()
        except ContestantFailed:
            if kept is None:
                raise
            break
        share = load.others_share(before, reading())
        if kept is None or share < kept["others_share"]:
            kept = {**figures, "others_share": share}
        kept["attempts"], kept["is_disturbed"] = attempts, kept["others_share"] > load.MOST
        say(f"{name}: other processes took {share:.1%}" + (", too much" if share > load.MOST else ""))
        if share <= load.MOST:
            break
    return kept


def attempt(contestant, row, body, repeats=0, reading=load.reading):
    """A round of one contestant. Lockstep must not fail; a peer that does is told of and left out."""
    try:
        row.runs.append(undisturbed(row.name, body, repeats, reading))
    except ContestantFailed as failure:
        if is_peer(contestant):
            say(f"{failure}; left out of this round")
        else:
            fail(70, str(failure))


def probe(options, peers, model, batch, kind=object):
    """The peers' modes on this net and batch, each once, or twice where other processes were busy."""
    wanted, left_out = modes.modes(options, peers, model)
    wanted = [mode for mode in wanted if isinstance(mode, kind)]
    samples = PROBE_SAMPLES.get(model, SLOW_PROBE_SAMPLES)
    say(f"{model}, batch {batch}: a short run of each of the peers' {len(wanted)} modes")
    return modes.Probes(wanted, left_out, lambda mode: undisturbed(
        mode.name, lambda: mode.steps(model, batch, samples, least=PROBE_STEPS, limit=modes.PROBE_SECONDS), min(1, options.repeats)))


def lockstep_bf16(options):
    """Lockstep in bfloat16 by its key, or nothing where the program has no such precision."""
    return {"bf16": Lockstep("lockstep, 2 ranks, bf16", options, 2, precision="bf16")} if options.has_precision else {}


def entrants(probes):
    return {mode.name: mode for mode in probes.best(ENTRANTS)}


def measure_steps(options, peers, model, batch):
    """Rows by the contestant's key: sum, two, bf16, one, apart, mpi, half, core, and the best peers' names; and the peers' probes."""
    probes = probe(options, peers, model, batch)
    players = {
        "sum": SumOverRanks(options, 2),
        "two": Lockstep("lockstep, 2 ranks", options, 2),
        **lockstep_bf16(options),
        "one": Lockstep("lockstep, 1 rank", options, 1),
        "apart": Apart("lockstep, two of 1 rank at once", options, 2),
        "mpi": Lockstep("lockstep, 2 ranks, --reduction mpi", options, 2, "--reduction", "mpi"),
        "half": Lockstep("lockstep, 1 rank, half of the batch", options, 1, share=0.5),
        "core": StepOnOneCore(options),
        **entrants(probes),
    }
    rows = in_turn(
        options, players, model, batch, lambda player: FIRST[type(player)], lambda player: SECONDS[type(player)], probes.figures)
    return rows, probes


def measure_nets(options, peers, model, batch):
    """Rows by the contestant's key: two, bf16, and the best peers' names; and the peers' probes."""
    probes = probe(options, peers, model, batch)
    players = {"two": Lockstep("lockstep, 2 ranks", options, 2), **lockstep_bf16(options), **entrants(probes)}
    rows = in_turn(
        options, players, model, batch, lambda player: NETS_FIRST, lambda player: NETS_SECONDS, probes.figures, least=10)
    return rows, probes


# Opacus' ways to a sample's gradient, and the seconds of a run.
OPACUS_MODES, PRIVATE_SECONDS = ("hooks", "functorch", "ew", "ghost"), 4.0


def measure_private(options, peers, model, batch):
    """Rows of training with differential privacy by the contestant's key: private, plain, one for each of Opacus' ways, jax; no probes."""
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
        options, players, model, batch, lambda player: FIRST.get(type(player), 5_120), lambda player: PRIVATE_SECONDS, {}, least=20), None


def in_turn(options, players, model, batch, first, seconds, probed, **limits):
    """The players' rows by their keys, round after round: the first over `first` samples, the next for so many seconds at the speed of the
    one before, or of the probe, and over as many samples as the first at least."""
    rows = {key: Row.of(player) for key, player in players.items()}
    for round in range(options.rounds):
        say(f"{model}, batch {batch}: round {round + 1} of {options.rounds}")
        for key, player in players.items():
            samples = first(player)
            known = rows[key].runs[-1] if rows[key] else probed.get(player.name)
            if known and seconds(player):
                samples = max(samples, seconds(player) * known["samples_per_second"])
            attempt(player, rows[key], lambda: player.steps(model, batch, samples, **limits), options.repeats)
    return rows


def recipe(options, name):
    """What a named recipe stands for: a run of one step writes it down."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([options.program, "train", "--data", options.data, "--recipe", name, "--max-steps", "1", "--run-dir",
                        f"{scratch}/run"], check=True, capture_output=True)
        with open(f"{scratch}/run/config.json") as file:
            return json.load(file)


def measure_whole(options, peers, name, probed):
    """Rows of whole processes of a recipe, ours first; a round is a seed. PyTorch's modes are those whose probe promises the shortest
    process, compiler and all; `probed` has the probes that were made, by model and batch, and gets those made here."""
    ours = [Lockstep(f"`lockstep train --recipe {name}`, 2 ranks", options, 2)]
    if options.has_precision:
        ours.append(Lockstep(f"`lockstep train --recipe {name} --precision bf16`, 2 ranks", options, 2, precision="bf16"))
    wanted = recipe(options, name)
    others = [Keras(options, peers.python)] if name == "article" and peers.tensorflow else []
    if peers.torch:
        case = wanted["model"], wanted["global_batch"]
        probes = probed[case] = probed.get(case) or probe(options, peers, *case, PyTorch)
        others += probes.best(
            WHOLE_ENTRANTS, PyTorch, key=lambda mode: probes.seconds(mode, wanted["epochs"] * TRAINING_SAMPLES))
    rows = [Row.of(player) for player in [*ours, *others]]
    for seed in range(options.rounds):
        say(f"whole processes of the recipe {name}: round {seed + 1} of {options.rounds}")
        for player, row in zip(ours, rows):
            attempt(player, row, lambda: player.whole(name, seed), options.repeats)
        for player, row in zip(others, rows[len(ours):]):
            if seed < PEERS_WHOLE_ROUNDS:
                attempt(player, row, lambda: player.whole(wanted, seed), options.repeats)
    return [row for row in rows if row]
