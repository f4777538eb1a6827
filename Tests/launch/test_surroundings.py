"""Surroundings that are not as usual, with the real mpirun: python3 Tests/launch/test_surroundings.py

The program that launch/build would print is a script. Every error is one line, and no job hangs.
"""

import os
import shutil
import subprocess
import unittest

from checkout import CheckoutTests, REPOSITORY


class SurroundingsTests(CheckoutTests):
    def setUp(self):
        super().setUp()
        os.remove(os.path.join(self.directory, "tools", "mpirun"))
        os.chmod(self.directory, 0o755)
        path = self.write("program", "#!/bin/bash\necho trained\n")
        self.write("a checkout/launch/build", f"#!/bin/sh\necho '{path}'\n")
        self.train = os.path.join(self.root, "launch", "train")

    def trains(self, *command, errors="", **settings):
        """Two ranks, at the end of `command`, which may change what they are started under."""
        result = self.run_as(*command, self.train, "-n", "2", **settings)
        self.assertEqual((result.returncode, result.errors), (0, errors))
        self.assertEqual(result.output.replace("\r", ""), "trained\n" * 2)

    def refuses(self, code, words, *command, **settings):
        result = self.run_as(*command, self.train, "-n", "2", **settings)
        self.assertEqual((result.returncode, result.errors.count("\n")), (code, 1), result.errors)
        self.assertIn(words, result.errors)

    def test_temporary_directory(self):
        """mpirun would make a missing one as root, and say fifteen lines as anyone else."""
        self.refuses(73, "TMPDIR=/nowhere", TMPDIR="/nowhere")
        self.assertFalse(os.path.exists("/nowhere"))
        self.refuses(73, "TMPDIR=/proc", TMPDIR="/proc")
        self.refuses(73, r"TMPDIR=/two\nlines", TMPDIR="/two\nlines")
        self.refuses(73, "TMPDIR=" + self.calls, TMPDIR=self.write("calls", ""))
        for script, arguments in (("verify", []), ("hosts", [self.write("hosts", "localhost\n"), "true"])):
            result = self.run_script(script, *arguments, TMPDIR="/nowhere")
            self.assertEqual((result.returncode, result.errors.count("\n")), (73, 1), result.errors)
        blank = os.path.join(self.directory, "a blank")
        os.mkdir(blank)
        self.trains(TMPDIR=blank)

    def test_locale(self):
        self.trains(LC_ALL="C")
        self.trains(LC_ALL="C.UTF-8")
        self.trains(LANG="xx_XX.UTF-8")
        # bash itself complains once, before the script begins.
        result = self.run_script("train", "-n", "2", LC_ALL="xx_XX.UTF-8")
        self.assertEqual((result.returncode, result.errors.count("\n")), (0, 1), result.errors)
        self.assertEqual(self.run_script("train", "-n", "0", LC_ALL="tr_TR.UTF-8").returncode, 64)

    def test_variables_that_change_what_tools_do(self):
        for name, value in {"CDPATH": "/:/tmp", "IFS": "/t", "GREP_OPTIONS": "--foo", "POSIXLY_CORRECT": "1", "BASH_ENV": "/dev/null",
                            "GREP_COLORS": "mt=1", "LS_COLORS": "x", "TAR_OPTIONS": "x", "COLUMNS": "1", "PYTHONPATH": "/nowhere",
                            "GIT_DIR": "/nowhere", "hosts": "x", "code": "7", "name": "x", "only": "x", "slots": "0", "stop": "1",
                            "said": "/nowhere", "spread": "1", "cores": "0"}.items():
            with self.subTest(name):
                self.trains(**{name: value})

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "takes root to become another")
    def test_a_user_without_a_name(self):
        home = os.path.join(self.directory, "home")
        os.mkdir(home)
        os.chown(home, 12345, 12345)
        self.write("calls", "")
        os.chmod(self.calls, 0o666)
        self.trains("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", HOME=home)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "takes root to name the host")
    def test_a_long_host_name(self):
        name = "a-long-name-for-a-machine." + "of-a-cluster-with-names-of-64-letters"
        self.trains("unshare", "-u", "bash", "-c", f'echo {name[:64]} >/proc/sys/kernel/hostname && exec "$@"', "bash")

    def test_limits(self):
        """A limit under which it does not go is one line, never a hang."""
        succeeded = 0
        for limit in ("-n 20", "-n 64", "-n 256", "-v 200000", "-v 1000000", "-c 0", "-s 1024", "-l 0"):
            with self.subTest(limit):
                result = self.run_as("bash", "-c", f'ulimit {limit}; exec "$@"', "bash", self.train, "-n", "2")
                if result.returncode == 0:
                    succeeded += 1
                    self.assertEqual(result.errors, "")
                else:
                    self.assertIn(result.returncode, (66, 69, 70, 73), result.errors)
                    self.assertEqual(result.errors.count("\n"), 1, result.errors)
        self.assertGreater(succeeded, 4)

    def test_a_checkout_anywhere(self):
        for name in ("a blank", "two\nlines", "$(id)", "-n", "*", "Küche", b"not \xff UTF-8", "'\"\\"):
            with self.subTest(name):
                parent = os.path.join(os.fsencode(self.directory), b"anywhere", os.fsencode(name))
                root = os.path.join(parent, b"checkout")
                shutil.copytree(os.fsencode(self.root), root)
                program = os.path.join(parent, b"program")
                shutil.copy(os.path.join(os.fsencode(self.directory), b"program"), program)
                with open(os.path.join(root, b"launch", b"build"), "wb") as file:
                    file.write(b"#!/bin/bash\nroot=${BASH_SOURCE[0]%/*/*/*}; printf '%s\\n' \"$root/program\"\n")
                hosts = os.path.join(parent, b"hosts")
                with open(hosts, "w") as file:
                    file.write("localhost slots=2\r\n")
                result = subprocess.run([os.path.join(root, b"launch", b"train"), b"--hostfile", hosts], env=self.environment({}),
                                        capture_output=True, timeout=60, cwd=parent)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertEqual(result.stdout.replace(b"\r", b""), b"trained\n" * 2)

    def test_setup_without_a_home_writes_nowhere(self):
        """The real one; with HOME unset it wrote /.cache, with a relative cache into the working directory."""
        setup = os.path.join(REPOSITORY, "launch", "setup")
        there = os.path.exists("/.cache")
        for settings in ({}, {"HOME": ""}, {"HOME": "home"}, {"XDG_CACHE_HOME": "relative"}, {"HOME": "home", "XDG_CACHE_HOME": "./a"}):
            with self.subTest(settings):
                before = sorted(os.listdir(self.directory))
                result = subprocess.run([setup], env={"PATH": os.environ["PATH"], **settings}, cwd=self.directory, timeout=60,
                                        capture_output=True, text=True)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(sorted(os.listdir(self.directory)), before)
                self.assertEqual(os.path.exists("/.cache"), there)

    def test_setup_passes_on_what_apt_says(self):
        self.write("tools/sudo", "#!/bin/sh\n[ \"$1\" != -n ] || shift\nexec \"$@\"\n")
        self.write("tools/apt-get", "#!/bin/sh\necho 'Reading package lists...'\necho 'E: Could not get lock /var/lib/dpkg/lock-frontend.'\n"
                   "echo 'E: Unable to acquire the dpkg frontend lock'\nexit 100\n")
        # All but mpirun.
        for tool in ("bash", "env", "dirname", "pkg-config", "python3", "pip3", "grep", "tail", "mktemp", "rm", "true", "uname"):
            if path := shutil.which(tool):
                os.symlink(path, os.path.join(self.directory, "tools", tool))
        result = subprocess.run([os.path.join(REPOSITORY, "launch", "setup")], capture_output=True, text=True, timeout=60,
                                env={"PATH": os.path.join(self.directory, "tools"), "HOME": self.directory})
        self.assertEqual(result.returncode, 69, result.stderr)
        self.assertIn("launch/setup: apt failed: E: Could not get lock /var/lib/dpkg/lock-frontend.; run: ", result.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
