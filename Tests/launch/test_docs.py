"""launch/docs without a compiler, and once with it: python3 Tests/launch/test_docs.py

Stand-ins for swift, docc and pkg-config in a checkout of a few modules. The site itself is made once, for its links, and looked at by
Tests/slow/docs.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from checkout import REPOSITORY, CheckoutTests

SWIFT = """#!/bin/bash
if [[ $1 == -print-target-info ]]; then echo '    "unversionedTriple": "some-triple",'; exit; fi
printf '%s\\n' "$*" >>"$CALLS"
[[ -z ${BROKEN-} ]] || { echo "error: $BROKEN" >&2; exit 1; }
while [[ $# -gt 0 ]]; do case $1 in -output-dir) to=$2 ;; -module-name) module=$2 ;; esac; shift; done
cp "$GRAPHS/$module.symbols.json" "$to/"
"""

DOCC = """#!/bin/bash
printf '%s\\n' "docc $*" >>"$CALLS"
[[ -z ${WARNING-} ]] || { echo "warning: $WARNING"; exit 1; }
while [[ $# -gt 0 ]]; do [[ $1 != --output-dir ]] || to=$2; shift; done
cp -R "$SITE" "$to"
"""


def symbol(name, *comment, line=6, file="Sources/Room/File.swift", root):
    return {"pathComponents": name.split("."), "location": {"uri": f"file://{root.replace(' ', '%20')}/{file}", "position": {"line": line}},
            **({"docComment": {"lines": [{"text": text} for text in comment]}} if comment else {})}


def page(name, *sections):
    """A page whose `sections` are pairs: whether docc made the list by itself, and the names in it."""
    return {"identifier": {"url": f"doc://Lockstep/documentation/{name}"},
            "topicSections": [{"identifiers": [f"doc://Lockstep/documentation/{other}" for other in names]} | ({"generated": True} if made else {})
                              for made, names in sections]}


class DocsTests(CheckoutTests):
    def setUp(self):
        super().setUp()
        self.site = os.path.join(self.directory, "docs")
        self.settings = {"GRAPHS": os.path.join(self.directory, "graphs"), "SITE": os.path.join(self.directory, "made")}
        self.write("a checkout/launch/build", f"#!/bin/sh\necho '{self.root}/.build/program/lockstep'\n")
        self.write("a checkout/Package.swift", '.systemLibrary(name: "CSome", pkgConfig: "some")\n')
        self.write("a checkout/Sources/CSome/module.modulemap", "module CSome {}\n")
        self.write("a checkout/Sources/Lockstep/Lockstep.swift", "@_exported import Room\n")
        self.write("a checkout/Sources/Kernels/Exports.swift", "@_exported import Floor\n")
        for name in ("Room", "Kernels", "Alone", "lockstep-cli"):
            self.write(f"a checkout/Sources/{name}/File.swift", "")
        for name in ("Room", "Kernels", "Lockstep", "Alone", "Foreign"):
            self.write(f"a checkout/.build/program/Modules/{name}.swiftmodule", "")
        self.write("tools/swift", SWIFT)
        self.write("tools/docc", DOCC)
        self.write("tools/pkg-config", '#!/bin/sh\necho "-I/where/$2/is -I/where/else"\n')
        self.graph("Lockstep", symbol("Thing", "A thing.", root=self.root))
        self.graph("Kernels", symbol("kernel()", "A kernel.", root=self.root))
        self.page("lockstep", (False, ["Lockstep/Thing"]))
        self.page("lockstep/thing")

    def graph(self, module, *symbols):
        self.write(f"graphs/{module}.symbols.json", json.dumps({"symbols": symbols}))

    def page(self, name, *sections):
        name = name.replace("lockstep", "Lockstep").replace("thing", "Thing")
        self.write(f"made/data/documentation/{name.lower()}.json", json.dumps(page(name, *sections)))

    def docs(self, *arguments, **settings):
        return self.run_script("docs", *arguments, **self.settings, **settings)

    def check(self, result, code, words):
        """Of a failure one line, the last, says what it is, with `launch/docs: ` before it; nothing is on standard output."""
        self.assertEqual((result.returncode, result.output), (code, ""), result.errors)
        last = result.errors.splitlines()[-1]
        self.assertTrue(last.startswith("launch/docs: "), last)
        self.assertIn(words, last)

    def test_usage(self):
        for arguments in (["one", "two"], ["--unknown"], ["--base-path"], ["--base-path", "lockstep"], ["--base-path", "/a b"], [""]):
            with self.subTest(arguments=arguments):
                result = self.docs(*arguments)
                self.check(result, 64, "usage: launch/docs [--base-path PATH] [DIR]")
                self.assertEqual(len(result.errors.splitlines()), 1)
        self.assertEqual(self.calls_made(), [])
        self.assertIn("--base-path PATH", self.docs("--help").output)

    def test_a_site(self):
        result = self.docs("--base-path", "/at/some-place", self.site)
        self.assertEqual((result.returncode, result.output), (0, self.site + "\n"), result.errors)
        self.assertIn("2 public symbols, 0 without documentation", result.errors)
        self.assertIn("url=documentation/lockstep/", pathlib.Path(self.site, "index.html").read_text())
        # What Lockstep exports is in its module, and nothing of the program's own rooms or of other packages anywhere.
        *extracted, converted = self.calls_made()
        self.assertEqual([re.search(r"-module-name (\S+)", call)[1] for call in extracted], ["Lockstep", "Kernels"])
        for call, room in zip(extracted, ("Room", "Floor")):
            for flag in (f"-experimental-allowed-reexported-modules={room} ", "-target some-triple", "-Xcc -I/where/some/is -Xcc -I/where/else",
                         f"-fmodule-map-file={os.path.realpath(self.root)}/Sources/CSome/module.modulemap"):
                self.assertIn(flag, call)
        self.assertIn("--hosting-base-path /at/some-place --warnings-as-errors", converted)
        self.assertEqual(sorted(os.listdir(self.directory)), ["a checkout", "calls", "docs", "graphs", "made", "tools"], "something is left over")

    def test_the_usual_place(self):
        for _ in range(2):
            result = self.docs()
            self.assertEqual((result.returncode, result.output), (0, os.path.realpath(self.root) + "/.build/docs\n"), result.errors)

    def test_a_former_site(self):
        """Is replaced whole, and stays where the new one has faults."""
        self.assertEqual(self.docs(self.site).returncode, 0)
        pathlib.Path(self.site, "old").write_text("")
        self.check(self.docs(self.site, WARNING="'Thing' doesn't exist"), 1, "docc finds faults: warning: 'Thing' doesn't exist")
        self.assertIn("old", os.listdir(self.site))
        self.assertEqual(self.docs(self.site).returncode, 0)
        self.assertNotIn("old", os.listdir(self.site))

    def test_a_place_that_is_something_else(self):
        self.write("docs/file", "mine")
        self.write("file", "")
        os.symlink("made", os.path.join(self.directory, "link"))
        for place, words in (("docs", "no site of launch/docs"), ("file", "no site"), ("link", "no site"), ("file/docs", "cannot be written")):
            with self.subTest(place):
                self.check(self.docs(os.path.join(self.directory, place)), 73, words)
        self.assertEqual(pathlib.Path(self.site, "file").read_text(), "mine")
        self.assertEqual(self.calls_made(), [])
        # One that is empty is as good as none.
        empty = os.path.join(self.directory, "empty")
        os.mkdir(empty)
        self.assertEqual(self.docs(empty).returncode, 0)

    def test_symbols_without_documentation(self):
        made = {"pathComponents": ["Thing", "made"]}
        self.graph("Lockstep", symbol("Thing", "A thing.", root=self.root), symbol("Thing.size", "", line=8, root=self.root),
                   symbol("Thing.name", line=6, root=self.root), made)
        result = self.docs(self.site)
        self.check(result, 1, "not every public symbol is documented")
        self.assertEqual(result.errors.splitlines()[:3], [
            "Sources/Room/File.swift:7: Thing.name has no documentation", "Sources/Room/File.swift:9: Thing.size has no documentation",
            "launch/docs: 4 public symbols, 2 without documentation"])
        self.assertFalse(os.path.exists(self.site))

    def test_pages_that_nobody_listed(self):
        self.page("lockstep", (True, ["Lockstep/Thing"]))
        result = self.docs(self.site)
        self.check(result, 1, "not every page can be reached")
        self.assertEqual(result.errors.splitlines()[1], "Lockstep/Thing is in no page's Topics")

    def test_tools_that_fail(self):
        self.check(self.docs(self.site, BROKEN="no such module"), 69, "the symbols of Lockstep cannot be read: error: no such module")
        self.write("tools/pkg-config", "#!/bin/sh\necho 'no package some' >&2\nexit 1\n")
        self.check(self.docs(self.site), 69, "pkg-config: no package some")
        self.write("a checkout/launch/build", "#!/bin/sh\necho /the/program\n")
        self.check(self.docs(self.site), 69, "no modules in /the/Modules")
        self.write("a checkout/launch/build", "#!/bin/sh\nexit 3\n")
        self.assertEqual(self.docs(self.site).returncode, 3)
        # Where there is all else that the script needs.
        os.remove(os.path.join(self.directory, "tools/docc"))
        for name in ("env", "bash", "dirname", "basename", "readlink", "sed"):
            os.symlink(shutil.which(name), os.path.join(self.directory, "tools", name))
        self.check(self.docs(self.site, PATH=os.path.join(self.directory, "tools")), 69, "no docc beside ")


class ArticleTests(unittest.TestCase):
    """What the articles and the package index repeat."""

    def read(self, name):
        return pathlib.Path(REPOSITORY, name).read_text()

    def test_the_site_has_no_fault(self):
        """A link to a function ends where nothing is as soon as the function has another parameter."""
        with tempfile.TemporaryDirectory() as directory:
            made = subprocess.run([os.path.join(REPOSITORY, "launch", "docs"), os.path.join(directory, "site")], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stderr)

    def test_the_first_net_is_that_of_the_readme(self):
        nets = [re.search(r"```swift\n(import Lockstep\n.*?)```", self.read(name), re.DOTALL)[1]
                for name in ("README.md", "Sources/Lockstep/Lockstep.docc/GettingStarted.md")]
        self.assertEqual(nets[0], nets[1])

    def test_the_package_is_that_of_the_library(self):
        packages = [re.search(r"```swift\n(// swift-tools-version.*?)```", self.read(name), re.DOTALL)[1]
                    for name in ("docs/library.md", "Sources/Lockstep/Lockstep.docc/GettingStarted.md")]
        self.assertEqual(packages[0], packages[1])

    def test_every_room_of_the_library_is_there(self):
        """In the site, by what Lockstep exports, and in the package index."""
        rooms = {name: re.findall(r'"(\w+)"', depends)
                 for name, depends in re.findall(r'^    room\(\s*"(\w+)"(?:,\s*\[([^\]]*)\])?', self.read("Package.swift"), re.MULTILINE)}
        library = ["Lockstep"]
        for room in library:
            library += [name for name in rooms[room] if name in rooms and name not in library]
        self.assertGreater(len(library), 15, "the manifest was not understood")
        exported = [name for file in ("Lockstep/Lockstep", "Kernels/Exports")
                    for name in re.findall(r"^@_exported import (\w+)", self.read(f"Sources/{file}.swift"), re.MULTILINE)]
        self.assertEqual(sorted(exported + ["Lockstep", "Kernels"]), sorted(library))
        listed = re.search(r"documentation_targets: \[([^\]]*)\]", self.read(".spi.yml"))[1].replace(",", " ").split()
        self.assertEqual(listed[0], "Lockstep")
        self.assertEqual(sorted(listed), sorted(library))


if __name__ == "__main__":
    unittest.main()
