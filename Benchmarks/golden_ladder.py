"""Golden values of LadderNetworkTests, 4-3-3, and ConvolutionalGammaTests, without noise, in float64.

Run with: python golden_ladder.py
"""
import torch
import torch.nn.functional as F
from golden_tiny import labelled, labels, parameters, show, unlabelled

EPSILON, SIZES = 1e-5, [4, 3, 3]


def moments(x):
    return x.mean(0), x.var(0, unbiased=False)


def standard(x, mean, variance):
    return (x - mean) / torch.sqrt(variance + EPSILON)


def ladder(name, weights):
    lowest = next(i for i, w in enumerate(weights) if w > 0)
    shapes = [(4, 3), (3,), (3, 3), (3,), (3,)]
    shapes += [(m,) for m in SIZES[lowest:] for _ in range(10)]
    shapes += [(SIZES[i + 1], SIZES[i]) for i in range(lowest, 2)]
    p = parameters(shapes)
    w1, b1, w2, b2, scale = p[:5]
    combinators = [p[5 + 10 * i:15 + 10 * i] for i in range(3 - lowest)]
    decoder = p[5 + 10 * (3 - lowest):]

    def encode(x):
        first = x @ w1
        m1 = moments(first)
        z1 = standard(first, *m1)
        second = torch.relu(z1 + b1) @ w2
        m2 = moments(second)
        z2 = standard(second, *m2)
        return [x, z1, z2], [None, m1, m2], (z2 + b2) * scale

    def combine(a, z, u):
        mean = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
        gate = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
        return (z - mean) * gate + mean

    loss = F.cross_entropy(encode(labelled)[2], labels)
    z, statistics, top = encode(unlabelled)
    guess = torch.softmax(top, 1)
    for layer in range(2, lowest - 1, -1):
        above = guess if layer == 2 else guess @ decoder[layer - lowest]
        guess = combine(combinators[layer - lowest], z[layer], standard(above, *moments(above)))
        inside = standard(guess, *statistics[layer]) if layer else guess
        loss = loss + weights[layer] * ((z[layer] - inside) ** 2).sum(1).mean() / SIZES[layer]
    show(name, loss, p)


ladder("full", [2.0, 1.0, 0.5])
ladder("gamma", [0.0, 0.0, 0.5])


def convolutional(name, weight):
    shapes = [(2, 1, 2, 2), (2,), (3, 2, 1, 1), (3,), (3, 3), (3,), (3,)] + [(3,)] * 10
    p = parameters(shapes)
    w1, b1, w2, b2, w3, b3, scale = p[:7]
    a = p[7:]

    def normal(x):
        axes = (0, 2, 3) if x.dim() == 4 else (0,)
        mean, variance = x.mean(axes, keepdim=True), x.var(axes, unbiased=False, keepdim=True)
        return standard(x, mean, variance), mean, variance

    def encode(x):
        x = x.reshape(-1, 1, 2, 2)
        h = torch.relu(normal(F.conv2d(x, w1, padding=1))[0] + b1.view(1, -1, 1, 1))
        h = normal(F.max_pool2d(h, 2))[0]
        h = torch.relu(normal(F.conv2d(h, w2))[0] + b2.view(1, -1, 1, 1))
        h = normal(h.mean((2, 3)))[0]
        z, mean, variance = normal(h @ w3)
        return z, mean, variance, (z + b3) * scale

    z, mean, variance, top = encode(unlabelled)
    u = normal(torch.softmax(top, 1))[0]
    m = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
    gate = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
    guess = standard((z - m) * gate + m, mean, variance)
    loss = F.cross_entropy(encode(labelled)[3], labels)
    loss = loss + weight * ((z - guess) ** 2).sum(1).mean() / 3
    show(name, loss, p)


convolutional("convolutional", 0.5)
