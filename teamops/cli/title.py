"""The title of the terminal's window, while our screen has it: whose turn it is, and how many alerts there are.

Of our own terminal alone; inside tmux that is the title of our own pane. What it was before comes back at the end,
where the terminal remembers it (XTWINOPS 22 and 23).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import ParamSpec, Self, TypeVar

from teamops.model.snapshot import Snapshot
from teamops.model.text import clean_line
from teamops.report.segment import SIGNS, facts_of

LIMIT = 80
REMEMBER, RECALL = "\x1b[22;2t", "\x1b[23;2t"
_FORMAT = re.compile(r"#(?=[\[({])")
_NO_WINDOW = frozenset({"", "dumb", "linux", "vt100", "vt220"})

P = ParamSpec("P")
R = TypeVar("R")


class Title:
    """A context manager around the screen. ``take`` may be called in any thread."""

    def __init__(self, write: Callable[[str], bool], env: Mapping[str, str] = os.environ) -> None:
        self._write = write
        self._has_window = env.get("TERM", "") not in _NO_WINDOW
        self._lock = Lock()
        self._shown = ""
        self._away = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the title back."""
        with self._lock:
            if self._shown:
                self._write(RECALL)
            self._has_window = False

    def take(self, snapshot: Snapshot) -> None:
        """Show what is new in ``snapshot``."""
        if not snapshot.ready:
            return
        text = words(snapshot)
        with self._lock:
            if not self._has_window or self._away or text == self._shown:
                return
            if self._write(f"{'' if self._shown else REMEMBER}\x1b]2;{text}\x1b\\"):
                self._shown = text

    def leaving_it(self, act: Callable[P, R]) -> Callable[P, R]:
        """Return ``act``, during which another program has the terminal: its title is left alone."""

        def alone(*arguments: P.args, **options: P.kwargs) -> R:
            with self._lock:
                self._away += 1
            try:
                return act(*arguments, **options)
            finally:
                with self._lock:
                    self._away -= 1

        return alone


def words(snapshot: Snapshot) -> str:
    """Return the title for ``snapshot``: what a person may look for among their windows first."""
    facts = facts_of(snapshot)
    light = facts["light"]
    who = "○" if light is None else f"{SIGNS[light[1]]} {light[0]}"
    alerts = f" ⚠{facts['alerts']}" if facts["alerts"] else ""
    # A status line may show the title, and tmux reads styles in it.
    project = _FORMAT.sub("# ", snapshot.project)
    return clean_line(f"{who}{alerts} – teamops {project}", LIMIT)  # noqa: RUF001 - a dash for people
