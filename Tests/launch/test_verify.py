"""launch/verify without ranks: python3 Tests/launch/test_verify.py"""

import os
import unittest

from checkout import CheckoutTests


class VerifyTests(CheckoutTests):
    def counts(self):
        words = [line.split() for line in self.calls_made() if line.startswith("--mca")]
        return [int(call[call.index("-n") + 1]) for call in words]

    def test_compares_numbers_of_ranks(self):
        result = self.run_script("verify", "-n", "3,2,3", "--steps", "7", "--model", "mlp", TMPDIR=self.directory)
        self.assertEqual(result.returncode, 0, result.errors)
        self.assertEqual(self.counts(), [1, 2, 3])
        self.assertIn("this machine computes what one core computes: 3 runs of 7 steps", result.output)
        for call in self.calls_made()[1:]:
            self.assertRegex(call, r"train --model mlp --max-steps 7 --run-dir .*/run/\d --resume never$")
        self.assertFalse([name for name in os.listdir(self.directory) if "verify" in name])

    def test_names_the_number_of_ranks_that_differs(self):
        result = self.run_script("verify", "-n", "2,3", ODD="3")
        self.assertEqual(result.returncode, 1)
        self.assertIn("on 3 ranks", result.errors)
        self.assertNotIn("on 2 ranks", result.errors)
        self.assertNotIn("computes what", result.output)

    def test_names_the_host_that_differs(self):
        hosts = self.write("hosts", "localhost slots=2\nnode2 slots=3\n")
        # Cleans up over ssh, which here goes nowhere.
        settings = {"OMPI_MCA_plm_rsh_agent": "true"}
        result = self.run_script("verify", "--hostfile", hosts, **settings)
        self.assertEqual(result.returncode, 0, result.errors)
        self.assertEqual(self.counts(), [1, 1, 2, 5])
        self.assertIn("this cluster computes what one core computes: 4 runs", result.output)
        spread = ["--map-by node" in line for line in self.calls_made() if line.startswith("--mca")]
        self.assertEqual(spread, [False, False, True, True])
        result = self.run_script("verify", "--hostfile", hosts, ODD="node2", **settings)
        self.assertEqual(result.returncode, 1)
        self.assertIn("on node2 alone", result.errors)
        self.assertNotIn("over", result.errors)

    def test_a_run_that_fails_is_no_difference(self):
        for code, expected in ((65, 65), (1, 70), (137, 70)):
            result = self.run_script("verify", "-n", "2,3", ODD="2", ODD_CODE=str(code))
            self.assertEqual(result.returncode, expected)
            self.assertIn("the run on 2 ranks failed", result.errors)
        self.assertEqual(self.counts(), [1, 2] * 3)

    def test_refuses_what_it_cannot_read(self):
        for arguments in (["-n", "1,,2"], ["-n", "0"], ["--steps", "0"], ["--steps"]):
            result = self.run_script("verify", *arguments)
            self.assertEqual((result.returncode, result.errors.count("\n")), (64, 1))
        self.assertEqual(self.calls_made(), [])


if __name__ == "__main__":
    unittest.main()
