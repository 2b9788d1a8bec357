"""The networks of benches/training.rs in PyTorch, updates a second beside ours: pip install torch, then

    python trainer/benches/training.py [threads]

Prints the median milliseconds of an update (forward, backward, Adam) of each network, by the clock and in processor
time.
"""

import sys
import time

import torch
from torch import nn

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else torch.get_num_threads()
LANES, STEPS, WIDTH, CLASSES = 32, 64, 512, 128


class Lstm(nn.Module):
    """Two layers of 512 units over 64 steps, a class a step."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(WIDTH, WIDTH, 2)
        self.last = nn.Linear(WIDTH, CLASSES)
        self.x = torch.randn(STEPS, LANES, WIDTH)
        self.y = torch.randint(0, CLASSES, (STEPS * LANES,))

    def loss(self):
        out = self.last(self.lstm(self.x)[0]).reshape(-1, CLASSES)
        return nn.functional.cross_entropy(out, self.y)


class Vae(nn.Module):
    """The VAE of P2 in its plainest form: 128 x 128 cells, one hidden layer of 512, latent 512."""

    def __init__(self):
        super().__init__()
        cells = 128 * 128
        self.encode = nn.Linear(cells, 512)
        self.latent = nn.Linear(512, 1024)
        self.widen = nn.Linear(512, 512)
        self.decode = nn.Linear(512, cells)
        self.x = (torch.rand(LANES, cells) < 0.03).float()
        self.noise = torch.randn(LANES, 512)

    def loss(self):
        mean, log = self.latent(torch.relu(self.encode(self.x))).chunk(2, 1)
        z = mean + self.noise * torch.exp(0.5 * log)
        logits = self.decode(torch.relu(self.widen(z)))
        cells = nn.functional.binary_cross_entropy_with_logits(logits, self.x, reduction="sum")
        return (cells - 0.5 * torch.sum(1 + log - mean**2 - log.exp())) / LANES


def main():
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    for name, net in (("lstm 2x512", Lstm()), ("vae 128x128", Vae())):
        adam = torch.optim.Adam(net.parameters(), 1e-3)
        clock, spent = [], []
        for _ in range(24):
            began, before = time.perf_counter(), time.process_time()
            adam.zero_grad(set_to_none=True)
            net.loss().backward()
            adam.step()
            clock.append(time.perf_counter() - began)
            spent.append(time.process_time() - before)
        wall, cpu = (1000 * sorted(t[4:])[10] for t in (clock, spent))
        print(f"{name}: {wall:.1f} ms an update, {cpu:.1f} of processor time, {THREADS} threads")


main()
