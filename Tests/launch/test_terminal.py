"""The built program on a real pseudo-terminal: python3 Tests/launch/test_terminal.py

A line that is drawn again and again is narrower than the terminal, also after that has changed its size, and nothing of it is left behind.
"""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from checkout import REPOSITORY, jobs

ERASE = "\x1b[K"
HOME, WIPE = "\x1b[H", "\x1b[J"


class Screen:
    """The rows that a terminal shows, of any number, for the few sequences that the program writes."""

    def __init__(self, columns):
        self.columns, self.next_columns, self.on_the_way = columns, columns, 0
        self.rows, self.row, self.column = [""], 0, 0

    def take(self, text):
        for part in re.split(f"({re.escape(ERASE)})", text):
            if part == ERASE:
                self.rows[self.row] = self.rows[self.row][:self.column]
                self.has_drawn()
            else:
                for character in part:
                    self.put(character)

    def set_columns(self, columns):
        """Two lines that are drawn next may be of either size: they were on their way while it changed."""
        self.columns, self.next_columns, self.on_the_way = max(self.columns, columns), columns, 2

    def has_drawn(self):
        self.on_the_way -= 1
        if self.on_the_way == 0:
            self.columns = self.next_columns
            self.rows = [row[:self.columns] for row in self.rows]
            self.column = min(self.column, self.columns - 1)

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.advance()
        elif character.isprintable():
            if self.column == self.columns:
                self.column = 0
                self.advance()
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[:self.column] + character + row[self.column + 1:]
            self.column += 1
        else:
            raise AssertionError(f"a character that is not expected: {character!r}")

    def advance(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")


class Session:
    """A command on a pseudo-terminal of its own, which is its controlling terminal."""

    def __init__(self, command, columns, screen=True, **environment):
        self.screen, self.text = Screen(columns) if screen else None, ""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_", "LOCKSTEP_"))}
        clean |= {"TERM": "xterm", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} | environment
        self.master, slave = pty.openpty()
        self.set_columns(columns)

        def begin():
            jobs.heed_signals()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([str(word) for word in command], stdin=slave, stdout=slave, stderr=slave, env=clean,
                                        start_new_session=True, preexec_fn=begin)
        os.close(slave)

    def set_columns(self, columns):
        """As a window does: the terminal's driver sends WINCH to who is in front."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        if self.screen:
            self.screen.set_columns(columns)

    def read(self, until=None, limit=90):
        """Takes what comes until `until` holds, or to the end."""
        pending, deadline = b"", time.monotonic() + limit
        while until is None or not until():
            if time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"nothing more came: {self.text[-500:]!r}")
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                pending += os.read(self.master, 4096)
            except OSError:
                break
            # A character may be cut in two.
            text = pending.decode(errors="ignore")
            pending = pending[len(text.encode()):]
            self.text += text
            if self.screen:
                self.screen.take(text)

    def draws(self):
        return self.text.count(ERASE)

    def end(self):
        self.read()
        code = self.process.wait(30)
        os.close(self.master)
        return code


class TerminalTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = jobs.built_program()
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-terminal-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        # Epochs of half a second or so, in which a line is drawn some times.
        cls.data = cls.directory / "data"
        cls.data.mkdir()
        for part, count in (("train", 2000), ("t10k", 64)):
            cls.write_images(cls.data, part, count)
        # One step, and then an evaluation of some seconds.
        cls.slow_data = cls.directory / "slow-data"
        cls.slow_data.mkdir()
        for part, count in (("train", 64), ("t10k", 10_000)):
            cls.write_images(cls.slow_data, part, count)
        shutil.copytree(os.path.join(REPOSITORY, "launch"), cls.directory / "checkout" / "launch")
        for name, text in (("setup", ""), ("fetch", ""), ("build", f"echo '{cls.program}'\n")):
            script = cls.directory / "checkout" / "launch" / name
            script.write_text("#!/bin/sh\n" + text)
            script.chmod(0o755)

    @staticmethod
    def write_images(directory, part, count):
        pixels = bytes(index * 37 % 251 for index in range(28 * 28)) * count
        (directory / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, count, 28, 28) + pixels)
        labels = bytes(index % 10 for index in range(count))
        (directory / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + labels)

    def training(self, epochs):
        run = pathlib.Path(tempfile.mkdtemp(dir=self.directory)) / "run"
        return ["train", "--data", self.data, "--model", "pytorch-convnet", "--epochs", epochs, "--run-dir", run]

    def solo(self, epochs=2):
        return [self.program, *self.training(epochs)]

    def script(self, epochs=2):
        return [self.directory / "checkout" / "launch" / "train", "-n", "2", *self.training(epochs)[1:]]

    def check_screen(self, session, columns):
        """Every drawn line is narrower than the terminal was, and on the screen is each epoch's one last line."""
        epochs = session.text.count("val_loss: ")
        shown = "".join(row.ljust(session.screen.columns) for row in session.screen.rows)
        self.assertEqual(len(re.findall(r"Epoch \d+/\d+ [━╌]", shown)), epochs, "\n".join(session.screen.rows))
        self.assertNotIn(" left - ", shown, "\n".join(session.screen.rows))
        for draw in re.findall(r"\r([^\r\n\x1b]*)" + re.escape(ERASE), session.text):
            self.assertLess(len(draw), max(columns), draw)

    def test_lines_fit(self):
        for columns in (40, 80):
            for command in (self.solo(), self.script()):
                with self.subTest(columns=columns, command=str(command[0])[-12:]):
                    session = Session(command, columns)
                    self.assertEqual(session.end(), 0, session.text)
                    self.assertGreater(session.draws(), 2, "no line was drawn again")
                    self.check_screen(session, [columns])

    def test_follows_the_size(self):
        for sizes in ([80, 40], [40, 100, 60], [120, 20]):
            for command in (self.solo(500), self.script(500)):
                with self.subTest(sizes=sizes, command=str(command[0])[-12:]):
                    session = Session(command, sizes[0])
                    widest = []
                    for columns in sizes[1:]:
                        before = session.draws()
                        session.read(lambda: session.draws() >= before + 3)
                        session.set_columns(columns)
                        # Those that were on their way.
                        before = session.draws()
                        session.read(lambda: session.draws() >= before + 2)
                        start = len(session.text)
                        session.read(lambda: session.draws() >= before + 4)
                        widest += [(columns, draw) for draw in re.findall(r"\r([^\r\n\x1b]*)" + re.escape(ERASE), session.text[start:])]
                    os.write(session.master, b"\x03")
                    self.assertEqual(session.end(), 75, session.text)
                    self.assertTrue(widest)
                    for columns, draw in widest:
                        self.assertLess(len(draw), columns, draw)
                    self.check_screen(session, sizes)

    def test_no_bar_on_a_dumb_terminal(self):
        for kind in ("dumb", ""):
            for command in (self.solo(1), self.script(1)):
                with self.subTest(kind=kind, command=str(command[0])[-12:]):
                    session = Session(command, 80, TERM=kind)
                    self.assertEqual(session.end(), 0, session.text)
                    self.assertNotRegex(session.text, r"\x1b|\r(?!\n)|━|╌")
                    self.assertIn("Epoch 1/1", session.text)

    def test_control_c(self):
        for columns in (40, 80):
            for command in (self.solo(50), self.script(50)):
                with self.subTest(columns=columns, command=str(command[0])[-12:]):
                    session = Session(command, columns)
                    session.read(lambda: session.draws() >= 3)
                    os.write(session.master, b"\x03")
                    self.assertEqual(session.end(), 75, session.text)
                    said = [line for line in session.text.splitlines() if "stopped by" in line or "lockstep: " in line or "launch/train: " in line]
                    self.assertEqual(len(said), 1, session.text)
                    shown = "\n".join(session.screen.rows)
                    self.check_screen(session, [columns])
                    self.assertIn("lockstep: stopped by a signal", shown.replace("\n", ""))

    def slow(self, *more):
        run = pathlib.Path(tempfile.mkdtemp(dir=self.directory)) / "run"
        return ["--data", self.slow_data, "--model", "resnet", "--max-steps", "1", "--run-dir", run, *more]

    def test_a_long_wait_says_what_it_is_for(self):
        launcher = self.directory / "checkout" / "launch" / "train"
        # One rank, because more might be done within two seconds.
        for columns, command in ((30, [self.program, "train"]), (80, [launcher, "-n", "1"])):
            with self.subTest(columns=columns):
                session = Session([*command, *self.slow()], columns)
                self.assertEqual(session.end(), 0, session.text)
                draws = re.findall(r"\r([^\r\n\x1b]*)" + re.escape(ERASE), session.text)
                waits = [draw for draw in draws if draw.startswith("evaluating on 10,000 sam")]
                self.assertTrue(waits, draws)
                for draw in draws:
                    self.assertLess(len(draw), columns, draw)
                if columns == 80:
                    for wait in waits:
                        self.assertRegex(wait, "^evaluating on 10,000 samples … ([2-9]|[0-9]{2}) s$")
                # It is gone, and the lines behind it are where they belong.
                shown = "\n".join(session.screen.rows)
                self.assertNotIn("evaluating", shown)
                self.assertNotIn("making the report", shown)
                self.assertRegex(shown.replace("\n", ""), "Epoch 1/.*val_loss: .*weights digest: .*Report: ")

    def test_commands_say_what_they_wait_for(self):
        trained = self.slow("--no-report", "--quiet")
        session = Session([self.program, "train", *trained], 80)
        self.assertEqual(session.end(), 0, session.text)
        # Nothing but the results.
        self.assertNotRegex(session.text, r"\x1b|\r(?!\n)|evaluating")
        run = trained[trained.index("--run-dir") + 1]
        session = Session([self.program, "evaluate", run, "--data", self.slow_data], 80)
        self.assertEqual(session.end(), 0, session.text)
        self.assertIn("\revaluating on 10,000 samples … 2 s" + ERASE, session.text)
        self.assertNotIn("evaluating", "\n".join(session.screen.rows))
        self.assertIn("Test loss: ", "\n".join(session.screen.rows))
        # One that lasts as long as this test wants: until there is a picture. An error takes the line's place.
        session = Session([self.program, "predict", "--run-dir", run, "-"], 80)
        session.read(lambda: "looking at the picture … 4 s" in session.text)
        os.write(session.master, b"\x04")
        self.assertEqual(session.end(), 65, session.text)
        rows = [row.rstrip() for row in session.screen.rows if row.strip(" ^D\b")]
        self.assertEqual(len(rows), 1, rows)
        self.assertIn("lockstep: standard input: ", rows[0])
        # In a log, nothing before ten seconds, and then one line, apart from the results.
        process = subprocess.Popen([self.program, "predict", "--run-dir", run, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.assertFalse(select.select([process.stderr], [], [], 8)[0])
        self.assertEqual(process.stderr.readline(), "lockstep: looking at the picture\n")
        time.sleep(3)
        output, errors = process.communicate("no picture")
        self.assertEqual((process.returncode, output), (65, ""))
        self.assertEqual(errors.count("\n"), 1, errors)

    def test_hosts_are_named_that_are_waited_for(self):
        hostfile = self.directory / "hosts"
        hostfile.write_text("localhost\n")
        for seconds, said in ((4, "launch/hosts: waiting for localhost\r\n"), (0, "")):
            session = Session([os.path.join(REPOSITORY, "launch", "hosts"), hostfile, "sleep", seconds], 80)
            self.assertEqual(session.end(), 0, session.text)
            self.assertEqual(session.text, said)

    def test_a_watched_run_fills_the_screen(self):
        """A page at a time, which fits, until the run is over."""
        arguments = self.training(500)
        for columns in (30, 100):
            with self.subTest(columns=columns):
                run = arguments[-1].with_name(f"run-{columns}")
                training = subprocess.Popen([self.program, *map(str, arguments[:-1]), run], stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL, preexec_fn=jobs.heed_signals)
                try:
                    deadline = time.monotonic() + 60
                    while not (run / "status.json").exists():
                        self.assertLess(time.monotonic(), deadline)
                        time.sleep(0.1)
                    session = Session([self.program, "top", run], columns, screen=False)
                    session.read(lambda: session.text.count(WIPE) >= 3)
                finally:
                    training.send_signal(signal.SIGINT)
                self.assertEqual(training.wait(60), 75)
                self.assertEqual(session.end(), 0, session.text)
                pages = session.text.split(HOME)
                self.assertEqual(pages[0], "")
                for page in pages[1:]:
                    lines = page.removesuffix(WIPE).split(ERASE + "\r\n")
                    self.assertEqual(lines.pop(), "", page)
                    self.assertLess(len(lines), 24)
                    for line in lines:
                        self.assertLess(len(line), columns)
                        self.assertTrue(line.isprintable(), line)
                self.assertIn("stopped", pages[-1])

    def test_a_line_before_the_bar_is_wiped_away(self):
        """As where mpirun passes on standard error first."""
        lines = f"source '{REPOSITORY}/launch/lib/reason.sh'; printf 'Epoch 1/50 bar'; echo 'lockstep: stopped' | hold /dev/null"
        session = Session(["bash", "-c", lines], 80)
        self.assertEqual(session.end(), 0, session.text)
        self.assertEqual([row.rstrip() for row in session.screen.rows if row.strip()], ["lockstep: stopped"])


if __name__ == "__main__":
    unittest.main()
