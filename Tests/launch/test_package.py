"""launch/package where no package can come of it: python3 Tests/launch/test_package.py

What it makes is tested by Tests/slow/package.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from checkout import REPOSITORY


class PackageTests(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-package-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.tools = self.directory / "tools"
        self.tools.mkdir()
        # As if these were installed; the first that is really called would end the test with 99.
        for name in ("dpkg-deb", "dpkg-shlibdeps", "strip"):
            self.tool(name, "exit 99")

    def tool(self, name, text):
        file = self.tools / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def package(self, *arguments, script=None, path=None):
        return subprocess.run([script or pathlib.Path(REPOSITORY) / "launch/package", *map(str, arguments)], capture_output=True, text=True,
                              env=os.environ | {"PATH": path or f"{self.tools}:{os.environ['PATH']}"})

    def check(self, result, code, words):
        self.assertEqual(result.returncode, code, result.stderr)
        lines = [line for line in result.stderr.splitlines() if "warning: " not in line]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn(words, lines[0])
        self.assertEqual(result.stdout, "")

    def test_usage(self):
        for arguments in (["one", "two"], ["--output"], [""]):
            with self.subTest(arguments=arguments):
                self.check(self.package(*arguments), 64, "usage: ")

    def test_a_tool_that_is_missing(self):
        """Where there is all else that a script needs."""
        few = self.directory / "few"
        few.mkdir()
        for name in ("env", "bash", "dirname", "git", "sed", "dpkg-deb"):
            (few / name).symlink_to(shutil.which(name))
        self.check(self.package(path=str(few)), 69, "apt-get install dpkg-dev")

    def test_a_place_that_cannot_be_written(self):
        file = self.directory / "file"
        file.write_text("")
        self.check(self.package(file / "packages"), 73, "cannot be written")

    def test_what_is_no_clone(self):
        shutil.copytree(pathlib.Path(REPOSITORY) / "launch", self.directory / "copy/launch")
        self.check(self.package(script=self.directory / "copy/launch/package"), 69, "no clone")

    @unittest.skipUnless(shutil.which("strip"), "there is no strip")
    def test_no_path_of_the_checkout_is_packed(self):
        """Else two clones would not give one file. Code that is not optimised may name its file in a trap."""
        built = subprocess.run([pathlib.Path(REPOSITORY) / "launch/build"], capture_output=True, text=True, check=True).stdout.strip()
        packed = self.directory / "lockstep"
        subprocess.run(["strip", "--strip-unneeded", "-o", packed, built], check=True)
        self.assertNotIn(str(pathlib.Path(REPOSITORY).resolve() / "Sources").encode(), packed.read_bytes())


if __name__ == "__main__":
    unittest.main()
