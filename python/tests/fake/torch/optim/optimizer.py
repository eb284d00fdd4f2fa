import functools
import os

_before, _after = {}, {}

if not os.environ.get("FAKE_TORCH_IS_OLD"):

    def register_optimizer_step_pre_hook(hook):
        _before[len(_before)] = hook

    def register_optimizer_step_post_hook(hook):
        _after[len(_after)] = hook


def hooked(step):
    @functools.wraps(step)
    def wrapper(*args, **kwargs):
        for hook in _before.values():
            args, kwargs = hook(args[0], args, kwargs) or (args, kwargs)
        result = step(*args, **kwargs)
        for hook in _after.values():
            hook(args[0], args, kwargs)
        return result

    return wrapper


class Optimizer:
    def __init__(self, weights, **defaults):
        self.defaults = defaults
        weights = list(weights)
        groups = weights if isinstance(weights[0], dict) else [{"params": weights}]
        self.param_groups = [{**defaults, **group} for group in groups]

    def zero_grad(self):
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad = None


class SGD(Optimizer):
    def __init__(self, weights, lr=1e-3, **more):
        super().__init__(weights, lr=lr, **more)

    @hooked
    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.value -= float(group["lr"]) * weight.grad
        return loss


class LBFGS(SGD):
    pass
