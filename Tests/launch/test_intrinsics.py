"""Sources/CIntrinsics compiles for every kind of processor, warnings being errors: python3 Tests/launch/test_intrinsics.py

No library's header is needed, so that other architectures can be asked after on this one.
"""

import os
import shutil
import subprocess
import unittest

SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Sources", "CIntrinsics", "shim.h")


def clang():
    """The one of Swift's toolchain, as launch/build chooses it; else the first on the PATH."""
    beside = os.path.join(os.path.dirname(os.path.realpath(shutil.which("swift") or "")), "clang")
    return beside if os.access(beside, os.X_OK) else "clang"


class IntrinsicsTests(unittest.TestCase):
    def check(self, *flags):
        command = [clang(), *flags, "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-fsyntax-only", "-x", "c", "-"]
        done = subprocess.run(command, input=f'#include "{SHIM}"\n', capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_x86(self):
        for processor in "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4":
            with self.subTest(processor):
                self.check("--target=x86_64-linux-gnu", f"-march={processor}")

    def test_aarch64(self):
        for processor in "generic", "neoverse-n1", "neoverse-v2":
            with self.subTest(processor):
                self.check("--target=aarch64-linux-gnu", f"-mcpu={processor}")


if __name__ == "__main__":
    unittest.main()
