"""launch/train without ranks: python3 Tests/launch/test_train.py"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from checkout import REPOSITORY, CheckoutTests, jobs


class TrainTests(CheckoutTests):
    def mpirun_call(self):
        (call,) = [line for line in self.calls_made() if line.startswith("--mca")]
        return call

    def test_hands_on_the_arguments(self):
        result = self.run_script("train", "-n", "3", "--model", "mlp", "--run-dir", "a b")
        self.assertEqual(result.returncode, 0, result.errors)
        self.assertRegex(self.mpirun_call(), r" -n 3( --oversubscribe)? /the/program train --model mlp --run-dir a b$")
        self.assertIn("fetch mnist", self.calls_made())

    def test_starts_federated_training(self):
        result = self.run_script("train", "federate", "-n", "3", "--rounds", "2")
        self.assertEqual(result.returncode, 0, result.errors)
        self.assertRegex(self.mpirun_call(), r" -n 3( --oversubscribe)? /the/program federate --rounds 2$")
        self.assertIn("fetch mnist", self.calls_made())
        hosts = self.write("hosts", "node1 slots=12\n")
        for arguments, expected in ([], " -n 10 "), (["--clients", "400"], " -n 12 "):
            open(self.calls, "w").close()
            self.run_script("train", "federate", "--hostfile", hosts, *arguments)
            self.assertIn(expected, self.mpirun_call())

    def test_counts_cores_where_lscpu_cannot(self):
        """In a container without /sys it says nothing; on some machines there is none."""
        for text in ("exit 1", "exit 0", "echo '# no cores'"):
            with self.subTest(text=text):
                open(self.calls, "w").close()
                self.write("tools/lscpu", f"#!/bin/sh\n{text}\n")
                result = self.run_script("train")
                self.assertEqual((result.returncode, result.errors), (0, ""))
                self.assertIn(f" -n {min(len(os.sched_getaffinity(0)), 8)} ", self.mpirun_call())

    def test_fetches_only_what_it_knows(self):
        self.run_script("train", "--data=fashion-mnist")
        self.run_script("train", "--data", "/a/directory")
        self.assertEqual([line for line in self.calls_made() if line.startswith("fetch")], ["fetch fashion-mnist"])

    def test_takes_the_slots_of_a_hostfile_up_to_the_microbatches(self):
        hosts = self.write("hosts", "# two\nnode1 slots=6\n\nnode2 slots=6 # fat\n")
        uncounted = self.write("uncounted", "node1\nnode2 slots=6\n")
        for file, arguments, expected in (
            (hosts, [], " -n 8 "), (hosts, ["--global-batch", "96"], " -n 12 "), (hosts, ["-n", "2"], " -n 2 "),
            (uncounted, [], None)):
            with self.subTest(file=file, arguments=arguments):
                open(self.calls, "w").close()
                self.run_script("train", "--hostfile", file, *arguments)
                self.assertIn(" --hostfile /dev/fd/", self.mpirun_call())
                self.assertNotIn("--oversubscribe", self.mpirun_call())
                if expected:
                    self.assertIn(expected, self.mpirun_call())
                else:
                    self.assertNotIn(" -n ", self.mpirun_call())

    def test_reads_a_hostfile_as_people_write_it(self):
        """With carriage returns, with blanks around the equals sign, in either form of the option."""
        self.write("tools/mpirun", "#!/bin/bash\nprintf '%s\\n' \"$*\" >>\"$CALLS\"\n"
                   "for ((i = 1; i < $#; i++)); do j=$((i + 1)); [[ ${!i} != --hostfile ]] || cat \"${!j}\" >>\"$CALLS\"; done\n")
        file = self.write("hosts", "localhost slots = 2\r\nnode_01 slots=1\r\n")
        for arguments in (["--hostfile", file], [f"--hostfile={file}"]):
            with self.subTest(arguments=arguments):
                open(self.calls, "w").close()
                result = self.run_script("train", *arguments)
                self.assertEqual((result.returncode, result.errors), (0, ""))
                self.assertIn(" -n 3 ", self.mpirun_call())
                self.assertIn("--mca regx naive", self.mpirun_call())
                self.assertEqual(self.calls_made()[-2:], ["localhost slots=2", "node_01 slots=1"])

    def test_other_hosts_get_what_decides_the_bits(self):
        hosts = self.write("hosts", "node1 slots=1\nnode2 slots=1\n")
        self.run_script("train", "--hostfile", hosts, OPENBLAS_CORETYPE="Haswell", XDG_CACHE_HOME="/shared",
                        LOCKSTEP_EPOCHS="2")
        self.assertIn("-x LOCKSTEP_EPOCHS", self.mpirun_call())
        self.assertIn("-x OPENBLAS_CORETYPE", self.mpirun_call())
        self.assertIn("-x XDG_CACHE_HOME", self.mpirun_call())
        self.assertNotIn("-x PATH", self.mpirun_call())

    def test_refuses_before_anything_starts(self):
        empty = self.write("empty", "# nobody\n")
        one = self.write("one", "localhost slots=1\n")
        for code, arguments in (
            (64, ["-n"]), (64, ["-n", "0"]), (64, ["-n", "two"]), (66, ["--hostfile", "/nowhere"]),
            (65, ["--hostfile", empty]), (64, ["--hostfile", one, "-n", "2"]), (64, ["-n", "2", f"--hostfile={one}"]),
            (64, ["--hostfile", ""]), (64, ["--hostfile="]), (64, ["-n", ""]), (64, ["-n=2"]),
            (64, ["--hostfile", one, "-n", "99999999999999999999"])):
            with self.subTest(arguments=arguments):
                result = self.run_script("train", *arguments)
                self.assertEqual((result.returncode, result.errors.count("\n")), (code, 1))
        self.assertEqual(self.calls_made(), [])

    def test_ends_as_lockstep_does(self):
        for code in (0, 64, 65, 66, 70, 73, 75):
            result = self.run_script("train", CODE=str(code))
            self.assertEqual((result.returncode, result.errors), (code, ""))
        for code, expected in ((137, 70), (1, 70), (9, 70)):
            result = self.run_script("train", CODE=str(code))
            self.assertEqual((result.returncode, result.errors.count("\n")), (expected, 1))

    def test_hands_on_signals_and_waits_for_the_job(self):
        for sent in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                     signal.SIGQUIT):
            with self.subTest(sent.name):
                open(self.calls, "w").close()
                process = self.start("train", WAIT="1")
                self.wait_for("ready")
                process.send_signal(sent)
                output, _ = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 75)
                self.assertIn("weights digest", output)
                self.assertIn("USR2" if sent == signal.SIGUSR2 else "asked", self.calls_made())

    def test_stopped_before_the_ranks_are_there(self):
        self.write("a checkout/launch/build", '#!/bin/sh\necho building >>"$CALLS"; sleep 1; echo /the/program\n')
        process = self.start("train")
        self.wait_for("building")
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 75)
        self.assertFalse([line for line in self.calls_made() if line.startswith("--mca")])


class RealTests(unittest.TestCase):
    """launch/train with the real mpirun and the built program, on two ranks."""

    @classmethod
    def setUpClass(cls):
        program = jobs.built_program()
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-real-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        shutil.copytree(os.path.join(REPOSITORY, "launch"), cls.directory / "checkout" / "launch")
        for name, text in (("setup", ""), ("fetch", ""), ("build", f"echo '{program}'\n")):
            script = cls.directory / "checkout" / "launch" / name
            script.write_text("#!/bin/sh\n" + text)
            script.chmod(0o755)
        data = jobs.write_small_data(cls.directory / "data")
        cls.train = [cls.directory / "checkout" / "launch" / "train", "-n", "2", "--data", data, *jobs.RECIPE[:6]]
        # No machine is so fast that it ends before it is stopped.
        cls.endless = [*cls.train, "--epochs", "1000000", "--checkpoint-every", "100000000steps"]
        # A second or two of it.
        cls.part = [*cls.endless, "--max-steps", "6000"]
        cls.digest = jobs.run([*cls.part, "--run-dir", cls.directory / "whole"]).digest

    def run_directory(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.directory)) / "run"

    def ended(self, job, run):
        """What every stopped job must be: one line, 75, and a checkpoint where there was something to save."""
        outcome = job.wait()
        self.assertEqual((outcome.code, len(outcome.error_lines)), (75, 1), str(outcome))
        if "at step " in outcome.errors and "at step 0" not in outcome.errors:
            self.assertTrue(list((run / "checkpoints").glob("step-*.safetensors")), "nothing was saved")

    def stopped(self, *signals, after):
        """A run that gets these signals, a twentieth of a second apart, that long after its start; it must be stopped."""
        run = self.run_directory()
        job = jobs.Job([*self.endless, "--run-dir", run], limit=60)
        time.sleep(after)
        for number, sent in enumerate(signals):
            time.sleep(0.05 if number else 0)
            os.kill(job.process.pid, sent)
        self.ended(job, run)
        return run

    def goes_on(self, run):
        """A run that was stopped must end with the weights of the run that nothing stopped."""
        resumed = jobs.run([*self.part, "--run-dir", run])
        self.assertEqual((resumed.code, resumed.digest), (0, self.digest), str(resumed))

    def test_a_stop_at_any_moment(self):
        cases = 0
        for sent in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            for after in (0.02, 0.1, 0.25, 0.6):
                with self.subTest(signal=sent.name, after=after):
                    run = self.stopped(sent, after=after)
                cases += 1
        self.goes_on(run)
        print(f"{cases} stops", file=sys.stderr)

    def test_the_job_stops_with_its_launcher(self):
        """Whatever the launcher dies of, and of what it would have died of."""
        for sent in (signal.SIGPIPE, signal.SIGALRM):
            self.stopped(sent, after=0.8)
        run, temporary = self.run_directory(), tempfile.mkdtemp(dir=self.directory)
        # Nobody reads from a pipe here, and mpirun would wait for a reader.
        job = jobs.Job(["bash", "-c", 'exec "$0" "$@" >/dev/null', *self.endless, "--run-dir", run], limit=60, TMPDIR=temporary)
        self.addCleanup(job.kill)
        time.sleep(0.8)
        os.kill(job.process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while job.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(job.processes(), [])
        self.assertTrue(list((run / "checkpoints").glob("step-*.safetensors")), "nothing was saved")
        self.assertEqual(os.listdir(temporary), [])

    def test_a_second_signal_loses_nothing(self):
        for sent in (signal.SIGTERM, signal.SIGINT):
            run = self.stopped(sent, sent, after=0.8)
        self.goes_on(run)

    def test_suspended_and_continued(self):
        job = jobs.Job([*self.part, "--run-dir", self.run_directory()], limit=60)
        time.sleep(0.6)
        os.kill(job.process.pid, signal.SIGTSTP)
        time.sleep(1)
        self.assertIsNone(job.process.poll())
        os.kill(job.process.pid, signal.SIGCONT)
        outcome = job.wait()
        self.assertEqual((outcome.code, outcome.errors, outcome.digest), (0, "", self.digest))

    def test_a_checkpoint_asked_for_at_any_moment(self):
        """Before there is anything to save, nobody dies of it."""
        for after in (0.02, 0.1, 0.3, 0.6):
            with self.subTest(after=after):
                run = self.run_directory()
                job = jobs.Job([*self.part, "--run-dir", run], limit=60)
                time.sleep(after)
                os.kill(job.process.pid, signal.SIGUSR2)
                outcome = job.wait()
                self.assertEqual((outcome.code, outcome.errors, outcome.digest), (0, "", self.digest))

    def test_a_hang_up_that_is_ignored(self):
        job = jobs.Job(["nohup", *self.part, "--run-dir", self.run_directory()], limit=60)
        time.sleep(0.6)
        # A terminal hangs up on the group of the launcher, and mpirun has its own.
        os.kill(job.process.pid, signal.SIGHUP)
        outcome = job.wait()
        self.assertEqual((outcome.code, outcome.digest), (0, self.digest), str(outcome))

    def test_leaves_the_input_alone(self):
        short = " ".join(f"'{word}'" for word in [*self.train, "--epochs", "1"])
        outcome = subprocess.run(
            ["bash", "-c", f"n=0; while read s; do {short} --run-dir {self.run_directory()}-$s >/dev/null; n=$((n + 1)); done; echo $n"],
            input="1\n2\n3\n", capture_output=True, text=True, timeout=60,
            env=os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})
        self.assertEqual((outcome.stdout, outcome.stderr), ("3\n", ""))

    def test_closed_descriptors(self):
        short = " ".join(f"'{word}'" for word in [*self.train, "--epochs", "1"])
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                run = self.run_directory()
                outcome = jobs.run(["bash", "-c", f"{short} --run-dir {run} {closed}"])
                self.assertEqual((outcome.code, outcome.errors), (0, ""))
                self.assertTrue((run / "summary.json").exists())
                self.assertRegex((run / "lock").read_text(), r"\Aprocess \d+ on \S+\n\Z")


if __name__ == "__main__":
    unittest.main()
