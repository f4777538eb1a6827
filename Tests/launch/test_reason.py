"""What mpirun says where lockstep says nothing, in one line, by the real mpirun: python3 Tests/launch/test_reason.py

The program that launch/build would print is a script that does what the case needs.
"""

import os
import socket
import subprocess
import unittest

from checkout import CheckoutTests


class ReasonTests(CheckoutTests):
    def setUp(self):
        super().setUp()
        os.remove(os.path.join(self.directory, "tools", "mpirun"))
        self.program("echo trained")

    def program(self, commands):
        path = self.write("program", "#!/bin/bash\n" + commands + "\n")
        self.write("a checkout/launch/build", f"#!/bin/sh\necho '{path}'\n")

    def one_line(self, code, words, *arguments, **settings):
        result = self.run_script("train", *arguments, **settings)
        self.assertEqual((result.returncode, result.errors.count("\n")), (code, 1), result.errors)
        self.assertIn(words, result.errors)
        self.assertTrue(result.errors[:-1].isprintable(), result.errors)
        self.assertLess(len(result.errors.encode()), 700)
        return result

    def test_of_a_job_that_does_not_start(self):
        elsewhere = self.write("elsewhere", "127.0.0.2 slots=2\n")
        itself = self.write("itself", f"localhost slots=1\n{socket.gethostname()} slots=1\n")
        self.write("tools/lost", "#!/bin/sh\nprintf 'ssh: connect to host %s port 22: Connection refused\\r\\n' \"$1\" >&2; exit 255\n")
        self.write("tools/unknown", "#!/bin/sh\necho \"ssh: Could not resolve hostname $1: Name or service not known\" >&2; exit 255\n")
        self.write("tools/keyless", "#!/bin/sh\necho \"joe@$1: Permission denied (publickey,password).\" >&2; exit 255\n")
        self.write("tools/bare", "#!/bin/sh\necho 'bash: line 1: orted: command not found' >&2; exit 127\n")
        cases = [
            ("contains multiple definitions of the slot count for at least one node", itself, {}),
            ("ssh: connect to host 127.0.0.2 port 22: Connection refused", elsewhere, {"OMPI_MCA_plm_rsh_agent": "lost"}),
            ("Name or service not known", elsewhere, {"OMPI_MCA_plm_rsh_agent": "unknown"}),
            ("Permission denied (publickey,password).", elsewhere, {"OMPI_MCA_plm_rsh_agent": "keyless"}),
            ("orted: command not found", elsewhere, {"OMPI_MCA_plm_rsh_agent": "bare"}),
            ("unable to reliably start one or more daemons.", elsewhere, {"OMPI_MCA_plm_rsh_agent": "false"}),
            ("could not be found: plm_rsh_agent: no-such-ssh", elsewhere, {"OMPI_MCA_plm_rsh_agent": "no-such-ssh"}),
        ]
        for words, hosts, settings in cases:
            with self.subTest(words):
                result = self.one_line(70, words, "--hostfile", hosts, **settings)
                self.assertTrue(result.errors.startswith("launch/train: mpirun: "), result.errors)
        # Slots that only mpirun counts.
        self.one_line(70, "not enough slots available", "--hostfile", self.write("hosts", "localhost\n"), "-n", "4096",
                      "--global-batch", "131072")
        os.remove(os.path.join(self.directory, "program"))
        self.one_line(70, f"could not access or execute an executable: Executable: {self.directory}/program")
        print(f"{len(cases) + 2} reasons")

    def test_lockstep_has_the_word(self):
        """What it says comes through, first and alone; its code stays; of mpirun's words nothing is seen."""
        for code in (64, 65, 66, 70, 73, 75):
            with self.subTest(code):
                # libevent's words, as a storm of signals once drew them out of mpirun.
                self.program("echo '[warn] Epoll MOD(1) on fd 26 failed. Old events were 6' >&2\n"
                             f"[[ $OMPI_COMM_WORLD_RANK != 0 ]] || echo 'lockstep: because' >&2; exit {code}")
                result = self.run_script("train", "-n", "2")
                self.assertEqual((result.returncode, result.errors), (code, "lockstep: because\n"))

    def test_of_a_killed_rank(self):
        self.program("kill -KILL $$")
        self.one_line(70, "killed by signal 9", "-n", "1")

    def test_lines_come_at_once_and_none_is_lost(self):
        self.program("""
          [[ $OMPI_COMM_WORLD_RANK == 0 ]] || exit 0
          dashes=$(printf -- '-%.0s' {1..74})
          echo 'Fatal error: no frame' >&2
          echo "$dashes" >&2; echo 'lockstep: between' >&2; echo '{"time": "now"}' >&2; echo 'of a frame' >&2; echo "$dashes" >&2
          for i in {1..500}; do echo "line $i" >&2; done
          printf 'lockstep: without an end' >&2
          while [[ ! -e go ]]; do sleep 0.05; done""")
        process = self.start("train", "-n", "2")
        lines = [process.stderr.readline() for _ in range(503)]
        # The rank still waits.
        self.assertIsNone(process.poll())
        self.write("go", "")
        output, rest = process.communicate(timeout=30)
        first = ["Fatal error: no frame\n", "lockstep: between\n", '{"time": "now"}\n']
        self.assertEqual(lines, first + [f"line {i}\n" for i in range(1, 501)])
        self.assertEqual((process.returncode, rest), (0, "lockstep: without an end\n"))

    def test_who_keeps_the_pipe_open_does_not_keep_the_launcher(self):
        self.write("tools/mpirun", "#!/bin/bash\nsleep 30 & echo $! >>\"$CALLS\"\necho 'lockstep: bad' >&2\nexit 65\n")
        # Not to a pipe, which the sleeper would keep open for us too.
        path = os.path.join(self.directory, "errors")
        with open(path, "w") as errors:
            process = subprocess.Popen([os.path.join(self.root, "launch/train"), "-n", "1"], env=self.environment({}),
                                       stdout=subprocess.DEVNULL, stderr=errors)
            self.assertEqual(process.wait(timeout=25), 65)
        os.kill(int(self.calls_made()[-1]), 9)
        with open(path) as errors:
            self.assertEqual(errors.read(), "lockstep: bad\n")

    def test_verbose_lets_all_through(self):
        hosts = self.write("elsewhere", "127.0.0.2 slots=2\n")
        result = self.run_script("train", "--hostfile", hosts, LOCKSTEP_VERBOSE="1", OMPI_MCA_plm_rsh_agent="false")
        self.assertEqual(result.returncode, 70)
        self.assertIn("* not finding the required libraries", result.errors)

    def test_nothing_is_left(self):
        temporary = os.path.join(self.directory, "temporary")
        os.mkdir(temporary)
        result = self.run_script("train", "--hostfile", self.write("hosts", "localhost slots=2\n"), TMPDIR=temporary)
        self.assertEqual((result.returncode, result.errors), (0, ""))
        self.assertEqual([name for name in os.listdir(temporary) if not name.startswith("ompi.")], [])


if __name__ == "__main__":
    unittest.main()
