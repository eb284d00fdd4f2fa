"""Seeds, and the states of random generators.

The first seed that a script sets becomes the seed of the task; its further seeds
keep their distance to it, so that `random.seed(epoch)` stays a different seed in
every epoch. Generators that a script makes itself, such as
`torch.Generator().manual_seed(0)` for its data, are left alone.
"""

import contextlib
import functools
import random
import sys
from types import ModuleType
from typing import Any, Iterator, Optional

from .imports import when_imported

SEEDS = 1 << 32


class Seeds:
    """The global generators of Python, numpy, torch, keras and tensorflow."""

    def __init__(self, seed: int) -> None:
        self.active = True
        self._seed = seed
        self._first: Optional[int] = None
        self._nested = False
        random.seed(seed)
        self._replace(random, "seed")
        when_imported("numpy.random", self._numpy)
        when_imported("keras.src.utils.rng_utils", self._keras)
        when_imported("tensorflow", self._tensorflow)

    def of(self, given: Any) -> int:
        """The seed in the place of the one that the script gives."""
        try:
            given = int(given)
        except (TypeError, ValueError):  # none, a text, an array
            return self._seed
        if self._first is None:
            self._first = given
        return int((self._seed + given - self._first) % SEEDS)

    def leave(self) -> None:
        """In a forked process: seeds are set as the process wants them."""
        self.active = False

    def torch(self, torch: Any) -> None:
        """Called by the hooks of torch: a module has one hook."""
        torch.manual_seed(self._seed)
        for owner in (torch, torch.random):
            self._replace(owner, "manual_seed")
            owner.seed = lambda: torch.manual_seed(self._seed).initial_seed()
        for owner in (torch.cuda, torch.cuda.random):
            self._replace(owner, "manual_seed")
            self._replace(owner, "manual_seed_all")

    def _numpy(self, module: Any) -> None:
        module.seed(self._seed)
        self._replace(module, "seed")

    def _keras(self, module: ModuleType) -> None:
        self._replace(module, "set_random_seed")

    def _tensorflow(self, tensorflow: Any) -> None:
        tensorflow.random.set_seed(self._seed)
        self._replace(tensorflow.random, "set_seed")

    def _replace(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def seeded(*args: Any, **kwargs: Any) -> Any:
            # Workers of a data loader set seeds of their own, and one seeding
            # function calls others.
            if not self.active or self._nested:
                return original(*args, **kwargs)
            given = args[0] if args else next(iter(kwargs.values()), None)
            self._nested = True
            try:
                return original(self.of(given))
            finally:
                self._nested = False

        setattr(owner, name, seeded)


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Restores the global generators of Python and numpy."""
    numpy = sys.modules.get("numpy")
    state = random.getstate()
    arrays = numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(arrays)
