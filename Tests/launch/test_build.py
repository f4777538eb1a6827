"""launch/build, mostly without a compiler: python3 Tests/launch/test_build.py

A package of one file in a directory with a blank in its name, and stand-ins for swift and clang that note how they are called.
"""

import filecmp
import http.server
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

LAUNCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "launch")

# Makes what it was asked for, and takes its time over it.
SWIFT = """#!/bin/bash
printf '%s\\n' "$*" >>"$CALLS"
printf '%s\\n' "${SWIFT_EXEC-}" >"$CALLS.compiler"
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


class PackageCase(unittest.TestCase):
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
        os.makedirs(os.path.join(self.root, "launch", "lib"))
        for script in ("build", "lib/aside.sh", "lib/say.sh", "lib/swiftc"):
            shutil.copy(os.path.join(LAUNCH, script), os.path.join(self.root, "launch", script))

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
            capture_output=True, text=True, timeout=120)

    def compiler_given(self):
        """The compiler that the last call of swift was told to take."""
        with open(self.calls + ".compiler") as file:
            return file.read().strip()

    def calls_made(self):
        """The arguments of each call of swift so far."""
        if not os.path.exists(self.calls):
            return []
        with open(self.calls) as file:
            return file.read().splitlines()


class BuildTests(PackageCase):
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

    def test_modules_run_seldom_are_not_optimized(self):
        """SwiftPM looks for what it needs of tests beside the compiler: the one that it gets has all else of the toolchain beside it."""
        with open(os.path.join(LAUNCH, "..", "Package.swift")) as file:
            package = file.read()
        real = os.path.dirname(os.path.realpath(shutil.which("swiftc")))
        for arguments, scratch in (([], ".build/program-native"), (["--build-tests"], ".build")):
            self.build(*arguments)
            compiler = os.path.join(self.root, scratch, "toolchain/bin/swiftc")
            self.assertEqual(self.compiler_given(), compiler)
            self.assertTrue(filecmp.cmp(compiler, os.path.join(LAUNCH, "lib/swiftc"), shallow=False))
            for folder in (".", ".."):
                beside, expected = (set(os.listdir(os.path.join(each, folder))) for each in (os.path.dirname(compiler), real))
                self.assertEqual(beside, expected)
        environment = os.environ | {"LOCKSTEP_SWIFTC": "echo"}
        levels = {"VectorProducts": "-O", "Steps": "-O", "KernelsTests": "-Onone", "Training": "-Onone", "RunReport": "-Onone", "ArgumentParser": "-Onone"}
        for module, last in levels.items():
            self.assertIn('"' + module + '"', package)
            words = [compiler, "-module-name", module, "-O"]
            said = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
            self.assertEqual([word for word in said.split() if word.startswith("-O")][-1], last, module)
        with open(compiler) as file:
            named = re.findall(r"-module-name (\w+) ", file.read())
        self.assertGreater(len(named), 5)
        for module in named:
            # ArgumentParserToolInfo is a target of ArgumentParser's package.
            self.assertIn('"' + module.removesuffix("ToolInfo").replace("_", "-") + '"', package)

    def test_a_toolchain_of_another_shape_optimizes_all(self):
        self.write("tools/swiftc", "#!/bin/sh\necho '{\"paths\": {}}'\n", executable=True)
        self.assertEqual(self.build().returncode, 0)
        self.assertEqual(self.compiler_given(), "")

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
            "another's build": lambda: self.write(
                "a package/.build/program-native/release/lockstep", "#!/bin/sh\n# for another processor\n", executable=True),
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
        for settings in ({"LOCKSTEP_CPU": "pentium"}, {"LOCKSTEP_CPU": "a b"}, {"LOCKSTEP_CPU": "../x"},
                         {"LOCKSTEP_CPU": "a\nb"}, {"LOCKSTEP_CPU": "znver4\n"}, {"LOCKSTEP_CPU": "\x1b[31m"}):
            result = self.build(**settings)
            self.assertEqual(result.returncode, 64)
            self.assertEqual((result.stdout, result.stderr.count("\n")), ("", 1))
            self.assertTrue(result.stderr[:-1].isprintable())
        self.assertEqual(self.build("--fast").returncode, 64)
        self.assertEqual(self.calls_made(), [])

    def test_a_path_that_is_not_utf8_is_named(self):
        """SwiftPM takes it for another one, in which there is no package."""
        root = os.path.join(os.fsencode(self.directory), b"a \xff package")
        shutil.copytree(os.fsencode(self.root), root)
        result = subprocess.run([os.path.join(root, b"launch", b"build")], env=self.environment({}), capture_output=True, timeout=60)
        self.assertEqual((result.returncode, result.stdout, result.stderr.count(b"\n")), (73, b"", 1), result.stderr)
        self.assertIn(b"not UTF-8", result.stderr)
        self.assertIn(b"a \\377 package", result.stderr)
        self.assertTrue(result.stderr[:-1].decode().isprintable())
        self.assertEqual(self.calls_made(), [])

    def test_a_build_that_fails_is_not_remembered(self):
        self.build()
        self.write("a package/BROKEN", "")
        self.write("a package/Sources/Room/File.swift", "// broken\n")
        for _ in range(2):
            result = self.build()
            self.assertEqual((result.returncode, result.stdout), (3, ""))
            self.assertIn("error: broken", result.stderr)
            self.assertEqual(result.stderr.splitlines()[-1], "launch/build: swift build ended with 3: broken")
        os.remove(os.path.join(self.root, "BROKEN"))
        self.assertEqual(self.build().returncode, 0)
        self.assertEqual(len(self.calls_made()), 4)

    def test_what_is_built_is_seen_as_it_is_said(self):
        self.write("tools/swift", SWIFT.replace("sleep 0.2", "echo halfway; while [[ ! -e go ]]; do sleep 0.05; done"), executable=True)
        process = subprocess.Popen([os.path.join(self.root, "launch", "build")], env=self.environment({}), stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True)
        process.stderr.readline()
        self.assertEqual(process.stderr.readline(), "halfway\n")
        self.write("a package/go", "")
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)

    def test_where_nothing_can_be_written(self):
        self.write("a package/.build", "no directory\n")
        result = self.build()
        self.assertEqual((result.returncode, result.stderr.count("\n")), (73, 1), result.stderr)
        os.remove(os.path.join(self.root, ".build"))
        result = self.build(TMPDIR="/nowhere")
        self.assertEqual((result.returncode, result.stdout), (73, ""))
        self.assertIn("TMPDIR=/nowhere", result.stderr.splitlines()[-1])

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


class PackageTests(PackageCase):
    """With the real swift and git: a package that cannot be fetched. The last line has git's reason."""

    def setUp(self):
        super().setUp()
        os.remove(os.path.join(self.directory, "tools", "swift"))
        os.remove(os.path.join(self.directory, "tools", "clang"))

    def depend_on(self, url):
        self.write("a package/Package.swift", f"""// swift-tools-version:6.0
import PackageDescription
let package = Package(name: "A", products: [.executable(name: "lockstep", targets: ["A"])],
  dependencies: [.package(url: "{url}", from: "1.0.0")],
  targets: [.executableTarget(name: "A", dependencies: [.product(name: "D", package: "dependency")], path: "Sources")])
""")

    def dependency(self):
        # SwiftPM finds none in a directory with a blank in its name.
        path = tempfile.mkdtemp(prefix="lockstep-dependency-")
        self.addCleanup(shutil.rmtree, path)
        path = os.path.join(path, "dependency")
        self.write(path + "/Package.swift", """// swift-tools-version:6.0
import PackageDescription
let package = Package(name: "dependency", products: [.library(name: "D", targets: ["D"])], targets: [.target(name: "D")])
""")
        self.write(path + "/Sources/D/D.swift", "public let d = 1\n")
        git = ["git", "-C", path, "-c", "user.name=A", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "First"], ["tag", "1.0.0"]):
            subprocess.run(git + words, check=True, capture_output=True)
        return "file://" + path

    def assert_last_line(self, words, **settings):
        home = os.path.join(self.directory, "home")
        result = self.build(HOME=home, XDG_CACHE_HOME=home + "/.cache", **settings)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        last = result.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("launch/build: git cannot fetch a package: "), result.stderr)
        self.assertIn(words, last)

    def test_a_git_that_refuses_the_owner(self):
        self.depend_on(self.dependency())
        self.assert_last_line("detected dubious ownership", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")

    def test_no_network(self):
        self.depend_on("https://127.0.0.1:9/dependency")
        self.assert_last_line("Failed to connect to 127.0.0.1 port 9")

    def test_a_password_is_not_asked_for(self):
        """By a server that wants one."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unauthorized)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.depend_on(f"http://127.0.0.1:{server.server_port}/dependency")
        self.assert_last_line("Authentication failed", no_proxy="127.0.0.1")


class Unauthorized(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    unittest.main()
