"""launch/slurm.sbatch without Slurm: python3 Tests/launch/test_slurm.py"""

import os
import signal
import unittest

from checkout import CheckoutTests


class SlurmTests(CheckoutTests):
    def setUp(self):
        super().setUp()
        self.write("tools/scontrol", "#!/bin/sh\necho \"scontrol $*\" >>\"$CALLS\"\nexit ${REFUSED:-0}\n")
        # Slurm runs a copy.
        with open(os.path.join(self.root, "launch/slurm.sbatch")) as file:
            self.script = self.write("spool/slurm_script", file.read())
        self.job = {"SLURM_JOB_ID": "7", "SLURM_SUBMIT_DIR": self.root, "SLURM_TASKS_PER_NODE": "2(x2),3"}

    def mpirun_call(self):
        (call,) = [line for line in self.calls_made() if line.startswith("--mca")]
        return call

    def test_takes_its_size_and_directory_from_the_job(self):
        result = self.run_script(self.script, "--global-batch", "256", **self.job)
        self.assertEqual(result.returncode, 0, result.errors)
        self.assertRegex(self.mpirun_call(), r" -n 7 /the/program train --run-dir runs/slurm-7 --global-batch 256$")
        self.assertIn("job 7, start 1,", result.output)
        self.assertFalse([line for line in self.calls_made() if line.startswith("scontrol")])

    def test_keeps_the_directory_that_it_is_given(self):
        for argument in (["--run-dir", "mine"], ["--run-dir=mine"]):
            open(self.calls, "w").close()
            self.run_script(self.script, *argument, **self.job)
            self.assertNotIn("slurm-7", self.mpirun_call())

    def test_a_signal_goes_to_mpirun_and_the_job_back_into_the_queue(self):
        process = self.start(self.script, WAIT="1", SLURM_RESTART_COUNT="2", **self.job)
        self.wait_for("ready")
        process.send_signal(signal.SIGUSR1)
        output, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, errors), (75, ""))
        self.assertIn(self.calls_made()[-2], ("asked", "USR1"))
        self.assertEqual(self.calls_made()[-1], "scontrol requeue 7")
        self.assertIn("job 7, start 3,", output)

    def test_only_what_stopped_after_a_checkpoint_is_requeued(self):
        for code in (0, 64, 65, 70, 73):
            self.assertEqual(self.run_script(self.script, CODE=str(code), **self.job).returncode, code)
        self.assertFalse([line for line in self.calls_made() if line.startswith("scontrol")])
        result = self.run_script(self.script, CODE="75", REFUSED="1", **self.job)
        self.assertEqual(result.returncode, 75)
        self.assertIn("submit it again", result.errors)

    def test_refuses_where_there_is_no_checkout_or_job(self):
        for settings in ({}, {"SLURM_JOB_ID": "7"}, self.job | {"SLURM_SUBMIT_DIR": "/"}):
            result = self.run_script(self.script, **settings)
            self.assertEqual((result.returncode, result.errors.count("\n")), (66, 1))
        result = self.run_script(self.script, **(self.job | {"SLURM_SUBMIT_DIR": "/", "LOCKSTEP_CHECKOUT": self.root}))
        self.assertEqual(result.returncode, 0, result.errors)


if __name__ == "__main__":
    unittest.main()
