"""Calls a function when a module has been imported, so that nothing is imported
that a script does not use."""

import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import Any, Callable, Dict, Optional

Hook = Callable[[ModuleType], Any]


class _Loader(Loader):
    """The loader of a module, and a hook to call at its end."""

    def __init__(self, loader: Any, hook: Hook) -> None:
        self._loader = loader
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Optional[ModuleType]:
        module: Optional[ModuleType] = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The module is to look as if nobody had been here.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._hook(module)


class _Finder(MetaPathFinder):
    def __init__(self) -> None:
        self.hooks: Dict[str, Hook] = {}
        self._asked: Optional[str] = None

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in self.hooks or name == self._asked:
            return None
        self._asked = name
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asked = None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.hooks.pop(name))
        return spec


_finder = _Finder()


def when_imported(name: str, hook: Hook) -> None:
    """Calls `hook` with the module `name` at the end of its import: now, if it is
    there. There is one hook for a name."""
    if name in sys.modules:
        hook(sys.modules[name])
        return
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.hooks[name] = hook
