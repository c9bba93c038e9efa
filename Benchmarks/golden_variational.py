"""Golden values of VariationalAutoencoderTests and SemiSupervisedAutoencoderTests.

    golden_variational.py

The losses of Kingma, Mohamed, Rezende and Welling 2014 in float64, one class at a time, and the norms
of their gradients by PyTorch.
"""

import torch
import torch.nn.functional as F
from golden import Noise, Waves, wave
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence


def posterior(mean, log_variance):
    return Normal(mean, torch.exp(log_variance / 2))


def divergence(q):
    return kl_divergence(q, Normal(torch.zeros(()), torch.ones(()))).sum(1)


def m1():
    w, noise = Waves(0.8), Noise(11, "golden")
    encoder = [w.layer(6, 4), w.layer(4, 3)]
    mean, log_variance = w.layer(3, 2), w.layer(3, 2)
    decoder = [w.layer(2, 3), w.layer(3, 4)]
    output = w.layer(4, 6)
    x = wave((5, 6), 40, 0.45, 0.5)
    h = x
    for layer in encoder:
        h = F.softplus(F.linear(h, *layer))
    q = posterior(F.linear(h, *mean), F.linear(h, *log_variance))
    h = q.mean + q.stddev * noise.normal((5, 2))
    for layer in decoder:
        h = F.softplus(F.linear(h, *layer))
    p = Bernoulli(logits=F.linear(h, *output), validate_args=False)
    w.report("M1", (divergence(q) - p.log_prob(x).sum(1)).mean())


def m2(features):
    w, noise, classes = Waves(0.8), Noise(11, "golden"), 3
    if features:
        frozen = [w.layer(6, 3, False), w.layer(3, 2, False), w.layer(3, 2, False)]
    inputs = 2 if features else 6

    def softplus_layers(*sizes):
        return [w.layer(a, b) for a, b in zip(sizes, sizes[1:])]

    def conditional(a, b, c):
        return w.layer(a, b), w(classes, b), softplus_layers(b, c)

    classifier, classifier_output = softplus_layers(inputs, 5, 4), w.layer(4, classes)
    encoder = conditional(inputs, 5, 4)
    mean, log_variance = w.layer(4, 2), w.layer(4, 2)
    decoder = conditional(2, 4, 5)
    output = w.layer(5, inputs)
    output_log_variance = w.layer(5, inputs) if features else None

    def hidden(layers, x, y):
        first, code, rest = layers
        h = F.softplus(F.linear(x, *first) + code[y])
        for layer in rest:
            h = F.softplus(F.linear(h, *layer))
        return h

    def vectors(images):
        if not features:
            return images
        h = F.softplus(F.linear(images, *frozen[0]))
        q = posterior(F.linear(h, *frozen[1]), F.linear(h, *frozen[2]))
        return q.mean + q.stddev * noise.normal((len(images), 2))

    def classify(x):
        for layer in classifier:
            x = F.softplus(F.linear(x, *layer))
        return Categorical(logits=F.linear(x, *classifier_output))

    def negative_bound(x, y, epsilon):
        h = hidden(encoder, x, y)
        q = posterior(F.linear(h, *mean), F.linear(h, *log_variance))
        h = hidden(decoder, q.mean + q.stddev * epsilon, y)
        if features:
            p = posterior(F.linear(h, *output), F.linear(h, *output_log_variance))
        else:
            p = Bernoulli(logits=F.linear(h, *output), validate_args=False)
        y_prior = Categorical(probs=torch.ones(classes)).log_prob(y)
        return divergence(q) - p.log_prob(x).sum(1) - y_prior

    labels = torch.tensor([2, 0, 1])
    labelled = vectors(wave((3, 6), 50, 0.45, 0.5))
    others = vectors(wave((4, 6), 51, 0.45, 0.5))
    known = negative_bound(labelled, labels, noise.normal((3, 2)))
    epsilon = noise.normal((4, classes, 2))
    q = classify(others)
    unknown = -q.entropy()
    for y in range(classes):
        every = torch.full((4,), y)
        unknown = unknown + q.probs[:, y] * negative_bound(others, every, epsilon[:, y])
    sure = classify(labelled).log_prob(labels).mean()
    prior = sum((p**2).sum() for p in w.trained) / 2
    w.report(
        "M1+M2" if features else "M2",
        0.25 * known.mean() + 0.75 * unknown.mean() - 0.7 * sure + prior / 400,
    )


m1()
m2(False)
m2(True)
