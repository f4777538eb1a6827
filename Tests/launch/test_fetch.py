"""launch/fetch without a network: python3 Tests/launch/test_fetch.py

A small data set stands in for MNIST, and servers on this machine for the mirrors: honest, lying, cut short, silent.
"""

import array
import contextlib
import gzip
import hashlib
import http.server
import io
import os
import pickle
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

LAUNCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "launch")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(LAUNCH, "lib"))
os.environ["no_proxy"] = "127.0.0.1"
import fetch
import mnist_pickle

CONTENTS = {"images": bytes(range(256)) * 40, "labels": b"\x07" * 300}
SMALL = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENTS.items()}


class Mirror(http.server.ThreadingHTTPServer):
    """Serves `answers`: path → body, or (promised length, body); None never answers."""

    def __init__(self, answers):
        self.answers, self.requests, self.released = answers, [], threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        answer = self.server.answers.get(self.path[1:], b"")
        if answer is None:
            self.server.released.wait()
            return
        length, body = answer if isinstance(answer, tuple) else (len(answer), answer)
        self.send_response(200 if self.path[1:] in self.server.answers else 404)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def packed(changes={}):
    return {f"{name}.gz": gzip.compress(data) for name, data in CONTENTS.items()} | changes


class FetchTests(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(mock.patch.dict(fetch.FILES, small=SMALL))
        self.enterContext(mock.patch.dict(fetch.MIRRORS))
        self.enterContext(mock.patch.object(fetch, "CONNECT_SECONDS", 0.5))
        self.enterContext(contextlib.redirect_stderr(io.StringIO()))
        self.enterContext(contextlib.redirect_stdout(io.StringIO()))

    def mirror(self, answers):
        mirror = Mirror(answers)
        self.addCleanup(mirror.close)
        return mirror

    def fetch(self, *mirrors):
        fetch.MIRRORS["small"] = [mirror.base for mirror in mirrors]
        return fetch.fetch("small", self.directory)

    def present(self):
        return {name for name in os.listdir(self.directory) if not name.startswith(".")}

    def assert_complete(self):
        for name, data in CONTENTS.items():
            with open(os.path.join(self.directory, name), "rb") as file:
                self.assertEqual(file.read(), data)
        self.assertEqual(set(os.listdir(self.directory)), {"images", "labels", ".lock"})

    def test_files_arrive_and_are_not_fetched_again(self):
        mirror = self.mirror(packed())
        self.assertEqual(self.fetch(mirror), [])
        self.assert_complete()
        self.assertEqual(self.fetch(mirror), [])
        self.assertEqual(len(mirror.requests), 2)

    def test_what_is_wrong_cut_or_too_long_is_refused_and_leaves_nothing(self):
        whole = packed()["images.gz"]
        flipped = bytes([CONTENTS["images"][0] ^ 1]) + CONTENTS["images"][1:]
        for label, answer, reason in [
            ("other content", gzip.compress(flipped), "SHA-256 differs"),
            ("a page instead of the file", b"<!DOCTYPE html>", "damaged gzip"),
            ("a connection that breaks", (len(whole), whole[:-9]), "download cut after"),
            ("a cut file", whole[:-9], "wrong length"),
            ("a longer file", gzip.compress(CONTENTS["images"] + b"x"), "wrong length"),
            ("a bomb", gzip.compress(bytes(1 << 22)), "wrong length"),
            ("a large file", bytes(1 << 20), "larger than it should be"),
            ("no answer", None, "no answer within"),
        ]:
            with self.subTest(label):
                reasons = self.fetch(self.mirror(packed({"images.gz": answer})))
                self.assertEqual(len(reasons), 1)
                self.assertIn(reason, reasons[0])
                self.assertEqual(self.present(), set())
                self.assertEqual(os.listdir(self.directory), [".lock"])

    def test_after_a_source_that_fails_the_next_is_asked(self):
        absent, silent, honest = self.mirror({}), self.mirror(packed({"labels.gz": None})), self.mirror(packed())
        self.assertEqual(self.fetch(absent, silent, honest), [])
        self.assert_complete()

    def test_a_damaged_file_is_replaced_and_a_right_one_left_alone(self):
        mirror = self.mirror(packed())
        self.fetch(mirror)
        before = os.stat(os.path.join(self.directory, "labels"))
        with open(os.path.join(self.directory, "images"), "r+b") as file:
            file.write(b"x")
        self.assertEqual(self.fetch(mirror), [])
        self.assert_complete()
        self.assertEqual(os.stat(os.path.join(self.directory, "labels")).st_ino, before.st_ino)
        self.assertEqual(mirror.requests[2:], ["/images.gz"])

    def test_two_at_once(self):
        mirror = self.mirror(packed())
        fetch.MIRRORS["small"] = [mirror.base]
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(fetch.fetch("small", self.directory))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [[], []])
        self.assert_complete()
        self.assertEqual(len(mirror.requests), 2, "the second found the first's files")

    def test_a_flipped_byte_is_seen_whatever_size_and_time_say(self):
        mirror = self.mirror(packed())
        self.fetch(mirror)
        path = os.path.join(self.directory, "images")
        before = os.stat(path)
        with open(path, "r+b") as file:
            file.seek(5000)
            byte = file.read(1)[0]
            file.seek(5000)
            file.write(bytes([byte ^ 1]))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.fetch(mirror), [])
        self.assert_complete()

    def test_what_is_no_file_is_neither_read_nor_replaced(self):
        mirror = self.mirror(packed())
        fetch.MIRRORS["small"] = [mirror.base]
        makers = {"fifo": os.mkfifo, "directory": os.mkdir, "socket": lambda path: socket.socket(socket.AF_UNIX).bind(path)}
        for kind, make in makers.items():
            for name in ("images", "labels", ".lock"):
                with self.subTest(kind=kind, name=name), tempfile.TemporaryDirectory() as directory:
                    path = os.path.join(directory, name)
                    make(path)
                    errors = io.StringIO()
                    with contextlib.redirect_stderr(errors):
                        self.assertEqual(fetch.main("small", directory), 73)
                    self.assertEqual(errors.getvalue(), f"launch/fetch: {path} is no regular file; move it away\n")
                    self.assertFalse(os.path.isfile(path))

    def test_a_signal_leaves_nothing(self):
        """HUP, INT and TERM in the middle of a download; what was ignored at the start stays ignored."""
        mirror = self.mirror(packed({"labels.gz": None}))
        program = (f"import sys; sys.path.insert(0, {os.path.join(LAUNCH, 'lib')!r}); import fetch; fetch.CONNECT_SECONDS = 4; "
                   f"fetch.FILES['small'] = {SMALL!r}; fetch.MIRRORS['small'] = [{mirror.base!r}]; "
                   f"sys.exit(fetch.main('small', {self.directory!r}))")
        for sent in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            for ignored in (False, True):
                with self.subTest(sent=sent.name, ignored=ignored):
                    process = subprocess.Popen(
                        [sys.executable, "-B", "-c", program], stderr=subprocess.PIPE, text=True,
                        preexec_fn=lambda: signal.signal(sent, signal.SIG_IGN if ignored else signal.SIG_DFL))
                    while not [name for name in os.listdir(self.directory) if name.startswith(".fetch-")]:
                        self.assertIsNone(process.poll())
                        time.sleep(0.01)
                    process.send_signal(sent)
                    _, errors = process.communicate(timeout=30)
                    self.assertEqual(process.returncode, 69 if ignored else 128 + sent, errors)
                    self.assertEqual(errors.count("\n"), 1 if ignored else 0)
                    self.assertEqual(os.listdir(self.directory), [".lock"])

    def test_what_a_killed_fetch_left_is_removed(self):
        os.mkdir(os.path.join(self.directory, ".fetch-left"))
        self.assertEqual(self.fetch(self.mirror(packed())), [])
        self.assert_complete()

    def test_a_directory_that_cannot_be_made_is_exit_code_73(self):
        # Not by permissions: root, as which tests run in containers, has them all.
        with open(os.path.join(self.directory, "file"), "w"):
            pass
        self.assertEqual(fetch.main("small", os.path.join(self.directory, "file", "below")), 73)


class PickleTests(unittest.TestCase):
    """Pickles put together by hand, as numpy has Python 2 write them: no numpy is needed to test doing without it."""

    @staticmethod
    def array(shape, code, data):
        return (
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
            + b"(" + b"".join(b"J" + struct.pack("<i", extent) for extent in shape) + b"t"
            + b"cnumpy\ndtype\nU\x02" + code + b"K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            + b"\x89T" + struct.pack("<i", len(data)) + data + b"tb"
        )

    def pickle(self, change=lambda values: values):
        def part(pixels, labels):
            values = array.array("f", change([pixel / 256 for pixel in pixels]))
            if sys.byteorder == "big":
                values.byteswap()
            images = self.array([len(labels), 784], b"f4", values.tobytes())
            return images + self.array([len(labels)], b"i8", struct.pack(f"<{len(labels)}q", *labels)) + b"\x86"

        pixels = [index % 256 for index in range(784)]
        parts = [part(pixels + pixels[::-1], [3, 1]), part(pixels, [4]), part(pixels[::-1], [9])]
        return io.BytesIO(b"\x80\x02" + b"".join(parts) + b"\x87.")

    def test_the_files_come_out(self):
        files = mnist_pickle.idx_files(self.pickle())
        pixels = bytes(index % 256 for index in range(784))
        self.assertEqual(
            files["train-images-idx3-ubyte"],
            struct.pack(">IIII", 2051, 3, 28, 28) + pixels + pixels[::-1] + pixels)
        self.assertEqual(files["train-labels-idx1-ubyte"], struct.pack(">II", 2049, 3) + b"\x03\x01\x04")
        self.assertEqual(files["t10k-images-idx3-ubyte"], struct.pack(">IIII", 2051, 1, 28, 28) + pixels[::-1])
        self.assertEqual(files["t10k-labels-idx1-ubyte"], struct.pack(">II", 2049, 1) + b"\x09")

    def test_values_between_the_pixels_are_refused(self):
        with self.assertRaisesRegex(pickle.UnpicklingError, "multiple of 1/256"):
            mnist_pickle.idx_files(self.pickle(lambda values: [0.3] + values[1:]))

    def test_no_other_code_is_run(self):
        for program in [b"cos\nsystem\n(U\x04trueR.", b"cbuiltins\neval\n.", b"cnumpy\nload\n.", b"cposix\nsystem\n."]:
            with self.assertRaisesRegex(pickle.UnpicklingError, "the pickle asks for"):
                mnist_pickle.idx_files(io.BytesIO(b"\x80\x02" + program))


class CommandTests(unittest.TestCase):
    """The script itself, as far as it comes without a source."""

    def run_fetch(self, *arguments, **environment):
        result = subprocess.run(
            [os.path.join(LAUNCH, "fetch"), *arguments], capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], **environment}, timeout=60)
        self.assertLessEqual(result.stderr.count("\n"), 1, "an error is one line")
        return result

    def test_usage(self):
        for arguments in [[], ["cifar"], ["mnist", "a", "b"], ["mnist", ""], ["mnist"]]:
            self.assertEqual(self.run_fetch(*arguments).returncode, 64, arguments)
        self.assertEqual(self.run_fetch("--help").returncode, 0)

    def test_a_file_that_changed_is_not_taken(self):
        """By its checksum, for it keeps size and time; and a FIFO does not block the script."""
        names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
        cached = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lockstep", "mnist")
        with tempfile.TemporaryDirectory() as directory:
            for name in names:
                shutil.copy2(os.path.join(cached, name), directory)
            # Without Python on the PATH, nothing but the script's own check can succeed.
            tools = os.path.join(directory, "tools")
            os.mkdir(tools)
            for tool in ("bash", "dirname", "cksum"):
                os.symlink(shutil.which(tool), os.path.join(tools, tool))
            self.assertEqual(self.run_fetch("mnist", directory, PATH=tools).stdout, directory + "\n")
            path = os.path.join(directory, names[3])
            before = os.stat(path)
            with open(path, "r+b") as file:
                file.seek(9000)
                byte = file.read(1)[0]
                file.seek(9000)
                file.write(bytes([byte ^ 4]))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            result = self.run_fetch("mnist", directory, PATH=tools)
            self.assertEqual((result.returncode, result.stdout), (69, ""))
            os.remove(path)
            os.mkfifo(path)
            result = self.run_fetch("mnist", directory)
            self.assertEqual((result.returncode, result.stderr), (73, f"launch/fetch: {path} is no regular file; move it away\n"))

    def test_surroundings(self):
        for settings in ({"HOME": "relative"}, {"XDG_CACHE_HOME": "relative"}, {"HOME": ""}, {"XDG_CACHE_HOME": "a", "HOME": "b"}):
            self.assertEqual(self.run_fetch("mnist", **settings).returncode, 64, settings)
        result = self.run_fetch("cifar\n\x1b[2J")
        self.assertIn(r"cifar\n\E[2J", result.stderr)

    def test_a_path_through_a_file_is_exit_code_73(self):
        result = self.run_fetch("mnist", os.path.join(os.path.abspath(__file__), "below"))
        self.assertEqual(result.returncode, 73)


if __name__ == "__main__":
    unittest.main()
