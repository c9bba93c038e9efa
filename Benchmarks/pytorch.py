"""The workloads of `lab bench` in PyTorch: the same networks, batches, data and precision.

    pytorch.py WORKLOAD --data DIR --threads N [--steps N]

One process serves one workload. It prints a line of JSON when it is warm; then, for each number N
read from standard input, it does N units of work and prints the seconds that they took. With
--steps it does that many, without a warm-up, and ends: the whole process is what is measured.
"""

import argparse
import copy
import gzip
import json
import pathlib
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def idx(folder, name, header):
    """The bytes of an IDX file, gzipped or not, as a tensor."""
    path = pathlib.Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    return torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8)


class Data:
    """Images as floats 0…1 and labels, all in memory; batches in a shuffled order."""

    def __init__(self, folder, part="train", only=None):
        images = idx(folder, f"{part}-images-idx3-ubyte", 16).view(-1, 1, 28, 28)
        labels = idx(folder, f"{part}-labels-idx1-ubyte", 8).long()
        if only is not None:
            chosen = only(labels)
            images, labels = images[chosen], labels[chosen]
        self.images = images.float() / 255
        self.labels = labels
        self.order, self.place = torch.randperm(len(labels)), 0

    def batch(self, size):
        if self.place + size > len(self.labels):
            self.order, self.place = torch.randperm(len(self.labels)), 0
        chosen = self.order[self.place : self.place + size]
        self.place += size
        return self.images[chosen], self.labels[chosen]


def first_of_each_class(labels, count=300):
    """The labelled images of the kit's split: the first of each class, in training order."""
    return torch.cat([torch.nonzero(labels == c).flatten()[:count] for c in range(10)]).sort()[0]


class SampleNetwork(nn.Module):
    """The sample code of the lab sheet, its stray rectifier after the logits included."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.drop = nn.Dropout2d(0.5)
        self.fc1, self.fc2 = nn.Linear(320, 50), nn.Linear(50, 10)

    def forward(self, x):
        x = (x - 0.1307) * (1 / 0.3081)
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.drop(self.conv2(x)), 2))
        x = F.dropout(F.relu(self.fc1(x.flatten(1))), training=self.training)
        return F.relu(self.fc2(x))


def kit_network():
    """The kit's final network: four convolutions, batch normalisation after each layer."""
    leaky = lambda: nn.LeakyReLU(0.1, inplace=True)
    return nn.Sequential(
        nn.Conv2d(1, 32, 5), nn.MaxPool2d(2), nn.BatchNorm2d(32), leaky(),
        nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), leaky(),
        nn.Conv2d(64, 64, 3), nn.MaxPool2d(2), nn.BatchNorm2d(64), leaky(),
        nn.Conv2d(64, 128, 3), nn.BatchNorm2d(128), leaky(),
        nn.Flatten(), nn.Linear(512, 100), nn.BatchNorm1d(100), leaky(),
        nn.Dropout(0.5), nn.Linear(100, 10), nn.BatchNorm1d(10),
    )  # fmt: skip


def vgg_small():
    """Six 3×3 convolutions with batch normalisation, two poolings, one dense layer."""
    layers, channels = [], 1
    for index, filters in enumerate([16, 16, 32, 32, 64, 64]):
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters)]
        layers += [nn.ReLU(inplace=True)]
        if index in (1, 3):
            layers.append(nn.MaxPool2d(2))
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 49, 10))


class Ladder(nn.Module):
    """The encoder of a ladder network, without its decoder."""

    def __init__(self):
        super().__init__()
        sizes = [784, 1000, 500, 250, 250, 250, 10]
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.norm = nn.ModuleList(nn.BatchNorm1d(b) for b in sizes[1:])

    def forward(self, x, noise):
        for index, (dense, norm) in enumerate(zip(self.dense, self.norm)):
            if noise:
                x = x + noise * torch.randn_like(x)
            x = norm(dense(x))
            if index < 5:
                x = F.relu(x)
        return x


def training(network, optimiser, data, batch, loss=None):
    """A function that takes one training step."""
    loss = loss or (lambda x, y: F.cross_entropy(network(x), y))

    def step():
        x, y = data.batch(batch)
        optimiser.zero_grad()
        loss(x, y).backward()
        optimiser.step()

    return step


def ladder_step(folder):
    network, data = Ladder(), Data(folder)

    def loss(x, y):
        x = x.flatten(1)
        clean, noisy = network(x, 0), network(x, 0.3)
        supervised = F.cross_entropy(noisy[:100], y[:100])
        return supervised + 0.1 * ((noisy - clean) ** 2).sum() / len(x)

    return training(network, torch.optim.Adam(network.parameters(), fused=True), data, 200, loss)


def infer_step(folder):
    network, data = kit_network().eval(), Data(folder, "t10k")

    def step():
        with torch.inference_mode():
            for images in data.images.split(500):
                F.softmax(network(images), 1).max(1)

    return step


class Augmentation:
    """Rotation, shift, scale, shear and elastic distortion, the whole batch at a time.

    Transforms of torchvision draw once for a batch, so each image would need a call of its own;
    this is the faster way, one sampling grid for all.
    """

    def __init__(self, rotation, shift, scale=0.0, shear=0.0, elastic=0.0):
        """Radians, pixels, shares, and the pixels of a distortion, smoothed over 4 of them."""
        self.rotation, self.shift = rotation, shift * 2 / 28
        self.scale, self.shear, self.elastic = scale, shear, elastic * 2 / 28
        ticks = torch.arange(-12, 13, dtype=torch.float)
        kernel = torch.exp(-(ticks**2) / (2 * 4.0**2))
        self.kernel = kernel / kernel.sum()

    def blur(self, x):
        return F.conv2d(
            F.conv2d(x, self.kernel.view(1, 1, 1, -1), padding=(0, 12)),
            self.kernel.view(1, 1, -1, 1), padding=(12, 0))  # fmt: skip

    def __call__(self, images):
        n = len(images)
        u = torch.rand(5, n) * 2 - 1
        angle, scale, shear = u[0] * self.rotation, 1 + u[1] * self.scale, u[2] * self.shear
        cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
        x, y = u[3] * self.shift, u[4] * self.shift
        theta = torch.stack([cos, shear * cos - sin, x, sin, shear * sin + cos, y], 1)
        grid = F.affine_grid(theta.view(n, 2, 3), images.shape, align_corners=False)
        if self.elastic:
            move = self.blur(torch.rand(2 * n, 1, 28, 28) * 2 - 1) * self.elastic
            grid = grid + move.view(n, 2, 28, 28).permute(0, 2, 3, 1)
        return F.grid_sample(images, grid, align_corners=False)


def strong():
    """The augmentation of `augment`, and of what the student of `fixmatch` reads."""
    return Augmentation(rotation=0.436, shift=3, scale=0.15, shear=0.26, elastic=34)


def augment_step(folder):
    data, change = Data(folder), strong()
    return lambda: change(data.batch(128)[0])


def floats(network):
    """Parameters and running statistics; counts of batches are integers, and nothing reads them."""
    return [t for t in (*network.parameters(), *network.buffers()) if t.is_floating_point()]


def fixmatch_step(folder):
    """FixMatch whose teacher is the average of the student's weights, running statistics included.

    The average moves in one call for all tensors, as `swa_utils.AveragedModel` has it, which looks
    each of them up first and takes several times as long.
    """
    network = kit_network()
    teacher = copy.deepcopy(network).eval()
    average, current = floats(teacher), floats(network)
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    quarter = lambda labels: torch.arange(len(labels) // 4)
    rest = lambda labels: torch.arange(len(labels) // 4, len(labels))
    labelled, unlabelled = Data(folder, only=quarter), Data(folder, only=rest)
    light, heavy = Augmentation(rotation=0.087, shift=1), strong()

    def step():
        (x, y), (u, _) = labelled.batch(50), unlabelled.batch(150)
        # Not inference_mode, whose tensors no gradient may need.
        with torch.no_grad():
            sure, digits = F.softmax(teacher(light(u)), 1).max(1)
            mask = (sure >= 0.95).float()
            images = heavy(torch.cat([x, u]))
        optimiser.zero_grad()
        logits = network(images)
        agreement = F.cross_entropy(logits[50:], digits, reduction="none") * mask
        (F.cross_entropy(logits[:50], y) + agreement.mean()).backward()
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, current, 0.001)

    return step


def workload(name, folder):
    if name in ("sample-cnn", "start"):
        only = first_of_each_class if name == "start" else None
        network, data = SampleNetwork(), Data(folder, only=only)
        rule = torch.optim.SGD(network.parameters(), 0.01, momentum=0.5, fused=True)
        return training(network, rule, data, 64)
    if name == "mlp-1200":
        network = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 1200), nn.ReLU(), nn.Linear(1200, 1200), nn.ReLU(),
            nn.Linear(1200, 10))  # fmt: skip
        rule = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, fused=True)
        return training(network, rule, Data(folder), 128)
    if name == "kit-cnn":
        network = kit_network()
        rule = torch.optim.Adam(network.parameters(), fused=True)
        return training(network, rule, Data(folder), 100)
    if name == "vgg-small":
        network = vgg_small()
        rule = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, fused=True)
        return training(network, rule, Data(folder), 128)
    others = {
        "ladder-mlp": ladder_step, "fixmatch": fixmatch_step, "infer": infer_step,
        "augment": augment_step,
    }  # fmt: skip
    return others[name](folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--data", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(2016)
    step = workload(options.workload, options.data)
    if options.steps:
        for _ in range(options.steps):
            step()
        return
    for _ in range(3):
        step()
    about = {"version": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
