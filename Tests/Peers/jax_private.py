"""JAX's DP-SGD on the trainer's own work: vmap(grad(loss)), clipped, summed, noised, in one jitted step on all cores.

  python jax_private.py --data DIR --model opacus_mnist --global-batch 256

DIR holds MNIST's four IDX files, unpacked. Batches have one size, which jit needs. The last line is the figure: samples/s over the training
steps alone.
"""
import argparse, glob, time
import jax, jax.numpy as jnp, numpy as np

a = argparse.ArgumentParser()
a.add_argument("--data", required=True); a.add_argument("--model", default="opacus_mnist", choices=["opacus_mnist", "article"])
a.add_argument("--steps", type=int, default=40); a.add_argument("--global-batch", type=int, default=256)
a = a.parse_args()
path = lambda k: sorted(glob.glob(f"{a.data}/{k}*ubyte"))[0]
x = np.fromfile(path("train-images"), np.uint8)[16:].reshape(-1, 28, 28, 1).astype("float32") / 255
y = np.fromfile(path("train-labels"), np.uint8)[8:].astype("int32")

rng = np.random.default_rng(0)
glorot = lambda *shape: jnp.asarray(rng.uniform(-1, 1, shape) * np.sqrt(6 / (np.prod(shape[:-1]) + shape[-1])), jnp.float32)
conv = lambda x, w, s, p: jax.lax.conv_general_dilated(x, w, (s, s), [(p, p), (p, p)], dimension_numbers=("NHWC", "HWIO", "NHWC"))
pool = lambda x, s: jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, s, s, 1), "VALID")
if a.model == "article":     # one convolution of 32 filters, pool, dense 10
    weights = [glorot(3, 3, 1, 32), jnp.zeros(32), glorot(13 * 13 * 32, 10), jnp.zeros(10)]
    def net(w, x):
        h = pool(jax.nn.relu(conv(x, w[0], 1, 0) + w[1]), 2)
        return h.reshape(len(x), -1) @ w[2] + w[3]
else:                        # the net of Opacus' examples/mnist.py
    weights = [glorot(8, 8, 1, 16), jnp.zeros(16), glorot(4, 4, 16, 32), jnp.zeros(32), glorot(512, 32), jnp.zeros(32),
               glorot(32, 10), jnp.zeros(10)]
    def net(w, x):
        h = pool(jax.nn.relu(conv(x, w[0], 2, 3) + w[1]), 1)
        h = pool(jax.nn.relu(conv(h, w[2], 2, 0) + w[3]), 1)
        return jax.nn.relu(h.reshape(len(x), -1) @ w[4] + w[5]) @ w[6] + w[7]


def loss(w, x, y):
    return -jax.nn.log_softmax(net(w, x[None]))[0, y]


@jax.jit
def step(w, key, x, y):
    def clipped(x, y):
        g = jax.grad(loss)(w, x, y)
        norm = jnp.sqrt(sum(jnp.vdot(p, p) for p in g))
        return [p * jnp.minimum(1, 1.0 / (norm + 1e-6)) for p in g]
    total = [p.sum(0) for p in jax.vmap(clipped)(x, y)]
    key, *keys = jax.random.split(key, len(w) + 1)
    return [p - 0.15 / len(x) * (g + 1.1 * jax.random.normal(k, p.shape)) for p, g, k in zip(w, total, keys)], key


key, warm = jax.random.PRNGKey(0), 3
for n in range(a.steps + warm):
    if n == warm: jax.block_until_ready(weights); start = time.time()
    picked = rng.integers(0, len(x), a.global_batch)
    weights, key = step(weights, key, x[picked], y[picked])
jax.block_until_ready(weights)
print(f"jax {a.model} vmap batch {a.global_batch}: {a.steps * a.global_batch / (time.time() - start):.0f} samples/s")
