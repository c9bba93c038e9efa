"""Golden values of Sparse- and DenoisingAutoencoderTests, LayerDenoiserTests and SurrogateClassesTests.

Run with: python golden_autoencoders.py

No input is corrupted and no unit dropped: both would draw the lab's random numbers.
"""

import math

import torch
import torch.nn.functional as F
from golden_tiny import parameters, show, unlabelled

x = unlabelled

# J of the notes of CS294A, with sparsity .1, decay 3e-3 and weight 3.
p = parameters([(3, 4), (3,), (4, 3), (4,)])
hidden = torch.sigmoid(F.linear(x, p[0], p[1]))
drawn = torch.sigmoid(F.linear(hidden, p[2], p[3]))
active = torch.distributions.Bernoulli(hidden.mean(0))
wanted = torch.distributions.Bernoulli(torch.full((3,), 0.1))
show(
    "sparse auto-encoder",
    0.5 * F.mse_loss(drawn, x, reduction="sum") / len(x)
    + 1.5e-3 * (p[0].square().sum() + p[2].square().sum())
    + 3 * torch.distributions.kl_divergence(wanted, active).sum(),
    p,
)

# Tied weights: what goes up through W comes down through its transpose.
for name, activation in [("denoising auto-encoder", torch.sigmoid), ("layer of rectifiers", F.relu)]:
    p = parameters([(3, 4), (3,), (4,)])
    logits = F.linear(activation(F.linear(x, p[0], p[1])), p[0].T, p[2])
    loss = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    show(name, loss, p)

# Two convolutions of 5 x 5 with 2 and 3 filters, four units behind them, five surrogate classes.
pixels = [0.5 + 0.5 * math.sin(0.31 * (i + 1) ** 2 + 2) for i in range(3 * 784)]
images = torch.tensor(pixels).reshape(3, 1, 28, 28)
p = parameters([(2, 1, 5, 5), (2,), (3, 2, 5, 5), (3,), (4, 48), (4,), (5, 4), (5,)])
y = images
for weight, bias in [p[0:2], p[2:4]]:
    y = F.max_pool2d(F.relu(F.conv2d(y, weight, bias)), 2)
y = F.relu(F.linear(y.flatten(1), p[4], p[5]))
show("exemplar network", F.cross_entropy(F.linear(y, p[6], p[7]), torch.tensor([4, 0, 2])), p)
