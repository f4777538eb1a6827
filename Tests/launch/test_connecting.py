"""A rank that dies while it connects, under mpirun alone and under launch/train: python3 Tests/launch/test_connecting.py

Of such a rank mpirun never hears, and waits for ever. Needs a C compiler (clang, which Swift brings).
"""

import os
import subprocess
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


class ConnectingTests(unittest.TestCase):
    def test_it_ends_the_job(self):
        # The cases of the slow test, which names what it found and fails with 1. Seconds each.
        outcome = subprocess.run(
            [os.path.join(ROOT, "Tests", "slow", "endings"), "while it connects"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        self.assertEqual(outcome.returncode, 0, outcome.stdout)
        self.assertEqual(outcome.stdout.count("passed  "), 4, outcome.stdout)


if __name__ == "__main__":
    unittest.main()
