"""How many acts came upon each file between two looks, counted by what inotify tells.

A file that is written and closed, given its name by a rename, or taken away is one act each; taken away and there again
at once (as many programs save) is one. What is told of a file is only then known to be one act's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from teamops.sources.inotify import CLOSE_WRITE, CREATE, DELETE, MODIFY, MOVED_FROM, MOVED_TO

MAX_NAMES = 20_000
"""Of more names at once nothing is counted."""
_MAX_MARKS = 16
_WRITTEN, _CLOSED, _NAMED, _GONE = "wcnd"
_MARKS = (
    (DELETE | MOVED_FROM, _GONE),
    (MOVED_TO, _NAMED),
    (MODIFY | CREATE, _WRITTEN),
    (CLOSE_WRITE, _CLOSED),
)
_WITH_ITS_FOLDER = _NAMED


class Acts:
    """What was counted since it was taken last."""

    def __init__(self) -> None:
        self._upon: dict[str, str] = {}
        """Of each file what was told, a letter each."""
        self._lost = False

    def see(self, path: str, mask: int) -> None:
        """Count what inotify tells of a file."""
        mark = next((mark for bits, mark in _MARKS if mask & bits), "")
        before = self._upon.get(path, "")
        again = mark in {_WRITTEN, _CLOSED} and before.endswith(mark)
        if not mark or again or len(before) >= _MAX_MARKS:
            return
        if len(self._upon) >= MAX_NAMES and not before:
            self.lose()
        else:
            self._upon[path] = before + mark

    def lose(self) -> None:
        """Take it that something was not told."""
        self._lost = True
        self._upon.clear()

    def take(self) -> Counted:
        """Return what was counted, and begin anew."""
        counted = Counted(self._upon, self._lost)
        self._upon, self._lost = {}, False
        return counted

    def go_on(self, counted: Counted, paths: Iterable[str]) -> None:
        """Go on counting for files that are to be looked at once more. What came untold came with its folder."""
        for path in paths:
            self._lost = self._lost or counted.lost
            self._upon[path] = (counted.upon.get(path) or _WITH_ITS_FOLDER) + self._upon.get(path, "")

    def __contains__(self, path: str) -> bool:
        """Return whether anything came upon a file since."""
        return self._lost or _number(self._upon.get(path, "")) > 0


@dataclass(frozen=True, slots=True)
class Counted:
    """What came between two looks."""

    upon: Mapping[str, str]
    lost: bool

    def single(self, path: str, *, moved: bool) -> bool:
        """Return whether one act came upon a file, no more. ``moved``: it came, or went, with its folder, as one."""
        number = _number(self.upon.get(path, ""))
        return not self.lost and (number == 1 or (number == 0 and moved))


UNKNOWN = Counted({}, lost=True)


def _number(marks: str) -> int:
    """Return how many acts these marks come to."""
    over, writing, gone = 0, False, False
    for mark in marks:
        if mark == _CLOSED:
            over, writing = over + writing, False  # what was not written since, is only closed
            continue
        if mark == _WRITTEN:
            over, writing = over - gone, True
        else:
            over, writing = over + writing + 1 - (gone and mark == _NAMED), False
        gone = mark == _GONE
    return over + writing
