"""What a machine has to have for teamops, judged from plain facts."""

from __future__ import annotations

from teamops.model.check import Check, Word

PYTHON = (3, 11)
TMUX = (3, 0)
"""Older ones lack what control mode is asked for here."""
LITTLE, TOO_LITTLE = 1 << 30, 64 << 20
"""Free bytes in the state directory's file system."""
FIRST_DAY = 1767225600.0
"""2026-01-01, Unix seconds: no clock that is right is before it."""
AHEAD_S = 300.0
"""A file that was changed so much later than now has another clock, or this one is wrong."""
WATCHES, INSTANCES = 4096, 16
"""Fewer of inotify's are used up by an editor and a project's folders."""


def python(version: tuple[int, ...], program: str) -> Check:
    """Return whether this interpreter will do."""
    shown = ".".join(map(str, version[:3]))
    if version < PYTHON:
        return broken("python", f"Python {shown}, and 3.11 is needed", "install a newer one, and teamops in it")
    return works("python", f"Python {shown} ({program})")


def tmux(said: str, program: str) -> Check:
    """Return whether this tmux will do. ``said``: what ``tmux -V`` prints; ``program``: empty = there is none."""
    if not program:
        return broken("tmux", "tmux is not installed", "install it: agents live in its sessions")
    digits = said.partition(" ")[2].lstrip("next-").strip()
    major, _, rest = digits.partition(".")
    minor = "".join(letter for letter in rest[:2] if letter.isdigit())
    if not (major.isdigit() and minor):
        return works("tmux", said or "its version is not known")  # a build of one's own
    if (int(major), int(minor)) < TMUX:
        return broken("tmux", f"{said}, and 3.0 is needed", "install a newer one")
    return works("tmux", said)


def disk(free: int, folder: str) -> Check:
    """Return whether there is room for what must be remembered. ``free``: bytes."""
    shown = f"{free / (1 << 30):.1f} GB free" if free >= LITTLE else f"{free >> 20} MB free"
    if free < TOO_LITTLE:
        return broken("disk", f"{shown} where the ledger is ({folder})", "free disk space: budgets stop agents soon")
    return works("disk", shown, "" if free >= LITTLE else "free some disk space soon")


def clock(wall: float, changed: float | None) -> Check:
    """Return whether the clock is sane. ``changed``: when the handoff file was changed, by its file system."""
    if wall < FIRST_DAY:
        return broken("clock", "it says a day before this teamops was made", "set the clock: days count for budgets")
    if changed is not None and changed - wall > AHEAD_S:
        late = int((changed - wall) // 60)
        why = f"the handoff file was changed {late} min from now"
        return broken("clock", why, "set the clock, or touch the file: which block is new goes by it")
    return works("clock", "sane")


def inotify(watches: int | None, instances: int | None, refused: str) -> Check:
    """Return whether changes of files are told. ``None``: the system has no such limits; ``refused``: by the kernel."""
    if refused:
        return broken(
            "inotify", refused, "raise fs.inotify.max_user_instances: files are looked at once a second until then"
        )
    if watches is None or instances is None:
        return Check(layer="inotify", word=Word.NOT_SUPPORTED, why="this system has none: it tells by its own way")
    low = watches < WATCHES or instances < INSTANCES
    hint = "raise fs.inotify.max_user_watches and max_user_instances" if low else ""
    return works("inotify", f"{watches} watches, {instances} instances", hint)


def works(part: str, why: str, do: str = "") -> Check:
    """Return that a part works."""
    return Check(layer=part, word=Word.WORKS, why=why, do=do)


def broken(part: str, why: str, do: str) -> Check:
    """Return that a part does not."""
    return Check(layer=part, word=Word.BROKEN, why=why, do=do)
