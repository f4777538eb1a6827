"""Weights exchanged between Lockstep's tests and the models of zoo.py: torch_weights.py DIRECTORY MODEL ...

For each MODEL the directory has MODEL.inputs.safetensors (inputs, as Lockstep takes them) and MODEL.ours.safetensors, which
must be taken strictly. Written are MODEL.theirs.safetensors, other weights of PyTorch's, and MODEL.results.safetensors: the
logits of both (ours, theirs), and of theirs the loss, summed over the samples, and its gradients (gradient.NAME) in training,
without dropout. For recurrent models MODEL.second.safetensors are the same with a second bias, and `second` are its logits; for gru
that of the gate n is zero, and in gru.refused.safetensors it is not. For article MODEL.keras.safetensors are theirs as Keras
has them, and `keras` are logits worked out channels last.
"""
import copy
import math
import pathlib
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import zoo

directory, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
torch.manual_seed(0)
torch.set_num_threads(1)


def build(name):
    return zoo.Rows(nn.GRU) if name == "gru" else zoo.build(name.replace("-", "_"))


def images(name, inputs):
    if name == "gpt":  # the model pools 2x2 pixels itself
        inputs = inputs.reshape(-1, 14, 14).repeat_interleave(2, 1).repeat_interleave(2, 2)
    return inputs.reshape(-1, 1, 28, 28)


def save(tensors, name):
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, directory / f"{name}.safetensors")


@torch.no_grad()
def logits(model, x):
    return model.eval()(x).flatten(1)


@torch.no_grad()
def stir(model):
    """Moves biases, scales and averages away from where they start."""
    for p in model.parameters():
        if p.requires_grad:
            p.add_(0.1 * torch.randn_like(p) if p.dim() < 2 else 0.02 * torch.randn_like(p))
    for b in model.buffers():
        b.add_(0.3 * torch.rand_like(b) if b.is_floating_point() else 7)


@torch.no_grad()
def margin(model, x):
    """The smallest distance of a rectifier's input from its kink, where rounding decides what the gradient is."""
    distances, relu = [math.inf], F.relu
    F.relu = lambda h, inplace=False: distances.append(h.abs().min().item()) or relu(h)
    copy.deepcopy(model).train()(x)
    F.relu = relu
    return min(distances)


def stirred(name, x):
    """A model without dropout, of several the one that is the farthest from kinks."""
    models = [build(name) for _ in range(20 if name == "resnet" else 1)]
    for model in models:
        stir(model)
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0
    return max(models, key=lambda model: margin(model, x))


def channels_last(weights, x):
    """The article's network as Keras computes it."""
    h = F.conv2d(x, weights["conv2d/kernel"].permute(3, 2, 0, 1), weights["conv2d/bias"])
    h = F.max_pool2d(F.relu(h), 2).permute(0, 2, 3, 1).flatten(1)
    return h @ weights["dense/kernel"] + weights["dense/bias"]


def with_second_bias(name, model, x):
    second = model.rnn.bias_hh_l0.data
    second.copy_(0.3 * torch.randn_like(second))
    if name == "gru":
        save(model.state_dict(), "gru.refused")
        second[256:] = 0
    save(model.state_dict(), f"{name}.second")
    return logits(model, x)


for name in names:
    x = images(name, load_file(directory / f"{name}.inputs.safetensors")["inputs"])
    y = torch.arange(len(x)) * 3 % 10
    model = build(name)
    model.load_state_dict(load_file(directory / f"{name}.ours.safetensors"), strict=True)
    results = {"ours": logits(model, x)}

    model = stirred(name, x)
    save(model.state_dict(), f"{name}.theirs")
    results["theirs"] = logits(model, x)
    model.train()
    loss = zoo.loss(name, model, x, y) * len(x) * {"gpt": 196, "wavenet": 784}.get(name, 1)
    loss.backward()
    results["loss"] = loss
    results |= {f"gradient.{key}": p.grad for key, p in model.named_parameters() if p.grad is not None}

    if name in ("rnn", "lstm", "gru"):
        results["second"] = with_second_bias(name, model, x)
    if name == "article":
        weights = {
            "conv2d/kernel": torch.randn(3, 3, 1, 32) * 0.3, "conv2d/bias": torch.randn(32) * 0.1,
            "dense/kernel": torch.randn(5408, 10) * 0.02, "dense/bias": torch.randn(10)}
        save(weights, "article.keras")
        results["keras"] = channels_last(weights, x)
    save(results, f"{name}.results")
