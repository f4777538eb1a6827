"""No kernel passes a vector to a function: python3 Tests/launch/test_kernels.py

Swift's convention hands a vector over in four pieces, and what computes it is then done piece by piece: a call of which the source says
`@inline(__always)`, but which the compiler leaves where a caller is large, made Adam divide four floats at a time. Such a function takes
`@inline(always)`; a closure, which cannot, is written as a local function.
"""

import os
import re
import shutil
import subprocess
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

# The rests behind whole vectors, at eight lanes, where that call is meant.
MEANT = ("firstEightLanes", "storeFirstEight")


def vector_calls(listing):
    """The symbols with vectors of floats in their types that `listing`, objdump's, calls, each with the function that does."""
    calls, caller = set(), ""
    for line in listing.splitlines():
        if start := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            caller = start[1]
        elif call := re.search(r"R_(?:X86_64_PLT32|AARCH64_CALL26)\s+(\S*SIMD(?:8|16)V\S*)", line):
            name = re.sub(r"-0x[0-9a-f]+$", "", call[1])
            # A function that takes another one, of vectors, is passed none itself.
            if not any(meant in name for meant in MEANT) and "XEtF" not in name:
                calls.add((name, caller))
    return calls


class KernelTests(unittest.TestCase):
    @unittest.skipUnless(shutil.which("objdump"), "there is no objdump")
    def test_no_vector_is_passed(self):
        program = subprocess.run([os.path.join(ROOT, "launch", "build")], capture_output=True, text=True, check=True)
        # What is in Vectors is inlined into these: its own object files hold what nobody calls.
        built = os.path.dirname(os.path.realpath(program.stdout.strip()))
        objects = [os.path.join(built, f"{room}.build", name) for room in ("VectorProducts", "VectorKernels")
                   for name in os.listdir(os.path.join(built, f"{room}.build")) if name.endswith(".o")]
        self.assertGreater(len(objects), 30)
        found, functions = set(), 0
        for path in objects:
            done = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", path], capture_output=True, text=True, check=True)
            functions += done.stdout.count(">:\n")
            found |= {(os.path.basename(path), *call) for call in vector_calls(done.stdout)}
        self.assertGreater(functions, 100)
        self.assertEqual(found, set(), "pass vectors to functions")

    def test_finds_calls(self):
        listing = (
            "0000000000000000 <kernel>:\n"
            "\t\t\t5: R_X86_64_PLT32\t$ss6SIMD16V7VectorsSfRszrlE7sigmoidABySfGyF-0x4\n"
            "\t\t\t9: R_X86_64_PLT32\tmemset-0x4\n"
            "\t\t\tb: R_X86_64_PLT32\t$s7Vectors15firstEightLanesys5SIMD8VySfGF-0x4\n"
        )
        self.assertEqual(vector_calls(listing), {("$ss6SIMD16V7VectorsSfRszrlE7sigmoidABySfGyF", "kernel")})


if __name__ == "__main__":
    unittest.main()
