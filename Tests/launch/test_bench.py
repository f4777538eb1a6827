"""launch/bench's report, on figures made up: python3 Tests/launch/test_bench.py"""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "launch", "lib", "bench"))
import failures
import report
from measure import Row, attempt
from contestants import PyTorch

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


def row(name, *speeds):
    made = Row(name)
    made.runs = [{"samples_per_second": speed} for speed in speeds]
    return made


class TellingLine(unittest.TestCase):
    def test_of_a_rank_and_not_of_its_launcher(self):
        self.assertEqual(failures.telling_line(TORCHRUN), "ValueError: store timed out")

    def test_without_an_error(self):
        self.assertEqual(failures.telling_line("one\ntwo\n=====\n\n"), "two")
        self.assertEqual(failures.telling_line("====\n"), "")


class Report(unittest.TestCase):
    def test_the_better_peer_by_median(self):
        rows = {"two": row("ours", 90, 100, 500), "ddp": row("DDP", 10, 10, 99), "threads": row("threads", 20, 19, 21)}
        case = report.Case("article", 32, rows)
        self.assertEqual(case.peer.name, "threads")
        self.assertEqual(case.over_peer, "**5.00 ×**")
        self.assertEqual(report.Case("article", 32, {"two": rows["two"]}).over_peer, "–")

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
        class Done:
            returncode, stderr = 1, TORCHRUN

        def body():
            raise failures.ContestantFailed("PyTorch", Done)

        peer = row("PyTorch", 5)
        attempt(PyTorch("PyTorch", None, None, 2, 1), peer, body)
        self.assertEqual(peer.n, 1)
        with self.assertRaises(SystemExit) as end:
            attempt(object(), row("lockstep"), body)
        self.assertEqual(end.exception.code, 70)


unittest.main()
