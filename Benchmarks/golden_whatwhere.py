"""Golden values of WhatWhereAutoencoderTests.

    golden_whatwhere.py

The loss of Zhao, Mathieu, Goroshin and LeCun 2015 on a network of two blocks in float64, and the norm
of its gradient, by PyTorch's own pooling, unpooling and transposed convolution.
"""

import torch
import torch.nn.functional as F
from golden import Waves, wave


def loss(knows_where):
    w = Waves(0.7)
    first, second = (w(3, 1, 2, 2), w(3)), (w(2, 3, 2, 2), w(2))
    output = w.layer(2 * 2 * 2, 3)
    back = (w(3, 1, 2, 2), w(1)), (w(2, 3, 2, 2), w(3))
    x = torch.cat([wave((2, 1, 8, 8), 50), wave((3, 1, 8, 8), 51)])
    unpooled = F.relu(F.conv2d(x, *first))
    what, where = F.max_pool2d(unpooled, 2, return_indices=True)
    top = F.relu(F.conv2d(what, *second))
    middle = F.relu(F.conv_transpose2d(top, *back[1]))
    if not knows_where:
        rows, columns = torch.meshgrid(torch.arange(3), torch.arange(3), indexing="ij")
        where = (14 * rows + 2 * columns).expand_as(where)
    drawn = F.conv_transpose2d(F.max_unpool2d(middle, where, 2, output_size=(7, 7)), *back[0])
    logits = F.linear(top[:2].flatten(1), *output)
    w.report(
        f"where: {knows_where}",
        F.cross_entropy(logits, torch.tensor([2, 0]))
        + 0.3 * ((x - drawn) ** 2).sum() / 5
        + 0.2 * ((what - middle) ** 2).sum() / 5,
    )


loss(True)
loss(False)
