"""What the scripts of golden values share: the tests' numbers by formula, and the lab's noise."""

import math

import numpy as np
import torch

torch.set_default_dtype(torch.float64)


def wave(shape, k, scale=1.0, offset=0.0):
    """sin(.37·i + 1.1·k + .5) for each place i, as Float has it."""
    values = [offset + scale * math.sin(0.37 * i + 1.1 * k + 0.5) for i in range(math.prod(shape))]
    return torch.tensor(np.array(values, np.float32).astype(np.float64)).reshape(shape)


class Noise:
    """The normal numbers of a `RandomStream(seed:, name)`: Philox 4×32-10, then Box and Muller."""

    def __init__(self, seed, *names):
        self.seed, self.position = seed, 0
        self.name = 0xCBF29CE484222325
        for byte in "/".join(names).encode():
            self.name = (self.name ^ byte) * 0x100000001B3 % 2**64

    def block(self, place):
        x = [place % 2**32, place >> 32, self.name % 2**32, self.name >> 32]
        k = [self.seed % 2**32, self.seed >> 32]
        for _ in range(10):
            a, b = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57
            x = [(b >> 32) ^ x[1] ^ k[0], b % 2**32, (a >> 32) ^ x[3] ^ k[1], a % 2**32]
            k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
        return x

    def normal(self, shape):
        """Numbers of 16 blocks at a time: the blocks' first words make 16 of them, and so on."""
        count, numbers = math.prod(shape), []
        for _ in range((count + 63) // 64):
            blocks = [self.block(self.position + lane) for lane in range(16)]
            self.position += 16
            for first, second in ((0, 1), (2, 3)):
                pairs = [(b[first] >> 9, b[second] >> 9) for b in blocks]
                radii = [math.sqrt(-2 * math.log(1 - u / 2**23)) for u, _ in pairs]
                turns = [2 * math.pi * v / 2**23 for _, v in pairs]
                numbers += [r * math.cos(t) for r, t in zip(radii, turns)]
                numbers += [r * math.sin(t) for r, t in zip(radii, turns)]
        return torch.tensor(numbers[:count]).reshape(shape)


class Waves:
    """The parameters of a model in the order in which the lab's module has them."""

    def __init__(self, scale):
        self.scale, self.trained, self.made = scale, [], 0

    def __call__(self, *shape, trained=True):
        value = wave(shape, self.made, self.scale)
        self.made += 1
        if trained:
            self.trained.append(value.requires_grad_())
        return value

    def layer(self, inputs, outputs, trained=True):
        """Weight and bias of a fully connected layer."""
        return self(outputs, inputs, trained=trained), self(outputs, trained=trained)

    def report(self, name, loss):
        """Prints a loss and the norm of its gradient."""
        loss.backward()
        norm = math.sqrt(sum(float((p.grad**2).sum()) for p in self.trained))
        print(f"{name}: {loss.item():.9g}, {norm:.9g}")
