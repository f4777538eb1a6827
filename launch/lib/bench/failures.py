"""How the bench ends, and what it says of a contestant that failed."""

import sys


def say(line):
    print(f"launch/bench: {line}", file=sys.stderr, flush=True)


def tell(line):
    """Says what is about to take a while, to a person who looks on; a log does without."""
    if sys.stderr.isatty():
        say(line)


def fail(code, line):
    say(line)
    sys.exit(code)


class ContestantFailed(Exception):
    """A run that ended otherwise than it should, with the one line of its standard error that says why."""

    def __init__(self, name, done):
        super().__init__(f"{name} ended with {done.returncode}: {telling_line(done.stderr) or 'no word'}")


class ContestantStopped(ContestantFailed):
    """A run that was not done in its time."""

    def __init__(self, name, seconds):
        Exception.__init__(self, f"{name} was not done after {seconds:.0f} s")


def telling_line(text):
    """Python ends a traceback with the error, torchrun frames its own in rules, and mpirun adds advice behind."""
    lines = [line.strip() for line in text.splitlines() if any(character.isalnum() for character in line)]
    errors = [line for line in lines if "Error" in line or "error:" in line.lower()]
    # torchrun's own error says only that a rank failed; the rank's came before it.
    own = [line for line in errors if "ChildFailedError" not in line]
    return (own or errors or lines or [""])[-1]
