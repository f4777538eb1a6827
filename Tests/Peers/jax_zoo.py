"""JAX on the trainer's own work: the nets of zoo.py, same data, same global batch, Adam, in one jitted step on all cores.

  python jax_zoo.py --data DIR --model article --global-batch 256 --form patches --processes 2
  python jax_zoo.py --check      # every net against zoo.py: parameters, and the loss of the same weights (needs PyTorch)

DIR holds MNIST's four IDX files, unpacked. The data is on the device, and a batch is gathered inside the step. The ways in which JAX can be
faster, alone and together; the best of all is the peer:
  --bf16          operands of products in bfloat16, sums and weights in single precision
  --form patches  a 3x3 convolution as a product of the patches, cut out by slices, with the weights, instead of XLA's convolution
  --processes 2   half of the batch and of the cores for each of two processes, gradients summed by gloo, instead of one process on all
                  cores (two devices in one process wait for each other forever where both need the one pool of threads)
  --microbatch N  gradients summed over microbatches of N samples, which stay in the cache, by a scan
The last line is the figure: samples/s over the training steps alone, and the seconds from the process' start to the first step.
"""
import argparse, glob, os, socket, subprocess, sys, time
t0 = time.time()
import numpy as np

names = {  # and zoo.py's numbers of parameters
    "article": 54_410, "mlp": 669_706, "keras_convnet": 34_826, "pytorch_convnet": 1_199_882, "vgg": 584_170, "resnet": 272_186,
    "rnn": 21_386, "lstm": 81_674, "gru": 61_578, "vit": 205_962, "gpt": 212_930, "wavenet": 76_513}
a = argparse.ArgumentParser()
a.add_argument("--data"); a.add_argument("--model", default="article", choices=names); a.add_argument("--check", action="store_true")
a.add_argument("--epochs", type=int, default=1); a.add_argument("--steps", type=int, default=0, help="stop an epoch after this many")
a.add_argument("--global-batch", type=int, default=256); a.add_argument("--seed", type=int, default=0)
a.add_argument("--bf16", action="store_true"); a.add_argument("--form", default="convolution", choices=["convolution", "patches"])
a.add_argument("--processes", type=int, default=1); a.add_argument("--microbatch", type=int, default=0)
a = a.parse_args()
rank = int(os.environ.get("RANK", 0))
if a.processes > 1:
    if "RANK" not in os.environ:
        with socket.socket() as free: free.bind(("127.0.0.1", 0)); os.environ["PORT"] = str(free.getsockname()[1])
        others = [subprocess.Popen([sys.executable, "-B", *sys.argv], env=dict(os.environ, RANK=str(r))) for r in range(1, a.processes)]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[rank::a.processes])
import jax, jax.numpy as jnp
from jax.sharding import PartitionSpec
if a.processes > 1:
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{os.environ['PORT']}", a.processes, rank)
jax.config.update("jax_default_prng_impl", "rbg")     # faster masks than threefry's
relu = jax.nn.relu


class Pass:
    """A pass through a net, written once: it takes the net's weights in zoo.py's order, or, without any, notes their shapes."""

    def __init__(self, weights=None, averages=None, key=None):
        self.weights, self.averages, self.key = weights and iter(weights), averages and iter(averages), key
        self.shapes, self.fills, self.new_averages = [], [], []

    def weight(self, *shape, fill=None):
        if self.weights: return next(self.weights)
        self.shapes.append(shape); self.fills.append(fill)
        return jnp.zeros(shape)

    def product(self, x, w):
        if a.bf16: x, w = x.astype(jnp.bfloat16), w.astype(jnp.bfloat16)
        return jax.lax.dot_general(x, w, (((x.ndim - 1,), (0,)), ((), ())), preferred_element_type=jnp.float32)

    def dense(self, x, outputs):
        return self.product(x, self.weight(x.shape[-1], outputs)) + self.weight(outputs, fill=0)

    def conv(self, x, outputs, size=3, stride=1, pad=0, bias=True):
        w = self.weight(size, size, x.shape[-1], outputs)
        if a.form == "patches" and stride == 1 and size > 1:
            x = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
            if a.bf16: x = x.astype(jnp.bfloat16)
            h, v = x.shape[1] - size + 1, x.shape[2] - size + 1
            patches = jnp.concatenate([x[:, i:i + h, j:j + v] for i in range(size) for j in range(size)], -1)
            y = self.product(patches, w.reshape(-1, outputs))
        else:
            if a.bf16: x, w = x.astype(jnp.bfloat16), w.astype(jnp.bfloat16)
            y = jax.lax.conv_general_dilated(x, w, (stride, stride), [(pad, pad)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC"))
            y = y.astype(jnp.float32)
        return y + self.weight(outputs, fill=0) if bias else y

    def dropout(self, x, rate):
        if self.key is None: return x
        self.key, key = jax.random.split(self.key)
        return jnp.where(jax.random.bits(key, x.shape, jnp.uint8) >= int(256 * rate), x / (1 - rate), 0)

    def batch_norm(self, x):
        scale, shift = self.weight(x.shape[-1], fill=1), self.weight(x.shape[-1], fill=0)
        mean = x.mean((0, 1, 2)); variance = (x * x).mean((0, 1, 2)) - mean * mean
        old = next(self.averages) if self.averages else jnp.stack([mean * 0, variance * 0 + 1])
        self.new_averages.append(0.9 * old + 0.1 * jnp.stack([mean, variance]))
        return (x - mean) * (jax.lax.rsqrt(variance + 1e-5) * scale) + shift

    def layer_norm(self, x):
        scale, shift = self.weight(x.shape[-1], fill=1), self.weight(x.shape[-1], fill=0)
        x = x - x.mean(-1, keepdims=True)
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * scale + shift


def pool(x):              # four slices: the gradient of XLA's window reduction is a slow scatter
    h, w = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    x = x[:, :h, :w].reshape(len(x), h // 2, 2, w // 2, 2, -1)
    return jnp.maximum(jnp.maximum(x[:, :, 0, :, 0], x[:, :, 0, :, 1]), jnp.maximum(x[:, :, 1, :, 0], x[:, :, 1, :, 1]))


flat = lambda x: x.reshape(len(x), -1)


def article(p, x): return p.dense(flat(pool(relu(p.conv(x, 32)))), 10)


def mlp(p, x): return p.dense(relu(p.dense(relu(p.dense(flat(x), 512)), 512)), 10)


def keras_convnet(p, x):
    x = pool(relu(p.conv(pool(relu(p.conv(x, 32))), 64)))
    return p.dense(p.dropout(flat(x), 0.5), 10)


def pytorch_convnet(p, x):
    x = p.dropout(pool(relu(p.conv(relu(p.conv(x, 32)), 64))), 0.25)
    return p.dense(p.dropout(relu(p.dense(flat(x), 128)), 0.5), 10)


def vgg(p, x):
    for outputs in (32, 64, 128): x = pool(relu(p.conv(relu(p.conv(x, outputs, pad=1)), outputs, pad=1)))
    return p.dense(p.dropout(relu(p.dense(flat(x), 256)), 0.5), 10)


def resnet(p, x):
    x = relu(p.batch_norm(p.conv(x, 16, pad=1, bias=False)))
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        for block in range(3):
            s = stride if block == 0 else 1
            y = relu(p.batch_norm(p.conv(x, outputs, stride=s, pad=1, bias=False)))
            y = p.batch_norm(p.conv(y, outputs, pad=1, bias=False))
            x = relu(y + (x if s == 1 else p.batch_norm(p.conv(x, outputs, size=1, stride=s, bias=False))))
    return p.dense(x.mean((1, 2)), 10)


def rows(p, x, gates, cell, state):     # the inputs' products of all rows at once; the loop has the hidden state's alone
    x, inputs, hidden, bias = x.reshape(-1, 28, 28), p.weight(28, gates * 128), p.weight(128, gates * 128), p.weight(gates * 128, fill=0)
    z = (p.product(x, inputs) + bias).swapaxes(0, 1)
    start = tuple(jnp.zeros((len(x), 128)) + 0 * x[:, 0, :1] for _ in range(state))
    h = jax.lax.scan(lambda h, z: (cell(h, z, p.product(h[0], hidden)), None), start, z)[0][0]
    return p.dense(h, 10)


def lstm_cell(h, z, y):
    i, f, g, o = jnp.split(z + y, 4, -1)
    c = jax.nn.sigmoid(f) * h[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru_cell(h, z, y):
    (zr, zu, zn), (yr, yu, yn) = jnp.split(z, 3, -1), jnp.split(y, 3, -1)
    u = jax.nn.sigmoid(zu + yu)
    return ((1 - u) * jnp.tanh(zn + jax.nn.sigmoid(zr + yr) * yn) + u * h[0],)


def rnn(p, x): return rows(p, x, 1, lambda h, z, y: (jnp.tanh(z + y),), 1)
def lstm(p, x): return rows(p, x, 4, lstm_cell, 2)
def gru(p, x): return rows(p, x, 3, gru_cell, 1)


def block(p, x, heads, hidden, causal):
    n, t, d = x.shape
    q, k, v = jnp.split(p.dense(p.layer_norm(x), 3 * d), 3, -1)
    q, k, v = (m.reshape(n, t, heads, -1).swapaxes(1, 2).astype(jnp.bfloat16 if a.bf16 else jnp.float32) for m in (q, k, v))
    scores = jnp.einsum("nhqd,nhkd->nhqk", q, k, preferred_element_type=jnp.float32) / np.sqrt(d // heads)
    if causal: scores = jnp.where(np.tril(np.ones((t, t), bool)), scores, -jnp.inf)
    y = jnp.einsum("nhqk,nhkd->nhqd", jax.nn.softmax(scores, -1).astype(v.dtype), v, preferred_element_type=jnp.float32)
    x = x + p.dense(y.swapaxes(1, 2).reshape(n, t, d), d)
    return x + p.dense(jax.nn.gelu(p.dense(p.layer_norm(x), hidden)), d)


def vit(p, x):
    token, position = p.weight(1, 1, 64, fill=0), p.weight(1, 50, 64)
    patches = x.reshape(-1, 7, 4, 7, 4).swapaxes(2, 3).reshape(-1, 49, 16)
    x = jnp.concatenate([jnp.broadcast_to(token, (len(x), 1, 64)), p.dense(patches, 64)], 1) + position
    for _ in range(6): x = block(p, x, 4, 128, False)
    return p.dense(p.layer_norm(x)[:, 0], 10)


def pixels(x): return (x.reshape(-1, 14, 2, 14, 2).mean((2, 4)) > 0.5).reshape(-1, 196)


def gpt(p, x):
    position, embedding = p.weight(1, 196, 64), p.weight(3, 64)
    t = pixels(x).astype(jnp.int32)
    s = jnp.concatenate([jnp.full_like(t[:, :1], 2), t[:, :-1]], 1)
    x = jax.nn.one_hot(s, 3) @ embedding + position      # a lookup, whose gradient is a product and no scatter
    for _ in range(4): x = block(p, x, 4, 256, True)
    return p.dense(p.layer_norm(x), 2)


def wavenet(p, x):        # a convolution of width 2 is a product with the row and the one `dilation` before it side by side
    matrix = lambda inputs, outputs, taps=1: (p.weight(taps * inputs, outputs), p.weight(outputs, fill=0))
    first, dilations = matrix(1, 32), [2 ** i for i in range(10)]
    gates = [matrix(32, 64, 2) for _ in dilations]
    residuals, skips = [matrix(32, 32) for _ in dilations[1:]], [matrix(32, 64) for _ in dilations]
    outs = matrix(64, 64), matrix(64, 1)
    by = lambda x, m: p.product(x, m[0]) + m[1]
    t = (flat(x) > 0.5).astype(jnp.float32)
    h, s = jnp.pad(t, ((0, 0), (1, 0)))[:, :-1, None] * first[0] + first[1], 0
    for i, d in enumerate(dilations):
        both = jnp.concatenate([jnp.pad(h, ((0, 0), (d, 0), (0, 0)))[:, :784], h], -1)
        g = by(both, gates[i])
        z = jnp.tanh(g[..., :32]) * jax.nn.sigmoid(g[..., 32:])
        s = s + by(z, skips[i])
        if i < len(residuals): h = h + by(z, residuals[i])
    return by(relu(by(relu(s), outs[0])), outs[1])[..., 0]


def loss(net, p, x, y):
    z = globals()[net](p, x)
    if net == "wavenet":
        t = (flat(x) > 0.5).astype(jnp.float32)
        return (jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z)))).mean()
    if net == "gpt": z, y = z.reshape(-1, 2), pixels(x).reshape(-1).astype(jnp.int32)
    return (jax.nn.logsumexp(z, -1) - (z * jax.nn.one_hot(y, z.shape[-1])).sum(-1)).mean()


def shapes(net):
    """The weights' shapes, and what they are filled with, None for random numbers; and the running averages' shapes."""
    noted = Pass()
    jax.eval_shape(lambda x: globals()[net](noted, x), jax.ShapeDtypeStruct((2, 28, 28, 1), jnp.float32))
    count = sum(int(np.prod(shape)) for shape in noted.shapes)
    assert count == names[net], f"{net} has {count:,} parameters, where zoo.py has {names[net]:,}"
    return noted.shapes, noted.fills, [average.shape for average in noted.new_averages]


def check():
    """PyTorch's weights in our order of axes, the same batch: the losses must agree."""
    import torch, zoo
    jax.config.update("jax_default_matmul_precision", "highest")
    x, y = np.random.default_rng(0).random((8, 1, 28, 28), np.float32), np.arange(8)
    for net in names:
        theirs = zoo.build(net)
        for m in theirs.modules():
            if isinstance(m, torch.nn.Dropout): m.p = 0.0
        parameters = [p for p in theirs.parameters() if p.requires_grad]
        assert sum(p.numel() for p in parameters) == names[net], net
        channels, weights = 1, []
        for p, shape in zip(parameters, shapes(net)[0], strict=True):
            w = p.detach().numpy()
            if w.ndim == 4: channels = len(w); w = w.transpose(2, 3, 1, 0)
            elif w.ndim == 3 and net == "wavenet": w = w.transpose(2, 1, 0).reshape(shape)
            # Behind a convolution PyTorch has the channels first, and we have them last.
            elif w.ndim == 2 and channels > 1 and w.shape[1] % channels == 0 and w.shape[1] > channels:
                w = w.reshape(len(w), channels, -1).transpose(2, 1, 0).reshape(shape); channels = 1
            elif w.ndim == 2 and not (net == "gpt" and shape == (3, 64)): w = w.T
            assert w.shape == shape, (net, w.shape, shape)
            weights.append(jnp.asarray(w))
        theirs = zoo.loss(net, theirs, torch.from_numpy(x), torch.from_numpy(y)).item()
        ours = float(loss(net, Pass(weights), jnp.asarray(x.reshape(-1, 28, 28, 1)), jnp.asarray(y)))
        print(f"{net:16} {names[net]:9,} parameters, loss {ours:.6f}, zoo.py's {theirs:.6f}")
        assert abs(ours - theirs) < (3e-2 if a.bf16 else 2e-5) * abs(theirs), net


def train():
    path = lambda k: sorted(glob.glob(f"{a.data}/{k}*ubyte"))[0]
    images = np.fromfile(path("train-images"), np.uint8)[16:].reshape(-1, 28, 28, 1).astype("float32") / 255
    labels = np.fromfile(path("train-labels"), np.uint8)[8:].astype("int32")
    mesh = jax.sharding.Mesh(jax.devices(), ("batch",))
    replicated = jax.sharding.NamedSharding(mesh, PartitionSpec())
    images, labels = jax.device_put((images, labels), replicated)
    sizes, fills, averages = shapes(a.model)
    rng = np.random.default_rng(a.seed)
    uniform = lambda s: rng.uniform(-1, 1, s) / np.sqrt(np.prod(s[:-1]))
    weights = [np.float32(uniform(s)) if fill is None else np.full(s, fill, np.float32) for s, fill in zip(sizes, fills)]
    zeros = [np.zeros_like(w) for w in weights]
    averages = [np.stack([np.zeros(s[1:], np.float32), np.ones(s[1:], np.float32)]) for s in averages]
    local = a.global_batch // a.processes
    size = min(a.microbatch or local, local)
    assert a.global_batch % a.processes == 0 and local % size == 0, f"{a.global_batch} samples are not {a.processes} times {size} each"
    gradient = jax.value_and_grad(lambda w, averages, key, x, y: forward(w, averages, key, x, y), has_aux=True)

    def forward(w, averages, key, x, y):
        p = Pass(w, averages, key)
        return loss(a.model, p, x, y), p.new_averages

    def step(state, order, images, labels):
        w, m, v, averages, t = state
        index = order[t % len(order)]
        mask = jax.random.fold_in(jax.random.key(a.seed), t)
        if a.processes > 1: mask = jax.random.fold_in(mask, jax.lax.axis_index("batch"))
        x, y = images[index], labels[index]
        if size == local:
            (_, averages), g = gradient(w, averages, mask, x, y)
        else:
            def add(carry, part):
                (_, averages), g = gradient(w, carry[1], jax.random.fold_in(mask, part[2]), *part[:2])
                return ([p + q for p, q in zip(carry[0], g)], averages), None
            parts = x.reshape(-1, size, *x.shape[1:]), y.reshape(-1, size), jnp.arange(local // size)
            # A zero for each device, so that the sum's type is a device's own.
            zero = 0.0 * x.reshape(-1)[0]
            (g, averages), _ = jax.lax.scan(add, ([jnp.zeros_like(p) + zero for p in w], [p + zero for p in averages]), parts)
            g = [p / (local // size) for p in g]
        if a.processes > 1:
            g, averages = jax.lax.pmean((g, averages), "batch")
        t = t + 1
        m = [0.9 * m + 0.1 * g for m, g in zip(m, g)]
        v = [0.999 * v + 0.001 * g * g for v, g in zip(v, g)]
        rate, root = 1e-3 / (1 - 0.9 ** t), 1 / jnp.sqrt(1 - 0.999 ** t)
        w = [w - rate * m / (jnp.sqrt(v) * root + 1e-8) for w, m, v in zip(w, m, v)]
        return w, m, v, averages, t

    whole = PartitionSpec()
    if a.processes > 1:
        run = jax.jit(jax.shard_map(step, mesh=mesh, in_specs=(whole, PartitionSpec(None, "batch"), whole, whole), out_specs=whole, check_vma=False), donate_argnums=0)
    else:
        run = jax.jit(step, donate_argnums=0)
    state = jax.device_put((weights, zeros, [z.copy() for z in zeros], averages, np.int32(0)), replicated)
    steps = len(images) // a.global_batch
    steps, done, first, fit = min(a.steps or steps, steps), 0, None, 0.0
    for epoch in range(a.epochs):
        order = np.random.default_rng(a.seed + epoch).permutation(len(images))[:steps * a.global_batch].reshape(steps, -1)
        order = jax.device_put(order.astype(np.int32), jax.sharding.NamedSharding(mesh, PartitionSpec(None, "batch")))
        start = time.time()
        for _ in range(steps):
            state = run(state, order, images, labels); done += a.global_batch
            if first is None:     # the first step pays for the compiler: not counted
                jax.block_until_ready(state); first = time.time() - t0; start = time.time(); done = 0
        jax.block_until_ready(state)
        fit += time.time() - start
    if rank: return
    own = lambda m: m.addressable_data(0)
    print(f"loss of the first 500 images {float(loss(a.model, Pass(map(own, state[0])), own(images)[:500], own(labels)[:500])):.4f}")
    mode = ", ".join(filter(None, ["bf16" if a.bf16 else "fp32", a.form, f"microbatch {a.microbatch}" if a.microbatch else ""]))
    print(f"jax {a.model} {mode} processes {a.processes} batch {a.global_batch}: {done / fit:.0f} samples/s, first step after {first:.2f} s")


check() if a.check else train()
if a.processes > 1:
    jax.distributed.shutdown()
    assert rank or not any(other.wait() for other in others)
