"""The Python that the peers run on, with what could be installed for them."""

import os
import pathlib
import subprocess
import sys

from failures import fail, say, tell


def cache():
    """Where launch/ keeps what can be had again; as launch/lib/say.sh has it, only absolute paths count."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    if not home.startswith("/"):
        home = os.path.join(os.environ.get("HOME", ""), ".cache")
    if not home.startswith("/"):
        fail(64, "neither XDG_CACHE_HOME nor HOME is set to an absolute path; set one")
    return pathlib.Path(home) / "lockstep"


class Peers:
    """A virtual environment in the cache directory. Its packages are versions, or None where they cannot be had."""

    def __init__(self, is_wanted, wants_keras, wants_private, wants_jax):
        self.python = cache() / "peers" / "bin" / "python"
        self.torch = self._install("torch", ["torch", "numpy"]) if is_wanted else None
        self.tensorflow = self._install("tensorflow", ["tensorflow-cpu", "numpy"]) if is_wanted and wants_keras else None
        self.opacus = self._install("opacus", ["opacus", "torch", "numpy"]) if is_wanted and wants_private else None
        self.jax = self._install("jax", ["jax[cpu]", "numpy"]) if is_wanted and wants_jax else None

    def _version(self, module):
        if not self.python.exists():
            return None
        tell(f"looking for {module}")
        question = f"import numpy, importlib.metadata as m; import {module}; print({module}.__version__)"
        done = subprocess.run([self.python, "-c", question], capture_output=True, text=True)
        return done.stdout.split("+")[0].strip() if done.returncode == 0 else None

    def _install(self, module, packages):
        if version := self._version(module):
            return version
        say(f"installing {packages[0]}")
        steps = [[self.python, "-m", "pip", "install", "-q", *packages]]
        if not self.python.exists():
            steps.insert(0, [sys.executable, "-m", "venv", self.python.parent.parent])
        try:
            for step in steps:
                subprocess.run(step, stdout=sys.stderr, check=True, timeout=1800)
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{packages[0]} cannot be installed ({error}); going on without")
            return None
        return self._version(module)
