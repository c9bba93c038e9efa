"""Golden values of PseudoLabelTests: a perceptron 4-5-3, alpha 1.5, in float64.

Run with: python golden_pseudo_label.py
"""
import torch
import torch.nn.functional as F
from golden_tiny import labelled, labels, parameters, show, unlabelled

p = parameters([(5, 4), (5,), (3, 5), (3,)])


def logits(x):
    return torch.relu(x @ p[0].T + p[1]) @ p[2].T + p[3]


def sigmoids(y, t):
    return F.binary_cross_entropy_with_logits(
        y, F.one_hot(t, 3).double(), reduction="sum") / len(t)


guesses = logits(unlabelled).argmax(1)
for name, loss in [("sigmoids", sigmoids), ("softmax", F.cross_entropy)]:
    show(name, loss(logits(labelled), labels) + 1.5 * loss(logits(unlabelled), guesses), p)
