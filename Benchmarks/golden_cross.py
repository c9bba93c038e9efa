"""Golden values of CrossLabelsTests: two perceptrons 4-5-3, the second labels for the first, in float64.

Run with: python golden_cross.py
"""
import torch
import torch.nn.functional as F
from golden_tiny import labelled, labels, parameters, show, unlabelled

p = parameters([(5, 4), (5,), (3, 5), (3,)] * 2)


def logits(x, first):
    w, b, v, c = p[first : first + 4]
    return torch.relu(x @ w.T + b) @ v.T + c


def loss(weight, threshold):
    q = torch.softmax(logits(unlabelled, 4), 1).detach()
    sure, digits = q.max(1)
    others = F.cross_entropy(logits(unlabelled, 0), digits, reduction="none")
    return F.cross_entropy(logits(labelled, 0), labels) + weight * (others * (sure >= threshold)).mean()


show("half grown", loss(0.5, 0.4), p[:4])
show("fully grown, lower threshold", loss(1, 0.35), p[:4])
