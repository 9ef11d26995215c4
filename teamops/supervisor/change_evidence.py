"""What speaks for and against an agent where a file has changed: its hook's words, and how the kernel holds it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from teamops.domain.attribution import LATELY_S
from teamops.guard import confine
from teamops.guard.hook import FILE

TAIL = 1 << 16
"""So much of the end of a spool is read."""
_AHEAD_S = 1.0
"""A file's time may lie a little before the hook's: they are rounded in other ways."""


@dataclass(frozen=True, slots=True)
class HookWord:
    """What a hook said of one call."""

    wall: float
    verdict: str
    about: str


def hook_words(spool: Path, wall: float) -> tuple[HookWord, ...]:
    """Return what a role's hook decided lately, oldest first. ``spool``: the role's folder. Raises nothing."""
    try:
        handle = os.open(spool / f"{FILE}.jsonl", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123 - a descriptor
            size = os.fstat(file.fileno()).st_size
            raw = os.pread(file.fileno(), TAIL, max(0, size - TAIL))
    except OSError:
        return ()
    found = []
    for line in raw.splitlines():
        if b'"verdict"' not in line:
            continue
        try:
            told = json.loads(line)
            word = HookWord(float(told["t"]), str(told["verdict"]), str(told.get("about", "")))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if wall - LATELY_S - 5 <= word.wall <= wall + _AHEAD_S:
            found.append(word)
    return tuple(found)


def spoken(words: tuple[HookWord, ...], path: str, full: str, wall: float) -> tuple[float | None, float | None]:
    """Return how many seconds before ``wall`` a hook last let a call about a file through, and refused one.

    ``path``: in the project; ``full``: absolute. A shell's line that was refused counts where it names the file.
    """
    let = refused = None
    for word in words:
        ago = max(0.0, wall - word.wall)
        if ago > LATELY_S or word.wall > wall + _AHEAD_S:
            continue
        if word.verdict == "deny":
            if word.about in {path, full} or path in word.about.split():
                refused = ago
        elif word.about in {path, full}:
            let = ago
    return let, refused


@dataclass(frozen=True, slots=True)
class Hold:
    """Where the kernel lets an agent write."""

    writable: tuple[str, ...]

    def keeps_from(self, full: str) -> bool:
        """Return whether the agent can't write at ``full``, an absolute path with its folder's links followed."""
        return not any(full == one or full.startswith(one.rstrip("/") + "/") for one in self.writable)


def hold_of(pid: int, proc: Path = Path("/proc")) -> Hold | None:
    """Return how the kernel holds the process that runs in an agent's pane.

    ``None`` where it isn't known to be held by both fences: one alone can be got around.
    """
    try:
        words = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    own = os.fsencode(confine.__file__)
    if own not in words or not words[0].endswith(b"bwrap"):
        return None
    at = words.index(own)
    try:
        plan = confine.read(os.fsdecode(words[at + 1]))
    except (confine.Wrong, IndexError):
        return None
    return Hold(tuple(plan.writable)) if plan.landlock else None
