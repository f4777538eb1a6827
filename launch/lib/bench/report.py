"""The tables, in Markdown: what is printed is what docs/benchmarks.md holds."""

import os
import pathlib
import re

from failures import fail
from load import MOST


def machine(path="/proc/cpuinfo"):
    """The processor's own name, and, since a virtual machine's may say little, its family and model."""
    with open(path) as file:
        pairs = [[part.strip() for part in line.split(":", 1)] for line in file if ":" in line]
    fields = dict(reversed(pairs))
    name = fields.get("model name", "an unknown processor")
    numbers = f" (family {fields['cpu family']}, model {fields['model']})" if {"cpu family", "model"} <= set(fields) else ""
    return f"{os.cpu_count()} cores of {name}{numbers}"


def table(heads, lines):
    """Text in the first column, figures in the others."""
    return "\n".join(
        "| " + " | ".join(cells) + " |" for cells in [heads, ["---", *["---:"] * (len(heads) - 1)], *lines])


def speed(row):
    """Median and deviation; a dagger where other processes had too much of a run."""
    if not row:
        return "–"
    return f"{row.median('samples_per_second'):,.0f} ± {row.deviation('samples_per_second'):,.0f}{dagger(row)}"


def dagger(row):
    return " †" if row.is_disturbed else ""


def ratio(over, under):
    return f"{over / under:.2f} ×"


def share(rows):
    """The largest share of other processes in any run of any of the rows."""
    return f"{max((row.others_share for row in rows if row), default=0.0):.1%}"


def fastest(rows):
    return max(rows, key=lambda row: row.median("samples_per_second"), default=None)


class Case:
    """The rows of one model and batch, the probes of its peers' modes, and what follows from them."""

    def __init__(self, model, batch, rows, probes=None):
        self.model, self.batch, self.name, self.rows, self.probes = model, batch, f"{model}, {batch}", rows, probes

    def rate(self, key):
        return self.rows[key].median("samples_per_second")

    def best_peer(self, precisions):
        """The peer's row with the best median among those of the precisions, or None."""
        return fastest([row for row in self.rows.values() if row and row.is_peer and row.precision in precisions])

    @property
    def full(self):
        """Our row in full precision, and the best peer's."""
        return self.rows["two"], self.best_peer(["fp32"])

    @property
    def any(self):
        """The better of our two precisions, and the best peer at any."""
        return fastest([self.rows[key] for key in ("two", "bf16") if self.rows.get(key)]), self.best_peer(["fp32", "bf16"])

    @property
    def peers_first_step(self):
        """The soonest first step of any peer in any mode, in seconds, or None."""
        rows = [row.median("seconds_to_first_step") for row in self.rows.values() if row and row.is_peer]
        probed = self.probes.seconds_to_first_step if self.probes else None
        return min(rows + ([probed] if probed is not None else []), default=None)


def over(pair):
    """Our median over the peer's."""
    ours, peer = pair
    return f"**{ratio(ours.median('samples_per_second'), peer.median('samples_per_second'))}**" if peer else "–"


def peer_speed(row):
    return f"{speed(row)} ({row.name})" if row else "–"


def against_peers(cases):
    """The two comparisons: in full precision, and each at its best precision."""
    return table(
        ["net, global batch", "Lockstep fp32, 2 ranks", "the best fp32 peer", "fp32 over it", "Lockstep bf16, 2 ranks",
         "the best peer at any precision", "the better over it", "other processes"],
        [[case.name, speed(case.rows["two"]), peer_speed(case.full[1]), over(case.full), speed(case.rows.get("bf16")),
          peer_speed(case.any[1]), over(case.any), share(case.rows.values())] for case in cases])


def scaling(cases):
    return table(
        ["model, global batch", "1 rank", "2 over 1", "two apart over 1", "strong scaling", "weak scaling", "a sum", "communication",
         "waiting", "`--reduction mpi`", "fixed tree over it", "of the FMA peak"],
        [[case.name, speed(case.rows["one"]), ratio(case.rate("two"), case.rate("one")), ratio(case.rate("apart"), case.rate("one")),
          f"{case.rate('two') / case.rate('one') / 2:.0%}", f"{case.rate('two') / case.rate('half') / 2:.0%}",
          f"{case.rows['sum'].median('microseconds'):.1f} µs", f"{case.rows['two'].median('communication_fraction'):.1%}",
          f"{case.rows['two'].median('waiting_fraction'):.1%}", speed(case.rows["mpi"]), ratio(case.rate("two"), case.rate("mpi")),
          f"{case.rows['core'].median('fraction_of_fma_peak'):.0%} of {case.rows['core'].median('fma_peak_gflops'):.0f} GFLOP/s"]
         for case in cases])


def starting(cases):
    return table(
        ["model, global batch", "first step after", "the soonest peer's", "memory a rank"],
        [[case.name, f"{case.rows['two'].median('seconds_to_first_step'):.2f} s",
          f"{case.peers_first_step:.1f} s" if case.peers_first_step is not None else "–", memory(case)] for case in cases])


def memory(case):
    return f"{case.rows['two'].median('peak_resident_bytes') / 1e6:.0f} MB"


def nets(cases):
    return [against_peers(cases), table(["net, global batch", "memory a rank"], [[case.name, memory(case)] for case in cases])]


def steps(cases):
    return [against_peers(cases), scaling(cases), starting(cases)]


def private(cases):
    lines = []
    for case in cases:
        rate = case.rate("private")
        for key, row in case.rows.items():
            if not row:
                continue
            other = row.median("samples_per_second")
            lines.append([
                f"{case.name}: {row.name}", speed(row), "" if key == "private" else f"**{ratio(rate, other)}**", share([row])])
    return [table(["net, global batch: who", "samples/s", "lockstep --private over it", "other processes"], lines)]


def rivals(rows):
    """Of whole processes: ours and the quickest peer's in full precision, then each at its best precision; a peer may be None."""
    quickest = lambda is_peer, precisions: min(
        (row for row in rows if row.is_peer == is_peer and row.precision in precisions), key=lambda row: row.mean("seconds"), default=None)
    return [(quickest(False, precisions), quickest(True, precisions)) for precisions in (["fp32"], ["fp32", "bf16"])]


def wholes(groups):
    lines = []
    for rows in groups:
        (full, _), (better, _) = rivals(rows)
        for row in rows:
            seconds, accuracy, ours = row.mean("seconds"), row.mean("test_accuracy"), full if row.precision == "fp32" else better
            lines.append([
                row.name, f"{seconds:.2f} s ± {row.deviation('seconds'):.2f}{dagger(row)}",
                ratio(seconds, ours.mean("seconds")) if row.is_peer else "",
                f"{accuracy:.4f} ± {row.deviation('test_accuracy'):.4f}", f"{row.n}", share([row])])
    return table(["whole process", "wall time", "Lockstep is faster by", "test accuracy", "n", "other processes"], lines)


def without_files(arguments):
    """The bench's arguments that decide on what is measured: not where it is written."""
    return " ".join(re.sub(r"--docs\b|--json(=|\s+)\S+", " ", arguments).split())


def caption(run, text):
    """The line above a table: every table says which processor it is of."""
    return f"On {run['machine']}, {run['date']}: {text}:"


def probes(probed):
    """Of the JSON: the probes' figures, and the modes that were left out with their reasons, by model and batch."""
    made = {f"{model}, {batch}": probes for (model, batch), probes in probed.items() if probes}
    return {"probes": {name: probes.figures for name, probes in made.items()}, "left_out": {name: probes.left_out for name, probes in made.items()}}


def notes(run, cases, groups):
    """What the tables leave out, and what is wrong with them."""
    lines = [f"Left out of {case}: {name}: {reason}." for case, modes in run.get("left_out", {}).items() for name, reason in modes.items()]
    rows = [row for case in cases for row in case.rows.values()] + [row for group in groups for row in group]
    if any(row.is_disturbed for row in rows):
        lines.append(f"† Other processes took more than {MOST:.0%} of the processors' time in a run of it, repeats as well.")
    return lines


def benchmarks(run, cases, groups, of_cases=steps):
    """All tables, with what they were measured on."""
    command = f"launch/bench {run['arguments']}".strip()
    parts = [f"{run['versions']}; `{command}`."]
    if cases:
        for made in of_cases(cases):
            parts += [caption(run, f"samples a second, median ± deviation of n = {run['rounds']}"), made]
    if groups:
        parts += [caption(run, "mean ± deviation of n processes, each of another seed"), wholes(groups)]
    return "\n\n".join(parts + notes(run, cases, groups))


def measured(run, cases, groups):
    """README's short one."""
    lines = []
    for case in cases:
        cells = [case.name.replace(",", ", batch")]
        for ours, peer in (case.full, case.any):
            cells += [f"{ours.median('samples_per_second'):,.0f} samples/s{dagger(ours)}", "–", "–"] if not peer else [
                f"{ours.median('samples_per_second'):,.0f} samples/s{dagger(ours)}",
                f"{peer.median('samples_per_second'):,.0f} samples/s{dagger(peer)} ({peer.name})", over((ours, peer)).strip("*")]
        lines.append(cells)
    if cases and cases[0].peers_first_step is not None:
        mine, theirs = cases[0].rows["two"].median("seconds_to_first_step"), cases[0].peers_first_step
        lines.append(["process start to first step", f"{mine:.2f} s", f"{theirs:.1f} s", ratio(theirs, mine), "", "", ""])
    for rows in groups:
        cells = [f"{rows[0].name.split(',')[0]}, whole process, test accuracy {rows[0].mean('test_accuracy'):.4f}"]
        for ours, peer in rivals(rows):
            cells += [f"{ours.mean('seconds'):.1f} s{dagger(ours)}", "–", "–"] if not peer else [
                f"{ours.mean('seconds'):.1f} s{dagger(ours)}", f"{peer.mean('seconds'):.1f} s{dagger(peer)} ({peer.name})",
                ratio(peer.mean("seconds"), ours.mean("seconds"))]
        lines.append(cells)
    made = table(
        ["", "Lockstep fp32, 2 ranks", "the best fp32 peer", "", "Lockstep's better precision", "the best peer at any precision", ""], lines)
    marks = [line for line in notes(run, cases, groups) if line.startswith("†")]
    return "\n\n".join([caption(run, f"medians of {run['rounds']}, whole processes' means"), made, *marks])


def replace(path, text, mark="launch/bench --docs"):
    """Puts `text` between the marks of the file at `path`: a comment with `mark`, and one that says end."""
    path = pathlib.Path(path)
    before = path.read_text()
    after, count = re.subn(
        rf"(<!-- {mark} -->\n).*?(<!-- end -->)", lambda marks: f"{marks[1]}\n{text}\n\n{marks[2]}", before,
        flags=re.DOTALL)
    if count != 1:
        fail(69, f"{path} has not one place between <!-- {mark} --> and <!-- end -->")
    path.write_text(after)
