from . import optimizer  # noqa: F401
from .optimizer import LBFGS, SGD, Optimizer  # noqa: F401
