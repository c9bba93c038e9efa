"""Golden values of UniversumPrescriptionTests: a perceptron 4-5-3, p = .25, in float64.

Run with: python golden_universum.py
"""
import torch
import torch.nn.functional as F
from golden_tiny import labelled, labels, parameters, show, unlabelled

p = parameters([(5, 4), (5,), (3, 5), (3,)])


def logits(x):
    return torch.relu(x @ p[0].T + p[1]) @ p[2].T + p[3]


uniform = -F.log_softmax(logits(unlabelled), 1).mean(1).mean()
show("universum", 0.75 * F.cross_entropy(logits(labelled), labels) + 0.25 * uniform, p)
