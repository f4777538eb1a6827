"""Captum's maps of the zoo's nets beside ours: python captum_maps.py DIRECTORY MODEL...

For each model the directory holds MODEL.weights.safetensors, by PyTorch's names, and MODEL.maps.safetensors: `inputs` [pictures, rows, columns],
`targets`, `noisy` (the copies of SmoothGrad), `orders` (the permutations of Shapley's values), `squares` (the square of each pixel), and a map
a method. Prints a line for each model and method: the largest difference of a value, as a part of the largest value of Captum's map.

Captum works in double precision here. A rectifier has no slope at 0, and where a sum is 0 up to its rounding, single precision may stand on the
wrong side of it, which a map of few slopes shows.
"""
import sys, pathlib, warnings
import torch, torch.nn as nn
from safetensors.torch import load_file
from captum.attr import (FeatureAblation, IntegratedGradients, LayerGradCam, Occlusion, Saliency, ShapleyValueSampling)

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import zoo

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
STEPS, WINDOW, STRIDE = 50, 4, 3


def rollout(model, x):
    weights = []

    def look(block, inputs, _):
        n, t, d = inputs[0].shape
        q, k, _ = (a.view(n, t, block.h, d // block.h).transpose(1, 2) for a in block.qkv(block.n1(inputs[0])).chunk(3, -1))
        weights.append(torch.softmax(q @ k.transpose(-1, -2) / (d // block.h) ** 0.5, -1))

    hooks = [b.register_forward_hook(look) for b in model.blocks]
    model(x)
    for hook in hooks: hook.remove()
    result = torch.eye(weights[0].shape[-1], dtype=torch.double)
    for a in weights:
        a = a.mean(1)[0] + torch.eye(a.shape[-1], dtype=torch.double)
        result = (a / a.sum(-1, keepdim=True)) @ result
    return result[0, 1:].reshape(7, 7).repeat_interleave(4, 0).repeat_interleave(4, 1)


def maps(model, x, target, ours):
    """Name and map [rows, columns] of each method for one picture x [1, 1, rows, columns]."""
    saliency = Saliency(model)
    yield "saliency", saliency.attribute(x, target=target)
    noisy = ours["noisy"].reshape(-1, 1, 28, 28).double()
    slopes = [saliency.attribute(noisy[i:i + 1].clone(), target=target, abs=False) for i in range(len(noisy))]
    yield "smoothgrad", torch.cat(slopes).mean(0)
    integrated = IntegratedGradients(model)
    # Large nets take their time: each method is compared on them, and its variants on the others.
    is_small = isinstance(model, (nn.Sequential, zoo.Rows)) and len(list(model.modules())) < 20
    for rule in ("gausslegendre", "riemann_middle", "riemann_left", "riemann_right")[: 4 if is_small else 1]:
        yield rule, integrated.attribute(x, target=target, n_steps=STEPS, method=rule)
    yield "occlusion", Occlusion(model).attribute(x, target=target, sliding_window_shapes=(1, WINDOW, WINDOW), strides=(1, STRIDE, STRIDE), baselines=0.25)
    if is_small: yield "ablation", FeatureAblation(model).attribute(x, target=target, perturbations_per_eval=98)
    sampling = ShapleyValueSampling(model)
    sampling.permutation_generator = lambda count, samples: (order.tolist() for order in ours["orders"])
    squares = ours["squares"].reshape(1, 1, 28, 28)
    yield "shapley", sampling.attribute(x, target=target, feature_mask=squares, n_samples=len(ours["orders"]))
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    if "grad-cam" in ours:
        yield "grad-cam", LayerGradCam(model, convolutions[-1]).attribute(x, target=target)
    if "rollout" in ours:
        yield "rollout", rollout(model, x)


directory = pathlib.Path(sys.argv[1])
for name in sys.argv[2:]:
    model = getattr(zoo, name)().eval().double()
    weights = load_file(directory / f"{name}.weights.safetensors")
    missing = model.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys and all(k.endswith("bias_hh_l0") for k in missing.missing_keys), missing
    ours = load_file(directory / f"{name}.maps.safetensors")
    for picture, target in enumerate(ours["targets"].tolist()):
        x = ours["inputs"][picture].reshape(1, 1, 28, 28).double()
        own = {key: value[picture] for key, value in ours.items() if key not in ("orders", "squares")}
        own |= {"orders": ours["orders"], "squares": ours["squares"]}
        for method, found in maps(model, x, target, own):
            wanted, given = found.detach().double().flatten(), own[method].double().flatten()
            difference = (wanted - given).abs().max() / wanted.abs().max().clamp_min(1e-12)
            print(name, picture, method, difference.item())
