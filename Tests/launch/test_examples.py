"""The examples of docs/examples, a package of its own that depends on Lockstep: python3 Tests/launch/test_examples.py

Each is built as a user would, trains on real data on one rank alone and on three under mpirun, and gives one digest.
"""

import os
import re
import subprocess
import unittest

REPOSITORY = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
EXAMPLES = os.path.join(REPOSITORY, "docs", "examples")
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


class ExampleTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = os.path.join(REPOSITORY, ".build", "examples")
        build = subprocess.run(
            ["swift", "build", "--package-path", EXAMPLES, "--scratch-path", scratch, "-c", "release", "-Xcc", "-march=native"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1200)
        if build.returncode:
            raise AssertionError(build.stdout[-3000:])
        cls.programs = os.path.join(scratch, "release")

    def run_example(self, name, ranks=None, **settings):
        command = [os.path.join(self.programs, name)]
        if ranks:
            command = ["mpirun", "--quiet", "--oversubscribe", "-n", str(ranks), *command]
        return subprocess.run(command, env=os.environ | ROOT | settings, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300)

    def test_one_digest_on_any_ranks(self):
        names = sorted(name for name in os.listdir(EXAMPLES) if os.path.isdir(os.path.join(EXAMPLES, name)) and name[0] != ".")
        self.assertEqual(names, ["own-dataset", "own-layer", "own-net", "own-observer"])
        for name in names:
            with self.subTest(name):
                digests = set()
                for ranks in (None, 3):
                    result = self.run_example(name, ranks)
                    self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
                    digests.update(re.findall(r"weights digest: ([0-9a-f]{64})", result.stdout))
                self.assertEqual(len(digests), 1, result.stdout)
                # What it learns is learnt: the accuracy of classes, the loss of the function.
                accuracy = re.findall(r"^Test accuracy: ([\d.]+)", result.stdout, re.MULTILINE)
                if name == "own-observer":
                    rows = [line.split(",") for line in result.stdout.splitlines() if re.match(r"\d+,", line)]
                    self.assertEqual([row[0] for row in rows], ["1", "2", "3"])
                    self.assertGreater(float(rows[-1][4]), float(rows[-1][3]), "the second likeliest is right, too, at times")
                elif name != "own-dataset":
                    self.assertGreater(float(accuracy[-1]), 0.95, result.stdout)

    def test_a_net_in_25_lines(self):
        with open(os.path.join(EXAMPLES, "own-net", "main.swift")) as file:
            self.assertLessEqual(len(file.readlines()), 25)

    def test_an_error_is_one_line_with_its_code(self):
        for ranks in (None, 3):
            result = self.run_example("own-net", ranks, XDG_CACHE_HOME="/nowhere")
            lines = [line for line in result.stderr.splitlines() if line.startswith("lockstep: ")]
            self.assertEqual((result.returncode, len(lines)), (66, 1), result.stderr)


if __name__ == "__main__":
    unittest.main()
