"""launch/bench's report, on figures made up: python3 Tests/launch/test_bench.py"""

import ast
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest
from unittest import mock

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "launch", "lib", "bench"))
import contestants
import failures
import load
import measure
import modes
import report
from measure import Row, attempt
from contestants import JAX, PyTorch

TORCHRUN = """\
Traceback (most recent call last):
  File "torch_ddp.py", line 26, in <module>
    dist.init_process_group("gloo")
ValueError: store timed out
E1124 07:00:00.000000 12 site-packages/torch/distributed/elastic/multiprocessing/api.py] failed (exitcode: 1) local_rank: 0
Traceback (most recent call last):
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
torch_ddp.py FAILED
------------------------------------------------------------
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 20)
============================================================
"""


def row(name, *speeds, precision="fp32", is_peer=False, **figures):
    made = Row(name, precision, is_peer)
    made.runs = [{"samples_per_second": speed, **figures} for speed in speeds]
    return made


def peer(name, *speeds, **figures):
    return row(name, *speeds, is_peer=True, **figures)


def stopped(name):
    class Done:
        returncode, stderr = 1, TORCHRUN

    return failures.ContestantFailed(name, Done)


class Fake:
    """A peer's mode whose run is a figure made up."""

    def __init__(self, name, speed, precision="fp32", first=1.0):
        self.name, self.speed, self.precision, self.first = name, speed, precision, first

    def figures(self):
        if self.speed is None:
            raise stopped(self.name)
        return {"samples_per_second": self.speed, "seconds_to_first_step": self.first}


def probes(*fakes, left_out={}):
    return modes.Probes(fakes, left_out, lambda fake: fake.figures())


def names(found):
    return [mode.name for mode in found]


def readings(*shares):
    """Of two processors: for each run a reading before and one after, with a second between them in which others had that share."""
    made = iter([reading for share in shares for reading in (load.Reading(10, 4, 1), load.Reading(12, 4 + 0.5 + 2 * share, 1.5))])
    return lambda: next(made)


class TellingLine(unittest.TestCase):
    def test_of_a_rank_and_not_of_its_launcher(self):
        self.assertEqual(failures.telling_line(TORCHRUN), "ValueError: store timed out")

    def test_without_an_error(self):
        self.assertEqual(failures.telling_line("one\ntwo\n=====\n\n"), "two")
        self.assertEqual(failures.telling_line("====\n"), "")


class Load(unittest.TestCase):
    def test_share_of_others(self):
        share = load.others_share(load.Reading(100, 40, 10), load.Reading(110, 48, 15))
        self.assertAlmostEqual(share, 0.3)
        self.assertEqual(load.others_share(load.Reading(100, 40, 10), load.Reading(110, 41, 15)), 0)
        self.assertEqual(load.others_share(load.Reading(100, 40, 10), load.Reading(100, 40, 10)), 0)

    def test_reads_every_busy_tick_once(self):
        with tempfile.NamedTemporaryFile("w") as file:
            # user nice system idle iowait irq softirq steal guest guest_nice
            file.write("cpu  100 20 30 1000 50 1 2 3 60 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
            file.flush()
            found, ticks = load.reading(file.name), os.sysconf("SC_CLK_TCK")
        self.assertAlmostEqual(found.total * ticks, 1206)
        self.assertAlmostEqual(found.busy * ticks, 156)

    def test_own_children_are_not_others(self):
        before = load.reading()
        contestants.run("busy", [sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"])
        self.assertGreater(load.reading().own - before.own, 0.3)


class Rounds(unittest.TestCase):
    def kept(self, shares, repeats, figures=None):
        runs = iter(figures or range(100))
        return measure.undisturbed("who", lambda: {"run": next(runs)}, repeats, readings(*shares))

    def test_a_quiet_run_is_not_repeated(self):
        kept = self.kept([0.04], 3)
        self.assertEqual((kept["run"], kept["attempts"], kept["is_disturbed"]), (0, 1, False))
        self.assertAlmostEqual(kept["others_share"], 0.04)

    def test_a_disturbed_run_is_repeated_until_it_is_quiet(self):
        kept = self.kept([0.5, 0.2, 0.01, 0.0], 3)
        self.assertEqual((kept["run"], kept["attempts"], kept["is_disturbed"]), (2, 3, False))

    def test_the_least_disturbed_is_kept_and_marked(self):
        kept = self.kept([0.5, 0.2, 0.3, 0.4], 3)
        self.assertEqual((kept["run"], kept["attempts"], kept["is_disturbed"]), (1, 4, True))
        self.assertAlmostEqual(kept["others_share"], 0.2)
        self.assertEqual(self.kept([0.5], 0)["attempts"], 1)

    def test_a_repeat_that_fails_leaves_the_run_before(self):
        bodies = iter([lambda: {"run": 0}, lambda: (_ for _ in ()).throw(stopped("who"))])
        kept = measure.undisturbed("who", lambda: next(bodies)(), 3, readings(0.5, 0.5))
        self.assertEqual((kept["run"], kept["is_disturbed"]), (0, True))

    def test_a_round_holds_its_share(self):
        one = row("who")
        attempt(object(), one, lambda: {"samples_per_second": 1.0}, 1, readings(0.5, 0.25))
        self.assertEqual(one.n, 1)
        self.assertAlmostEqual(one.others_share, 0.25)
        self.assertTrue(one.is_disturbed)

    def test_the_best_modes_enter_at_the_speed_of_their_probes(self):
        asked = []

        class Player(Fake):
            def steps(self, model, batch, samples, **limits):
                asked.append((self.name, samples))
                return self.figures()

        options = types.SimpleNamespace(rounds=2, repeats=0)
        rows = measure.in_turn(
            options, {"a": Player("a", 50), "b": Player("b", 900)}, "mlp", 8, lambda player: 100, lambda player: 2.0,
            {"a": {"samples_per_second": 70}, "b": {"samples_per_second": 20}})
        self.assertEqual(asked, [("a", 140), ("b", 100), ("a", 100), ("b", 1800)])
        self.assertEqual([row.n for row in rows.values()], [2, 2])


class WholeProcesses(unittest.TestCase):
    def test_the_modes_of_the_shortest_processes_run_and_the_probes_are_kept(self):
        ran = []

        def whole(player, recipe, seed):
            ran.append((player.name, recipe if isinstance(recipe, str) else recipe["epochs"], seed))
            return {"seconds": 1.0, "test_accuracy": 0.99}

        first = {"eager": 2, "compile": 500, "bf16": 2, "slow bf16": 2}
        speeds = {"eager": 100, "compile": 200, "bf16": 150, "slow bf16": 50}
        wanted = [PyTorch(name, None, "python", 1, 2, precision="bf16" if "bf16" in name else "fp32") for name in first]
        quick = [JAX("jit", None, "python")]
        found = modes.Probes([*wanted, *quick], {}, lambda mode: {
            "samples_per_second": speeds.get(mode.name, 9e9), "seconds_to_first_step": first.get(mode.name, 0)})
        options = types.SimpleNamespace(rounds=4, repeats=0, has_precision=True)
        probed = {}
        with mock.patch.object(measure, "recipe", lambda options, name: {"model": "mlp", "global_batch": 8, "epochs": 1}), \
                mock.patch.object(measure, "probe", lambda *arguments: found), \
                mock.patch.object(contestants.Lockstep, "whole", whole), mock.patch.object(PyTorch, "whole", whole):
            rows = measure.measure_whole(options, types.SimpleNamespace(torch="2", tensorflow=None, python="python"), "fast", probed)
        self.assertEqual(probed, {("mlp", 8): found})
        # 60,000 samples: eager 602 s, compiled 800.
        self.assertEqual([(row.name, row.precision, row.n) for row in rows], [
            ("`lockstep train --recipe fast`, 2 ranks", "fp32", 4), ("`lockstep train --recipe fast --precision bf16`, 2 ranks", "bf16", 4),
            ("bf16", "bf16", 3), ("eager", "fp32", 3)])
        self.assertEqual(ran[:4], [(rows[0].name, "fast", 0), (rows[1].name, "fast", 0), ("bf16", 1, 0), ("eager", 1, 0)])


class Modes(unittest.TestCase):
    options = types.SimpleNamespace(root=ROOT, data="data", has_precision=False, repeats=0)

    def names(self, model, torch="2", jax="0"):
        found, left_out = modes.modes(self.options, types.SimpleNamespace(python="python", torch=torch, jax=jax), model)
        return names(found), left_out

    def test_every_mode_of_pytorch(self):
        with mock.patch("shutil.which", return_value="/usr/bin/g++"):
            found, left_out = self.names("article", jax=None)
            self.assertEqual(len(set(found)), 16)
            self.assertEqual(left_out, {})
            for name in ("PyTorch eager, 2 threads", "PyTorch channels-last + bf16 + compile, DDP, 2 ranks", "PyTorch bf16, 2 threads"):
                self.assertIn(name, found)
            self.assertEqual(self.names("article", torch=None, jax=None), ([], {}))

    def test_channels_last_where_there_are_images(self):
        """Of zoo.py's nets those with Conv2d, in the function or in a class that it names."""
        with open(os.path.join(ROOT, "Tests", "Peers", "zoo.py")) as file:
            parts = {part.name: part for part in ast.parse(file.read()).body if isinstance(part, ast.FunctionDef | ast.ClassDef)}

        def words(part):
            own = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
            own |= {node.attr for node in ast.walk(part) if isinstance(node, ast.Attribute)}
            return own.union(*(words(parts[name]) for name in own if isinstance(parts.get(name), ast.ClassDef)))

        for net in modes.JAX_NETS:
            has_images = "Conv2d" in words(parts[net.replace("-", "_")])
            self.assertEqual(net in modes.IMAGE_NETS, has_images, net)
            self.assertEqual(any("channels-last" in name for name in self.names(net)[0]), has_images, net)
            self.assertEqual(any("patches" in name for name in self.names(net)[0]), has_images, net)

    def test_statistics_of_a_batch_allow_no_microbatches(self):
        found = lambda model: [mode.flags for mode in modes.jax_modes(self.options, "python", model)]
        self.assertFalse(any("--microbatch" in flags for flags in found("resnet")))
        self.assertTrue(any("--microbatch" in flags for flags in found("vgg")))
        self.assertEqual(found("bert"), [])

    def test_without_a_compiler_the_table_goes_on_and_says_so(self):
        with mock.patch("shutil.which", return_value=None):
            found, left_out = self.names("mlp")
        self.assertEqual(len(left_out), 4)
        self.assertFalse(any("compile" in name for name in found))
        self.assertIn("g++", left_out["PyTorch bf16 + compile, 2 threads"])

    def test_flags_and_precisions(self):
        for mode in [*modes.pytorch_modes(self.options, "python", "vgg"), *modes.jax_modes(self.options, "python", "vgg")]:
            self.assertEqual(mode.precision, "bf16" if "--bf16" in mode.flags else "fp32", mode.name)
            self.assertEqual("bf16" in mode.name, "--bf16" in mode.flags, mode.name)
            self.assertEqual("compile" in mode.name, "--compile" in mode.flags, mode.name)
            self.assertEqual("channels-last" in mode.name, "--channels-last" in mode.flags, mode.name)

    def test_the_best_two_of_each_precision(self):
        found = probes(Fake("a", 10), Fake("b", 30), Fake("c", 20), Fake("d", 40, "bf16"), Fake("e", 5, "bf16"), Fake("f", 25, "bf16"))
        self.assertEqual(names(found.best(2)), ["d", "b", "c"])
        self.assertEqual(names(found.best(1)), ["d", "b"])
        self.assertEqual(names(probes(Fake("a", 10), Fake("b", 30, "bf16"), Fake("c", 40, "bf16")).best(2)), ["c", "b", "a"])
        self.assertEqual(names(probes().best(2)), [])

    def test_a_mode_that_fails_is_left_out_with_its_reason(self):
        found = probes(Fake("a", None), Fake("b", 30), left_out={"c": "no g++"})
        self.assertEqual(names(found.best(2)), ["b"])
        self.assertEqual(found.left_out, {"a": "ended with 1: ValueError: store timed out", "c": "no g++"})

    def test_the_shortest_process_counts_the_compiler(self):
        slow, fast = Fake("eager", 100, first=2), Fake("compile", 200, first=60)
        found = probes(slow, fast)
        self.assertEqual(found.seconds(fast, 1000), 65)
        self.assertEqual(names(found.best(1, key=lambda mode: found.seconds(mode, 1000))), ["eager"])
        self.assertEqual(names(found.best(1, key=lambda mode: found.seconds(mode, 100_000))), ["compile"])
        self.assertEqual(found.seconds_to_first_step, 2)
        self.assertIsNone(probes().seconds_to_first_step)

    def test_a_run_that_takes_too_long_ends_with_its_children(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "child")
            start = time.monotonic()
            with self.assertRaisesRegex(failures.ContestantStopped, "slow was not done after 1 s"):
                contestants.run("slow", ["bash", "-c", f"sleep 300 & echo $! > {path}; wait"], 1)
            self.assertLess(time.monotonic() - start, 30)
            with open(path) as file:
                child = int(file.read())
        for _ in range(100):
            try:
                # Ended, and perhaps not yet waited for.
                if pathlib.Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
                    return
            except FileNotFoundError:
                return
            time.sleep(0.1)
        self.fail("its child runs on")


class Ending(unittest.TestCase):
    def test_a_signal_ends_the_contestant_and_says_nothing(self):
        for ending in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with self.subTest(ending.name), tempfile.TemporaryDirectory() as directory:
                running = pathlib.Path(directory, "running")
                # Whether a contestant is started by mpirun or alone. The program is asked for its flags before.
                for name in ("mpirun", "program"):
                    fake = pathlib.Path(directory, name)
                    fake.write_text(f'#!/bin/sh\n[ "$3" != --help ] || exit 0\necho $$ >"{running}.new"; mv "{running}.new" "{running}"; exec sleep 600\n')
                    fake.chmod(0o755)
                # Where tests run in the background of a shell, some signals are ignored.
                bench = subprocess.Popen(
                    ["env", "--default-signal", sys.executable, "-B", os.path.join(ROOT, "launch/lib/bench"), "--root", ROOT, "--program", f"{directory}/program",
                     "--data", directory, "--only", "steps", "--models", "article", "--batches", "256", "--no-peers", "--arguments="],
                    env=os.environ | {"PATH": f"{directory}:{os.environ['PATH']}"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True)
                self.addCleanup(bench.kill)
                while not running.exists():
                    self.assertIsNone(bench.poll(), "ended by itself")
                    time.sleep(0.05)
                bench.send_signal(ending)
                output, errors = bench.communicate(timeout=60)
                self.assertEqual((bench.returncode, output), (128 + ending, ""))
                self.assertNotIn("Traceback", errors)
                self.assertFalse(os.path.exists(f"/proc/{running.read_text().strip()}"))


class Precision(unittest.TestCase):
    def test_the_program_is_asked(self):
        with tempfile.TemporaryDirectory() as scratch:
            program = os.path.join(scratch, "lockstep")
            for text, expected in (("--precision <precision>", True), ("--model <model>", False)):
                with open(program, "w") as file:
                    file.write(f"#!/bin/sh\n[ \"$*\" = 'bench step --help' ] && echo '{text}'\n")
                os.chmod(program, 0o755)
                self.assertEqual(contestants.has_precision(program), expected)

    def test_a_program_without_the_flag_does_not_get_it(self):
        for has_precision, flags in ((False, ()), (True, ("--precision", "fp32"))):
            options = types.SimpleNamespace(has_precision=has_precision)
            self.assertEqual(contestants.Lockstep("ours", options, 2).flags, flags)
            self.assertEqual(list(measure.lockstep_bf16(options)), ["bf16"] * has_precision)
        self.assertEqual(measure.lockstep_bf16(options)["bf16"].flags, ("--precision", "bf16"))


RUN = {"machine": "2 cores of Z", "date": "2026-01-02", "versions": "Lockstep at 1", "rounds": 3, "arguments": ""}


class Report(unittest.TestCase):
    def case(self, **more):
        rows = {
            "two": row("ours", 90, 100, 500, seconds_to_first_step=0.5, peak_resident_bytes=1e6),
            "a": peer("PyTorch eager", 10, 10, 99, seconds_to_first_step=3), "b": peer("JAX jit", 20, 19, 21, seconds_to_first_step=2),
            "c": peer("PyTorch bf16", 40, 40, 40, precision="bf16", seconds_to_first_step=4), **more}
        return report.Case("article", 32, rows)

    def test_the_best_peer_by_median_in_full_precision_and_at_any(self):
        case = self.case()
        self.assertEqual((case.full[1].name, report.over(case.full)), ("JAX jit", "**5.00 ×**"))
        self.assertEqual((case.any[0].name, case.any[1].name, report.over(case.any)), ("ours", "PyTorch bf16", "**2.50 ×**"))
        self.assertEqual(report.over(report.Case("article", 32, {"two": case.rows["two"]}).full), "–")

    def test_our_bf16_against_any_precision_alone(self):
        case = self.case(bf16=row("ours, bf16", 200, precision="bf16"))
        self.assertEqual((case.full[0].name, report.over(case.full)), ("ours", "**5.00 ×**"))
        self.assertEqual((case.any[0].name, report.over(case.any)), ("ours, bf16", "**5.00 ×**"))
        slower = self.case(bf16=row("ours, bf16", 50, precision="bf16"))
        self.assertEqual((slower.any[0].name, report.over(slower.any)), ("ours", "**2.50 ×**"))

    def test_a_best_fp32_peer_may_be_best_at_any_precision(self):
        case = self.case(c=peer("PyTorch bf16", 15, precision="bf16"))
        self.assertEqual(case.any[1].name, "JAX jit")

    def test_the_columns_name_the_modes(self):
        lines = report.against_peers([self.case(bf16=row("ours, bf16", 200, precision="bf16", others_share=0.031))]).splitlines()
        self.assertEqual(
            lines[2], "| article, 32 | 100 ± 234 | 20 ± 1 (JAX jit) | **5.00 ×** | 200 ± 0 | 40 ± 0 (PyTorch bf16) | **5.00 ×** | 3.1% |")
        self.assertEqual(lines[0].count("|"), lines[2].count("|"))
        alone = report.against_peers([report.Case("mlp", 256, {"two": row("ours", 100)})]).splitlines()[2]
        self.assertEqual(alone, "| mlp, 256 | 100 ± 0 | – | – | – | – | – | 0.0% |")

    def test_every_table_says_the_processor(self):
        tables = report.benchmarks(RUN, [self.case()], [self.whole()], report.nets)
        lines = tables.split("\n\n")
        for at, text in enumerate(lines):
            if text.startswith("|"):
                self.assertTrue(lines[at - 1].startswith("On 2 cores of Z, 2026-01-02: "), lines[at - 1])
        self.assertEqual(sum(text.startswith("|") for text in lines), 3)
        self.assertTrue(report.measured(RUN, [self.case()], []).startswith("On 2 cores of Z, 2026-01-02: "))

    def test_the_processor(self):
        with tempfile.NamedTemporaryFile("w") as file:
            for model in (17, 18):
                file.write(f"vendor_id\t: X\ncpu family\t: 25\nmodel\t\t: {model}\nmodel name\t: AMD EPYC\nflags\t: a b\n\n")
            file.flush()
            self.assertTrue(report.machine(file.name).endswith(" cores of AMD EPYC (family 25, model 17)"))
            file.truncate(0)
            self.assertTrue(report.machine(file.name).endswith(" cores of an unknown processor"))

    def test_what_is_disturbed_and_what_is_left_out_is_said(self):
        case = self.case(c=peer("PyTorch bf16", 40, precision="bf16", seconds_to_first_step=4, is_disturbed=True, others_share=0.2))
        case.probes = probes(Fake("JAX bf16", None), Fake("JAX jit", 1, first=0.25))
        run = RUN | report.probes({("article", 32): case.probes, ("mlp", 8): None})
        self.assertEqual(run["probes"], {"article, 32": {"JAX jit": {"samples_per_second": 1, "seconds_to_first_step": 0.25}}})
        tables = report.benchmarks(run, [case], [], report.nets)
        self.assertIn("| 40 ± 0 † (PyTorch bf16) |", tables)
        self.assertIn("Left out of article, 32: JAX bf16: ended with 1: ValueError: store timed out.", tables)
        self.assertIn("\n\n† Other processes took more than 5% ", tables)
        self.assertEqual(case.peers_first_step, 0.25)
        self.assertNotIn("†", report.benchmarks(RUN, [self.case()], [], report.nets))

    def whole(self):
        def made(name, seconds, precision="fp32", is_peer=True):
            one = Row(name, precision, is_peer)
            one.runs = [{"seconds": seconds, "test_accuracy": 0.99, "others_share": 0.01}]
            return one

        return [made("`train`, 2 ranks", 2.0, is_peer=False), made("`train bf16`, 2 ranks", 1.0, "bf16", False), made("Keras", 30.0),
                made("PyTorch eager", 20.0), made("PyTorch bf16", 10.0, "bf16")]

    def test_whole_processes_by_precision(self):
        lines = report.wholes([self.whole()]).splitlines()[2:]
        self.assertEqual([line.split(" | ")[2].strip() for line in lines], ["", "", "15.00 ×", "10.00 ×", "10.00 ×"])
        line = report.measured(RUN, [], [self.whole()]).splitlines()[-1]
        self.assertEqual(
            line, "| `train`, whole process, test accuracy 0.9900 | 2.0 s | 20.0 s (PyTorch eager) | 10.00 × | 1.0 s | 10.0 s (PyTorch bf16) | 10.00 × |")
        alone = report.measured(RUN, [], [self.whole()[:1]]).splitlines()[-1]
        self.assertEqual(alone, "| `train`, whole process, test accuracy 0.9900 | 2.0 s | – | – | 2.0 s | – | – |")

    def test_readme_has_both_comparisons(self):
        lines = report.measured(RUN, [self.case()], []).splitlines()
        self.assertEqual(
            lines[4], "| article, batch 32 | 100 samples/s | 20 samples/s (JAX jit) | 5.00 × | 100 samples/s | 40 samples/s (PyTorch bf16) | 2.50 × |")
        self.assertEqual(lines[5], "| process start to first step | 0.50 s | 2.0 s | 4.00 × |  |  |  |")

    def test_no_paths_among_the_arguments(self):
        self.assertEqual(report.without_files("--only nets --json /tmp/a.json --docs --rounds 3"), "--only nets --rounds 3")
        self.assertEqual(report.without_files("--json=/tmp/a.json"), "")

    def test_median_and_deviation(self):
        self.assertEqual(report.speed(row("ours", 1000, 2000, 6000)), "2,000 ± 2,646")
        self.assertEqual(report.speed(row("ours", 1000)), "1,000 ± 0")

    def test_between_the_marks_and_nowhere_else(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "page.md")
            with open(path, "w") as file:
                file.write("before\n<!-- launch/bench --docs -->\nold \\1\n<!-- end -->\nafter\n")
            report.replace(path, "new \\1")
            with open(path) as file:
                self.assertEqual(file.read(), "before\n<!-- launch/bench --docs -->\n\nnew \\1\n\n<!-- end -->\nafter\n")

    def test_a_failing_peer_is_left_out_and_lockstep_is_not(self):
        def body():
            raise stopped("PyTorch")

        for contestant in (PyTorch("PyTorch", None, None, 2, 1), JAX("JAX", None, None)):
            one = row("peer", 5)
            attempt(contestant, one, body)
            self.assertEqual(one.n, 1)
        with self.assertRaises(SystemExit) as end:
            attempt(object(), row("lockstep"), body)
        self.assertEqual(end.exception.code, 70)


unittest.main()
