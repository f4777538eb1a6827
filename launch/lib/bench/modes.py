"""The modes of each peer, and which of them are its best: a short probe of every one, then the fastest go into the rounds."""

import itertools
import shutil

from contestants import JAX, PyTorch
from failures import ContestantFailed, say

# Channels-last is a layout of images, so only nets with convolutions of two dimensions can gain by it, or by a product of patches.
IMAGE_NETS = ("article", "keras-convnet", "pytorch-convnet", "vgg", "resnet")
JAX_NETS = (*IMAGE_NETS, "mlp", "rnn", "lstm", "gru", "vit", "gpt", "wavenet")
# Statistics of a batch are not those of its microbatches.
BATCH_NORM_NETS = ("resnet",)
# The longest that a probe may last, the compiler's time included: what takes longer is left out.
PROBE_SECONDS = 240


def pytorch_modes(options, python, model):
    """Eager or compiled, in single precision or bf16 autocast, with channels first or last: one process of two threads, and DDP."""
    layouts = (False, True) if model in IMAGE_NETS else (False,)
    for is_compiled, is_bf16, is_last, (ranks, threads) in itertools.product((False, True), (False, True), layouts, ((1, 2), (2, 1))):
        parts = [("channels-last", is_last), ("bf16", is_bf16), ("compile", is_compiled)]
        words = [word for word, is_on in parts if is_on]
        yield PyTorch(
            f"PyTorch {' + '.join(words) or 'eager'}, {'DDP, 2 ranks' if ranks > 1 else '2 threads'}", options, python, ranks, threads,
            *(f"--{word}" for word in words), precision="bf16" if is_bf16 else "fp32")


def jax_modes(options, python, model):
    """Single precision or bf16, XLA's convolution or a product of patches, one process or two; whole batches or microbatches."""
    if model not in JAX_NETS:
        return
    parts = [("", ()), ("microbatches", ("--microbatch", 32))]
    if model in BATCH_NORM_NETS:
        parts = parts[:1]
    if model in IMAGE_NETS:
        patches = [("patches", ("--form", "patches")), ("patches + microbatches", ("--form", "patches", "--microbatch", 32))]
        parts = [("", ()), patches[model not in BATCH_NORM_NETS]]
    for is_bf16, (form, flags), processes in itertools.product((False, True), parts, (1, 2)):
        words = " + ".join(word for word in (form, "bf16" if is_bf16 else "") if word) or "jit"
        yield JAX(
            f"JAX {words}, {'2 processes' if processes > 1 else '1 process'}", options, python, *flags, "--processes", processes,
            *(["--bf16"] if is_bf16 else []), precision="bf16" if is_bf16 else "fp32")


def modes(options, peers, model):
    """Every mode of every peer that there is, and the names of those that cannot be, with the reason."""
    wanted = [*(pytorch_modes(options, peers.python, model) if peers.torch else ()),
              *(jax_modes(options, peers.python, model) if peers.jax else ())]
    left_out = {}
    if not shutil.which("g++"):
        left_out = {mode.name: "no g++, which torch.compile needs" for mode in wanted if "--compile" in mode.flags}
    return [mode for mode in wanted if mode.name not in left_out], left_out


class Probes:
    """Every mode's short run on one net and batch. `figures` are by the mode's name; `left_out` are the reasons of those without."""

    def __init__(self, modes, left_out, measure):
        """`measure` runs a mode and has its figures, or raises ContestantFailed."""
        self.modes, self.left_out, self.figures = modes, dict(left_out), {}
        for name, reason in left_out.items():
            say(f"{name} is left out: {reason}")
        for mode in modes:
            try:
                self.figures[mode.name] = measure(mode)
            except ContestantFailed as failure:
                self.left_out[mode.name] = str(failure).removeprefix(f"{mode.name} ")
                say(f"{failure}; left out")

    def speed(self, mode):
        return self.figures[mode.name]["samples_per_second"]

    def seconds(self, mode, samples):
        """An estimate of a whole process over so many samples."""
        return self.figures[mode.name]["seconds_to_first_step"] + samples / self.speed(mode)

    def best(self, count, kind=object, key=None):
        """The `count` best modes in full precision and the `count` best at any, the best first, none twice; by speed, or the least `key`."""
        probed = [mode for mode in self.modes if mode.name in self.figures and isinstance(mode, kind)]
        ranked = sorted(probed, key=key or (lambda mode: -self.speed(mode)))
        full = [mode for mode in ranked if mode.precision == "fp32"][:count]
        return [mode for mode in ranked if mode in full or mode in ranked[:count]]

    @property
    def seconds_to_first_step(self):
        """The soonest first step of any mode, or None."""
        return min((figures["seconds_to_first_step"] for figures in self.figures.values()), default=None)
