"""Keeps the user's files as they are.

A task runs in a folder whose files are links to the user's, and whose large
directories are links as a whole. Before Python writes through such a link, the link
is replaced: by a copy of the file, by nothing where the file will be written anew, or
by a directory of links."""

import functools
import os
import shutil
import sys
from typing import Any, Callable

from .imports import when_imported

WRITES = os.O_WRONLY | os.O_RDWR
# Of each audit event that changes a folder: which arguments are paths in it.
CHANGES = {
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
}


class Guard:
    """The links of a folder that lead out of it."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.realpath(folder)
        self._busy = False

    def audit(self, event: str, arguments: Any) -> None:
        """Looks at what Python is about to do."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITES:
                self.release(path, keep=not flags & os.O_TRUNC)
        elif event in ("os.truncate", "sqlite3.connect"):
            self.release(arguments[0])
        elif event in CHANGES:
            for place in CHANGES[event]:
                self.release_folder(arguments[place])

    def release(self, path: Any, keep: bool = True) -> None:
        """Makes the file at `path` one of this folder; `keep` its contents."""
        path = self.release_folder(path)
        if self._busy or not path or not os.path.islink(path):
            return
        target = os.path.realpath(path)
        if self._is_ours(target) or not os.path.isfile(target):
            return
        self._busy = True
        try:
            os.unlink(path)
            if keep:
                shutil.copy2(target, path)
        finally:
            self._busy = False

    def release_folder(self, path: Any) -> str:
        """Makes the folder of `path` one of this folder. Returns the path, or nothing
        if it is elsewhere."""
        if self._busy or not isinstance(path, (str, bytes, os.PathLike)):
            return ""  # a descriptor
        path = os.path.abspath(os.fsdecode(path))
        # The folder itself may have been reached through a link.
        known = os.path.join(os.path.realpath(os.sep), path)
        if not self._is_ours(known):
            return ""
        place = self._folder
        parts = os.path.relpath(os.path.dirname(known), self._folder).split(os.sep)
        for part in parts:
            place = os.path.normpath(os.path.join(place, part))
            if os.path.islink(place) and not self._is_ours(os.path.realpath(place)):
                self._open_up(place)
        return known

    def _open_up(self, link: str) -> None:
        """Replaces a link to a directory by a directory of links."""
        target = os.path.realpath(link)
        self._busy = True
        try:
            os.unlink(link)
            os.mkdir(link)
            for name in os.listdir(target):
                os.symlink(os.path.join(target, name), os.path.join(link, name))
        finally:
            self._busy = False

    def _is_ours(self, path: str) -> bool:
        return path == self._folder or path.startswith(self._folder + os.sep)


def install(folder: str) -> None:
    """Guards the links of `folder` from now on."""
    guard = Guard(folder)
    sys.addaudithook(guard.audit)

    # These write without Python's knowledge.
    def torch(module: Any) -> None:
        _first(module, "save", lambda obj, f=None, *_, **__: guard.release(f, keep=False))

    def safetensors(module: Any) -> None:
        _first(module, "serialize_file", lambda _, f, *__, **___: guard.release(f, False))

    def h5py(module: Any) -> None:
        def opened(_: Any, name: Any, mode: str = "r", *__: Any, **___: Any) -> None:
            if mode != "r":
                guard.release(name, keep=not mode.startswith("w"))

        _first(module.File, "__init__", opened)

    when_imported("torch.serialization", torch)
    when_imported("safetensors._safetensors_rust", safetensors)
    when_imported("h5py._hl.files", h5py)


def _first(owner: Any, name: str, look: Callable[..., Any]) -> None:
    """Calls `look` before the function `name` of `owner`, with its arguments."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        look(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, watched)
