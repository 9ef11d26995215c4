"""Says when a module is there, without importing it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from teamops.sdk.spool import warn

Told = Callable[[ModuleType], None]


def when_imported(name: str, tell: Told) -> None:
    """Call ``tell`` with the module ``name``: now where it is loaded, else as soon as somebody has imported it.

    What ``tell`` raises is said on stderr, and never comes through to who imports.
    """
    finder = _Finder(name, tell)
    sys.meta_path.insert(0, finder)
    if name in sys.modules:
        # Another thread may be half through with it: this waits for the other one, and imports nothing itself.
        finder.done(import_module(name))


class _Finder:
    """Finds nothing itself: it asks those behind it, and looks on when what they found is executed."""

    def __init__(self, name: str, tell: Told) -> None:
        self._name = name
        self._tell = tell

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where the module is, as the other finders say; ``None`` for all others."""
        if fullname != self._name:
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec = None if finder is self or find is None else find(fullname, path, target)
            if spec is not None:
                self._look_on(spec.loader)
                return spec  # type: ignore[no-any-return]  # what a finder says
        return None

    def _look_on(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == self._name:
                self.done(module)

        try:
            loader.exec_module = exec_module
        except AttributeError:
            warn(f"{self._name} is loaded in a way that is not known: its calls are not tracked")

    def done(self, module: ModuleType) -> None:
        """Tell, and look no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            try:
                self._tell(module)
            except Exception as error:  # noqa: BLE001 - the port to someone else's import: nothing may come through
                warn(f"{self._name} can't be tracked: {type(error).__name__}: {error}")
