"""Hostfiles as people write them: python3 Tests/launch/test_hostfile.py

What is refused has file, line and name in one line, and nothing is started. What is taken is taken by the real mpirun too.
"""

import os
import shutil
import unittest

from checkout import CheckoutTests

# What a hostfile says, and what the line about it must hold.
REFUSED = {
    "localhost slots=1\nlocalhost slots=1\n": "line 2: localhost is there twice, first on line 1",
    "localhost\n# then\nLOCALHOST slots=2\n": "line 3: LOCALHOST is there twice",
    "localhost slots=2\nlocalhost\n": "line 2: localhost is there twice",
    "root@localhost slots=1\nlocalhost slots=1\n": "line 2: localhost is there twice",
    "localhost slots=two\n": "line 1: localhost: slots=two is",
    "localhost slots=0\n": "slots=0 is",
    "localhost slots=-1\n": "slots=-1 is",
    "localhost slots=99999999999999999999\n": "slots=99999999999999999999 is",
    "localhost slots=4294967298\n": "slots=4294967298 is",
    "localhost slots=2.5\n": "slots=2.5 is",
    "localhost slots='2'\n": "slots='2' is",
    "localhost slots=\n": "'slots' is no setting",
    "localhost slots\n": "'slots' is no setting",
    "localhost 2\n": "'2' is no setting",
    "localhost slot=2\n": "no setting 'slot'",
    "localhost foo=2\n": "no setting 'foo'",
    "localhost slots=4 max_slots=2\n": "slots=4 is more than its max_slots=2",
    "localhost max_slots=x\n": "max_slots=x is",
    "localhost username=a;b\n": "'a;b' is no user's name",
    "localhost slots=1\n-oProxyCommand=x slots=1\n": "line 2: '-oProxyCommand' is no host's name",
    "-n slots=1\n": "'-n' is no host's name",
    "user@-x slots=1\n": "'user@-x' is no host's name",
    "touch${IFS}x;|e; slots=1\n": "'touch${IFS}x;|e;' is no host's name",
    "$(id)\n": "'$(id)' is",
    "a[$(id)] slots=1\n": "'a[$(id)]' is",
    "*\n": "'*' is",
    "a;b\n": "'a;b' is",
    "a`id`\n": "'a`id`' is",
    "a|e\n": "'a|e' is",
    "a\\nb\n": r"'a\nb' is",
    "é\n": "'é' is",
    "localhost:2\n": "'localhost:2' is",
    "node1,node2 slots=2\n": "'node1,node2' is",
    "\x1b[31mred slots=2\n": r"'\E[31mred' is",
    "\u202eevil slots=2\n": r"\342\200\256evil' is",
    "n" * 254 + " slots=1\n": "is no host's name",
    "= slots=2\n": "'=' is",
}

# And of what is taken, the ranks.
TAKEN = {
    "localhost slots=2\r\n": 2,
    "# two\r\n\r\nlocalhost slots=2 # fat\r\n": 2,
    "localhost slots = 2\n": 2,
    "localhost slots= 2": 2,
    "\ufefflocalhost slots=2\n": 2,
    "\tlocalhost\tslots=2\tmax_slots=3\n": 2,
    "localhost cpu=2\n": 2,
    "localhost slots=02 max-slots=4\n": 2,
    "localhost\nlocalhost\nlocalhost\n": 3,
    "127.0.0.1 slots=2\n": 2,
    "root@localhost slots=2\n": 2,
    "LocalHost slots=1\n": 1,
}


class HostfileTests(CheckoutTests):
    def test_refuses_by_file_line_and_name(self):
        for text, expected in REFUSED.items():
            for script in ("train", "verify", "hosts"):
                with self.subTest(text=text, script=script):
                    file = self.write("hosts", text)
                    result = self.run_script(script, *(["--hostfile"] if script != "hosts" else []), file)
                    self.assertEqual((result.returncode, result.errors.count("\n")), (64, 1), result.errors)
                    self.assertIn(f"launch/{script}: {file}, line ", result.errors)
                    self.assertIn(expected, result.errors)
                    self.assertTrue(result.errors[:-1].isprintable(), result.errors)
        self.assertEqual(self.calls_made(), [])
        print(f"{len(REFUSED) * 3} hostfiles refused")

    def test_the_real_mpirun_takes_what_is_taken(self):
        os.remove(os.path.join(self.directory, "tools", "mpirun"))
        self.write("a checkout/launch/build", "#!/bin/sh\necho echo\n")
        for text, ranks in TAKEN.items():
            with self.subTest(text=text):
                result = self.run_script("train", "--hostfile=" + self.write("hosts", text))
                self.assertEqual((result.returncode, result.errors), (0, ""))
                self.assertEqual(result.output.replace("\r", ""), "train\n" * ranks)
        print(f"{len(TAKEN)} hostfiles taken")

    def test_the_real_mpirun_takes_names_with_underscores(self):
        """The agent is asked for the host: without `regx naive`, mpirun refuses the name and lets it out as something else."""
        os.remove(os.path.join(self.directory, "tools", "mpirun"))
        self.write("tools/agent", "#!/bin/sh\necho \"agent $1\" >>\"$CALLS\"\nexit 1\n")
        for host in ("node_1", "gpu_2_3", "a_b", "n1_"):
            with self.subTest(host):
                open(self.calls, "w").close()
                hosts = self.write("hosts", f"{host} slots=2\n")
                result = self.run_script("train", "--hostfile", hosts, OMPI_MCA_plm_rsh_agent="agent")
                self.assertEqual((result.returncode, result.errors.count("\n")), (70, 1), result.errors)
                self.assertNotIn("regular expression", result.errors)
                self.assertIn(f"agent {host}", self.calls_made())

    def test_more_ranks_than_slots(self):
        for text, slots in (("localhost slots=1\n", 1), ("a slots=2\nb slots=3\n", 5), ("a\na\n", 2), ("a slots=999999\n", 999999)):
            hosts = self.write("hosts", text)
            for script in ("train", "verify"):
                result = self.run_script(script, "--hostfile", hosts, "-n", str(slots + 1), "--global-batch", "4096")
                self.assertEqual((result.returncode, result.errors.count("\n")), (64, 1), result.errors)
                if slots < 999999:
                    self.assertIn(f"-n {slots + 1} is more ranks than the slots in {hosts}, which are {slots}", result.errors)
        result = self.run_script("verify", "--hostfile", self.write("hosts", "localhost slots=2\n"), "-n", "1,3,2")
        self.assertEqual(result.returncode, 64)
        self.assertEqual(self.calls_made(), [])

    def test_arguments(self):
        hosts = self.write("hosts", "localhost slots=2\n")
        cases = (["--hostfile", ""], ["--hostfile="], ["--hostfile"], ["-n", ""], ["-np", ""], ["-n=2"], ["-n2"], ["-np2"], ["-np=2"],
                 ["-n", "99999999999999999999"], ["-n", "1000000"], ["-n", "1\n2"], ["-n", "-1"])
        for arguments in cases:
            for script in ("train", "verify"):
                with self.subTest(arguments=arguments, script=script):
                    result = self.run_script(script, *arguments)
                    self.assertEqual((result.returncode, result.errors.count("\n")), (64, 1), result.errors)
        self.assertEqual(self.calls_made(), [])
        result = self.run_script("train", f"--hostfile={hosts}")
        self.assertEqual((result.returncode, result.errors), (0, ""))
        self.assertIn(" -n 2 --hostfile ", self.calls_made()[-1])
        print(f"{len(cases) * 2} arguments refused")

    def test_files_that_are_none(self):
        fifo = os.path.join(self.directory, "fifo")
        os.mkfifo(fifo)
        for file, code, words in ((self.directory, 66, "no regular file"), (fifo, 66, "no regular file"), ("/nowhere", 66, "no such"),
                                  (self.write("empty", "\r\n# nobody\r\n"), 65, "names no host"),
                                  ("two\nlines", 66, r"two\nlines")):
            result = self.run_script("train", "--hostfile", file)
            self.assertEqual((result.returncode, result.errors.count("\n")), (code, 1), result.errors)
            self.assertIn(words, result.errors)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "takes root to become another")
    def test_no_permission_is_not_absence(self):
        os.chmod(self.directory, 0o755)
        hosts = self.write("hosts", "localhost\n")
        os.chmod(hosts, 0)
        result = self.run_as("setpriv", "--reuid", "12345", "--clear-groups", os.path.join(self.root, "launch/train"), "--hostfile", hosts)
        self.assertEqual((result.returncode, result.errors.count("\n")), (66, 1), result.errors)
        self.assertIn("no permission", result.errors)


if __name__ == "__main__":
    unittest.main()
