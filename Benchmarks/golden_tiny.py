"""The tiny instance of Tests/MethodsTests/TinyInstance.swift, for the scripts of golden values."""
import math
import torch

torch.set_default_dtype(torch.float64)


def parameters(shapes):
    """The k-th trainable parameter: .8 sin(.37 (i + 1)^2 + .7 k + .2) at place i."""
    made = []
    for k, shape in enumerate(shapes):
        values = [0.8 * math.sin(0.37 * (i + 1) ** 2 + 0.7 * k + 0.2) for i in range(math.prod(shape))]
        made.append(torch.tensor(values).reshape(shape).requires_grad_())
    return made


def images(n, phase):
    return torch.tensor([0.5 + 0.5 * math.sin(0.31 * (i + 1) ** 2 + phase) for i in range(4 * n)]).reshape(n, 4)


labelled, labels, unlabelled = images(4, 0), torch.tensor([0, 2, 1, 2]), images(5, 2)


def show(name, loss, trained):
    found = torch.autograd.grad(loss, trained, allow_unused=True)
    norm = math.sqrt(sum(float((g * g).sum()) for g in found if g is not None))
    print(f"{name}: loss {loss.item():.10f}, norm of the gradient {norm:.10f}")
