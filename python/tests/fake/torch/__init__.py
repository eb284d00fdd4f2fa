"""As much of torch as the launcher touches, in plain Python: numbers with a slope,
optimizers with the hooks of torch 2.1, a scaler, modules with a training mode."""

import random as python_random
import sys
import types

__version__ = "2.1.fake"


class Tensor:
    """A number that depends linearly on weights: {weight: slope}."""

    def __init__(self, value, slopes=None, device="cpu", size=1):
        self.value, self.slopes, self.size = float(value), dict(slopes or {}), size
        self.is_cpu = device == "cpu"
        self.grad = None
        self.is_sparse = False

    def numel(self):
        return self.size

    def item(self):
        return self.value

    def __float__(self):
        return self.value

    def detach(self):
        return Tensor(self.value, device="cpu" if self.is_cpu else "gpu")

    def clone(self):
        return self.detach()

    def __mul__(self, factor):
        slopes = {weight: slope * factor for weight, slope in self.slopes.items()}
        return Tensor(self.value * factor, slopes)

    def backward(self):
        sys.modules["torch"].autograd.backward(self)

    def fill_(self, value):
        self.value = float(value)


class no_grad:
    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


_generator = python_random.Random(0)


def manual_seed(seed):
    _generator.seed(seed)


def seed():
    raise AssertionError("not reproducible")


def rand():
    return _generator.random()


def get_rng_state():
    return _generator.getstate()


def set_rng_state(state):
    _generator.setstate(state)


random = types.ModuleType("torch.random")
random.manual_seed, random.seed = manual_seed, seed

from . import amp, autograd, cuda, nn, optim, serialization  # noqa: E402, F401

save = serialization.save
