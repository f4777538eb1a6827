"""No kernel passes a vector to a function, goes from row to row by additions, or has a variable on the heap: python3 Tests/launch/test_kernels.py

Swift's convention hands a vector over in four pieces, and what computes it is then done piece by piece: a call of which the source says
`@inline(__always)`, but which the compiler leaves where a caller is large, made Adam divide four floats at a time. Such a function takes
`@inline(always)`; a closure, which cannot, is written as a local function.

A loop that adds a product to each of some rows finds the rows by one pointer. Where the compiler goes from row to row by additions to it, and on
to the next turn, they are a chain that took twice the time of the products; `asUnknown` keeps it from that.
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


def chained_rows(listing):
    """The functions in `listing`, of x86-64, with a loop in which one register is added to for longer than its products take.

    An addition takes a cycle; products are two a cycle, and each waits four cycles for the one before it of the same sum.
    """
    chained, function, lines, places = set(), "", [], {}
    for line in listing.splitlines():
        if start := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function, lines, places = start[1], [], {}
            continue
        if not (instruction := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)", line)):
            continue
        places[instruction[1]] = len(lines)
        lines.append((instruction[2], instruction[3]))
        back = re.match(r"([0-9a-f]+)\s", instruction[3]) if re.match(r"j(?!mp)", instruction[2]) else None
        if not back or back[1] not in places:
            continue
        loop = lines[places[back[1]]:]
        products = [values.split(",")[-1] for name, values in loop if name.startswith("vfmadd")]
        cycles = max(len(products) / 2, 4 * len(products) / max(len(set(products)), 1))
        written = [(name, re.search(r"%(r\w+)$", values)) for name, values in loop]
        registers = {register[1] for _, register in written if register}
        for register in registers:
            names = [name for name, own in written if own and own[1] == register and not name.startswith(("cmp", "test"))]
            # What is written anew in each turn is no chain through the turns.
            if products and set(names) <= {"add", "sub"} and len(names) > cycles:
                chained.add(function)
    return chained


def boxed_variables(listing):
    """The functions in `listing` that ask before they touch a variable whether somebody else does."""
    boxed, function = set(), ""
    for line in listing.splitlines():
        if start := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = start[1]
        elif re.search(r"R_(?:X86_64_PLT32|AARCH64_CALL26)\s+swift_beginAccess", line):
            boxed.add(function)
    return boxed


class KernelTests(unittest.TestCase):
    def objects(self):
        """The listings of the kernels' object files."""
        program = subprocess.run([os.path.join(ROOT, "launch", "build")], capture_output=True, text=True, check=True)
        # What is in Vectors is inlined into these: its own object files hold what nobody calls.
        built = os.path.dirname(os.path.realpath(program.stdout.strip()))
        objects = [os.path.join(built, f"{room}.build", name) for room in ("VectorProducts", "VectorKernels")
                   for name in os.listdir(os.path.join(built, f"{room}.build")) if name.endswith(".o")]
        self.assertGreater(len(objects), 30)
        for path in objects:
            done = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", path], capture_output=True, text=True, check=True)
            yield os.path.basename(path), done.stdout

    @unittest.skipUnless(shutil.which("objdump"), "there is no objdump")
    @unittest.skipUnless(os.uname().machine == "x86_64", "loops are looked for in machine code of x86-64")
    def test_no_loop_chains_its_rows(self):
        found = {(name, function) for name, listing in self.objects() for function in chained_rows(listing)}
        self.assertEqual(found, set(), "go from row to row by additions")

    def test_finds_chains(self):
        rows = "".join(f"  {i}4:\tvfmadd231ps (%rdi,%rsi,1),%zmm10,%zmm{i}\n  {i}9:\tadd    %rdi,%rsi\n" for i in range(1, 10))
        end = "  70:\tjb     14 <kernel+0x14>\n"
        self.assertEqual(chained_rows("0000000000000010 <kernel>:\n" + rows + end), {"kernel"})
        anew = "  14:\tlea    (%rdx,%rdi,1),%rsi\n"
        self.assertEqual(chained_rows("0000000000000010 <kernel>:\n" + anew + rows.replace(" 14:", " 15:") + end), set())

    @unittest.skipUnless(shutil.which("objdump"), "there is no objdump")
    def test_no_variable_is_in_a_box(self):
        found = {(name, function) for name, listing in self.objects() for function in boxed_variables(listing)}
        self.assertEqual(found, set(), "keep a variable on the heap")

    def test_finds_boxes(self):
        listing = "0000000000000000 <kernel>:\n\t\t\t5: R_X86_64_PLT32\tswift_beginAccess-0x4\n"
        self.assertEqual(boxed_variables(listing), {"kernel"})

    @unittest.skipUnless(shutil.which("objdump"), "there is no objdump")
    def test_no_vector_is_passed(self):
        found, functions = set(), 0
        for name, listing in self.objects():
            functions += listing.count(">:\n")
            found |= {(name, *call) for call in vector_calls(listing)}
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
