"""Opacus' DP-SGD on the trainer's own work: same nets, same data, Poisson batches, 2 threads or DDP on gloo.

  python  opacus_private.py --data DIR --model opacus_mnist --global-batch 256 --threads 2 --mode ghost
  torchrun --nproc-per-node 2 opacus_private.py --data DIR --model article --global-batch 256 --threads 1 --mode hooks

DIR holds MNIST's four IDX files, unpacked. The data is one tensor in memory, and a batch is indexed in one go: the fastest feed there is.
The last line is the figure: samples/s over the training steps alone.
"""
import argparse, glob, os, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, torch, torch.distributed as dist, torch.nn as nn
from opacus import PrivacyEngine
from opacus.distributed import DifferentiallyPrivateDistributedDataParallel as DPDDP
import zoo

a = argparse.ArgumentParser()
a.add_argument("--data", required=True); a.add_argument("--model", default="opacus_mnist")
a.add_argument("--steps", type=int, default=40); a.add_argument("--global-batch", type=int, default=256)
a.add_argument("--threads", type=int, default=2); a.add_argument("--mode", default="hooks", choices=["hooks", "functorch", "ew", "ghost"])
a = a.parse_args()
world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
torch.set_num_threads(a.threads); torch.manual_seed(rank)
if world > 1: dist.init_process_group("gloo")
path = lambda k: sorted(glob.glob(f"{a.data}/{k}*ubyte"))[0]
x = torch.from_numpy(np.fromfile(path("train-images"), np.uint8)[16:].reshape(-1, 1, 28, 28).astype("float32") / 255)
y = torch.from_numpy(np.fromfile(path("train-labels"), np.uint8)[8:].astype("int64"))

# The net of Opacus' examples/mnist.py.
example = lambda: nn.Sequential(
    nn.Conv2d(1, 16, 8, 2, padding=3), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.MaxPool2d(2, 1),
    nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10))
net = example() if a.model == "opacus_mnist" else zoo.build(a.model)
if world > 1: net = DPDDP(net)
opt = torch.optim.SGD(net.parameters(), lr=0.15)
# The loader is for the engine, which takes the batch's size from it.
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=a.global_batch // world)
criterion = nn.CrossEntropyLoss()
made = PrivacyEngine(accountant="rdp").make_private(
    module=net, optimizer=opt, data_loader=loader, criterion=criterion, noise_multiplier=1.1, max_grad_norm=1.0,
    poisson_sampling=False, grad_sample_mode=a.mode)
net, opt = made[0], made[1]
if a.mode == "ghost": criterion = made[2]

done, start, warm = 0, 0.0, 3
for step in range(a.steps + warm):
    if step == warm: done, start = 0, time.time()
    picked = (torch.rand(len(x)) < a.global_batch / world / len(x)).nonzero().squeeze(1)
    opt.zero_grad(set_to_none=True)
    criterion(net(x[picked]), y[picked]).backward()
    opt.step()
    done += len(picked)
seconds = time.time() - start
if world > 1:
    total = torch.tensor([float(done)]); dist.all_reduce(total); done = total.item()
if rank == 0: print(f"opacus {a.model} {a.mode} ranks {world} threads {a.threads} batch {a.global_batch}: {done / seconds:.0f} samples/s")
