"""The tables, in Markdown: what is printed is what docs/benchmarks.md holds."""

import pathlib
import re

from failures import fail


def table(heads, lines):
    """Text in the first column, figures in the others."""
    return "\n".join(
        "| " + " | ".join(cells) + " |" for cells in [heads, ["---", *["---:"] * (len(heads) - 1)], *lines])


def speed(row):
    return f"{row.median('samples_per_second'):,.0f} ± {row.deviation('samples_per_second'):,.0f}" if row else "–"


def ratio(over, under):
    return f"{over / under:.2f} ×"


class Case:
    """The rows of one model and batch, and what follows from them."""

    def __init__(self, model, batch, rows):
        self.name, self.rows = f"{model}, {batch}", rows

    def rate(self, key):
        return self.rows[key].median("samples_per_second")

    @property
    def peer(self):
        """The better of PyTorch's two, or None."""
        found = [self.rows[key] for key in ("ddp", "threads") if self.rows.get(key)]
        return max(found, key=lambda row: row.median("samples_per_second"), default=None)

    @property
    def over_peer(self):
        return f"**{ratio(self.rate('two'), self.peer.median('samples_per_second'))}**" if self.peer else "–"


def speeds(cases):
    return table(
        ["model, global batch", "Lockstep, 2 ranks", "1 rank", "2 over 1", "two apart over 1", "PyTorch DDP, 2 ranks",
         "PyTorch, 2 threads", "over the better", "of the FMA peak"],
        [[case.name, speed(case.rows["two"]), speed(case.rows["one"]), ratio(case.rate("two"), case.rate("one")),
          ratio(case.rate("apart"), case.rate("one")),
          speed(case.rows.get("ddp")), speed(case.rows.get("threads")), case.over_peer,
          f"{case.rows['core'].median('fraction_of_fma_peak'):.0%} of {case.rows['core'].median('fma_peak_gflops'):.0f} GFLOP/s"]
         for case in cases])


def scaling(cases):
    return table(
        ["model, global batch", "a sum", "communication", "waiting", "strong scaling", "weak scaling", "`--reduction mpi`",
         "fixed tree over it", "first step after", "PyTorch's", "memory a rank"],
        [[case.name, f"{case.rows['sum'].median('microseconds'):.1f} µs", f"{case.rows['two'].median('communication_fraction'):.1%}",
          f"{case.rows['two'].median('waiting_fraction'):.1%}", f"{case.rate('two') / case.rate('one') / 2:.0%}",
          f"{case.rate('two') / case.rate('half') / 2:.0%}", speed(case.rows["mpi"]), ratio(case.rate("two"), case.rate("mpi")),
          f"{case.rows['two'].median('seconds_to_first_step'):.2f} s",
          f"{case.peer.median('seconds_to_first_step'):.1f} s" if case.peer else "–",
          f"{case.rows['two'].median('peak_resident_bytes') / 1e6:.0f} MB"] for case in cases])


def nets(cases):
    return table(
        ["net, global batch", "Lockstep, 2 ranks", "PyTorch DDP, 2 ranks", "PyTorch, 2 threads", "over the better", "memory a rank"],
        [[case.name, *(speed(case.rows.get(key)) for key in ("two", "ddp", "threads")), case.over_peer,
          f"{case.rows['two'].median('peak_resident_bytes') / 1e6:.0f} MB"] for case in cases])


def steps(cases):
    return f"{speeds(cases)}\n\n{scaling(cases)}"


def private(cases):
    lines = []
    for case in cases:
        rate = case.rate("private")
        for key, row in case.rows.items():
            if not row:
                continue
            other = row.median("samples_per_second")
            lines.append([f"{case.name}: {row.name}", speed(row), "" if key == "private" else f"**{ratio(rate, other)}**"])
    return table(["net, global batch: who", "samples/s", "lockstep --private over it"], lines)


def wholes(groups):
    lines = []
    for rows in groups:
        for row in rows:
            seconds, accuracy = row.mean("seconds"), row.mean("test_accuracy")
            lines.append([
                row.name, f"{seconds:.2f} s ± {row.deviation('seconds'):.2f}",
                "" if row is rows[0] else ratio(seconds, rows[0].mean("seconds")),
                f"{accuracy:.4f} ± {row.deviation('test_accuracy'):.4f}", f"{row.n}"])
    return table(["whole process", "wall time", "Lockstep is faster by", "test accuracy", "n"], lines)


def benchmarks(run, cases, groups, of_steps=steps):
    """All tables, with what they were measured on."""
    command = f"launch/bench {run['arguments']}".strip()
    parts = [f"{run['machine']}; {run['date']}; {run['versions']}; `{command}`."]
    if cases:
        parts += [f"Samples a second, median ± deviation of n = {run['rounds']}:", of_steps(cases)]
    if groups:
        parts += ["Mean ± deviation of n processes, each of another seed:", wholes(groups)]
    return "\n\n".join(parts)


def measured(run, cases, groups):
    """README's short one."""
    lines = [[f"{case.name.replace(',', ', batch')}", f"{case.rate('two'):,.0f} samples/s",
              f"{case.peer.median('samples_per_second'):,.0f} samples/s" if case.peer else "–", case.over_peer.strip("*")]
             for case in cases]
    if cases and cases[0].peer:
        mine, theirs = (row.median("seconds_to_first_step") for row in (cases[0].rows["two"], cases[0].peer))
        lines.append(["process start to first step", f"{mine:.2f} s", f"{theirs:.1f} s", ratio(theirs, mine)])
    for rows in groups:
        mine, peer = rows[0].mean("seconds"), min(rows[1:], key=lambda row: row.mean("seconds"), default=None)
        lines.append([
            f"{rows[0].name.split(',')[0]}, whole process, test accuracy {rows[0].mean('test_accuracy'):.4f}", f"{mine:.1f} s",
            f"{peer.mean('seconds'):.1f} s{' (Keras)' if peer.name == 'Keras' else ''}" if peer else "–",
            ratio(peer.mean("seconds"), mine) if peer else "–"])
    return table(["", "Lockstep, 2 ranks", "PyTorch", ""], lines)


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
