"""launch/build without a compiler: python3 Tests/launch/test_build.py

A package of one file in a directory with a blank in its name, and stand-ins for swift and clang that note how they are called.
"""

import os
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "launch", "build")

# Makes what it was asked for, and takes its time over it.
SWIFT = """#!/bin/bash
printf '%s\\n' "$*" >>"$CALLS"
scratch=.build
while [[ $# -gt 0 ]]; do [[ $1 != --scratch-path ]] || scratch=$2; shift; done
echo 'ld: warning: the use of `mktemp'"'"' is dangerous'
sleep 0.2
[[ ! -e BROKEN ]] || { echo 'error: broken'; exit 3; }
mkdir -p "$scratch/release"
for name in lockstep lockstepPackageTests.xctest; do
  printf '#!/bin/sh\\n' >"$scratch/release/$name"
  chmod +x "$scratch/release/$name"
done
"""

# Knows two processors; `native` is what $NATIVE says.
CLANG = """#!/bin/bash
case " $* " in
  *=native\\ *) echo "#define __${NATIVE:-AVX2}__ 1" ;;
  *=znver4\\ *) echo '#define __AVX512F__ 1' ;;
  *) exit 1 ;;
esac
"""


class BuildTests(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lockstep build ")
        self.addCleanup(shutil.rmtree, self.directory)
        self.root = os.path.join(self.directory, "a package")
        self.calls = os.path.join(self.directory, "calls")
        self.write("a package/Package.swift", "// package\n")
        self.write("a package/Sources/Room/File.swift", "// file\n")
        self.write("a package/Tests/RoomTests/FileTests.swift", "// tests\n")
        self.write("tools/swift", SWIFT, executable=True)
        self.write("tools/clang", CLANG, executable=True)
        os.mkdir(os.path.join(self.root, "launch"))
        shutil.copy(BUILD, os.path.join(self.root, "launch", "build"))

    def write(self, name, text, executable=False):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        if executable:
            os.chmod(path, 0o755)

    def environment(self, settings):
        path = os.path.join(self.directory, "tools") + ":" + os.environ["PATH"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCKSTEP_")}
        return environment | {"PATH": path, "CALLS": self.calls, "CDPATH": "/tmp"} | settings

    def build(self, *arguments, **settings):
        return subprocess.run(
            [os.path.join(self.root, "launch", "build"), *arguments], env=self.environment(settings), cwd="/",
            capture_output=True, text=True)

    def calls_made(self):
        """The arguments of each call of swift so far."""
        if not os.path.exists(self.calls):
            return []
        with open(self.calls) as file:
            return file.read().splitlines()

    def test_builds_and_prints_the_path_alone(self):
        result = self.build()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, os.path.join(self.root, ".build/program-native/release/lockstep") + "\n")
        self.assertTrue(os.access(result.stdout.strip(), os.X_OK))
        self.assertNotIn("mktemp", result.stderr)
        (call,) = self.calls_made()
        self.assertIn("--product lockstep", call)
        self.assertIn("=native", call)
        self.assertNotIn("LOCKSTEP_LANES_16", call)

    def test_does_nothing_when_nothing_changed(self):
        self.build()
        result = self.build()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(len(self.calls_made()), 1)

    def test_builds_again_after_any_change(self):
        old = os.path.join(self.directory, "old")
        shutil.copy(os.path.join(self.root, "Package.swift"), old)
        os.utime(old, (0, 0))
        changes = {
            "edited": lambda: self.write("a package/Sources/Room/File.swift", "// other\n"),
            "added": lambda: self.write("a package/Sources/Other/File.swift", "// file\n"),
            "removed": lambda: os.remove(os.path.join(self.root, "Sources/Other/File.swift")),
            "manifest": lambda: self.write("a package/Package.swift", "// other\n"),
            "old date": lambda: shutil.copy2(old, os.path.join(self.root, "Sources/Room/File.swift")),
            "versions": lambda: self.write("a package/Package.resolved", "{}"),
            "executable gone": lambda: os.remove(os.path.join(self.root, ".build/program-native/release/lockstep")),
        }
        self.build()
        for count, (name, change) in enumerate(changes.items(), start=2):
            with self.subTest(name):
                change()
                self.assertEqual(self.build().returncode, 0)
                self.assertEqual(len(self.calls_made()), count)
                self.build()
                self.assertEqual(len(self.calls_made()), count)

    def test_tests_do_not_concern_the_program(self):
        self.build()
        self.write("a package/Tests/RoomTests/FileTests.swift", "// other\n")
        self.build()
        self.assertEqual(len(self.calls_made()), 1)
        result = self.build("--build-tests")
        self.assertEqual(result.stdout, os.path.join(self.root, ".build/release/lockstepPackageTests.xctest") + "\n")
        self.assertIn("--build-tests", self.calls_made()[1])
        self.write("a package/Tests/RoomTests/FileTests.swift", "// third\n")
        self.build("--build-tests")
        self.assertEqual(len(self.calls_made()), 3)

    def test_processors_have_programs_of_their_own(self):
        native = self.build().stdout
        wide = self.build(LOCKSTEP_CPU="znver4").stdout
        self.assertNotEqual(native, wide)
        self.assertIn("-Xswiftc -DLOCKSTEP_LANES_16", self.calls_made()[1])
        self.build()
        self.assertEqual(len(self.calls_made()), 2)
        # The same directory on a machine whose own processor is another.
        self.build(NATIVE="AVX512F")
        self.assertIn("-Xswiftc -DLOCKSTEP_LANES_16", self.calls_made()[2])

    def test_refuses_what_it_does_not_know(self):
        for settings in ({"LOCKSTEP_CPU": "pentium"}, {"LOCKSTEP_CPU": "a b"}, {"LOCKSTEP_CPU": "../x"}):
            result = self.build(**settings)
            self.assertEqual(result.returncode, 64)
            self.assertEqual((result.stdout, result.stderr.count("\n")), ("", 1))
        self.assertEqual(self.build("--fast").returncode, 64)
        self.assertEqual(self.calls_made(), [])

    def test_a_build_that_fails_is_not_remembered(self):
        self.build()
        self.write("a package/BROKEN", "")
        self.write("a package/Sources/Room/File.swift", "// broken\n")
        for _ in range(2):
            result = self.build()
            self.assertEqual((result.returncode, result.stdout), (3, ""))
            self.assertIn("error: broken", result.stderr)
        os.remove(os.path.join(self.root, "BROKEN"))
        self.assertEqual(self.build().returncode, 0)
        self.assertEqual(len(self.calls_made()), 4)

    def test_two_at_once_build_once(self):
        both = [
            subprocess.Popen(
                [os.path.join(self.root, "launch", "build")], env=self.environment({}), stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        outputs = [process.communicate()[0] for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0])
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(len(self.calls_made()), 1)


if __name__ == "__main__":
    unittest.main()
