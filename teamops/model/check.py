"""What was found where a part of teamops, or the boundary of a role, was tried."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from teamops.model.role import Role


class Word(StrEnum):
    """What came of a trial, in a word."""

    WORKS = "works"
    OFF = "off"
    """A person's choice, or nothing asks for it."""
    NOT_SUPPORTED = "not supported"
    """It can't be had here."""
    BROKEN = "BROKEN"
    """It should work, and does not."""


KERNEL, HOOK, HOLD, AUDIT, COMMIT = "kernel", "hook", "budget hold", "audit", "git commit"
"""The layers of a role's boundary that are tried here."""


class Check(Struct, frozen=True, kw_only=True):
    """One trial, as a person reads it."""

    layer: str
    """What was tried: a layer of a boundary, or a part of the machine."""
    word: Word
    why: str
    """One line: what was seen."""
    do: str = ""
    """What to do about it; empty where there is nothing to do."""
    role: Role | None = None
    """Whose boundary; ``None``: of the machine or the project."""
    ms: int | None = None
    """How long it took; ``None`` = it was not run."""
    tried: tuple[str, ...] = ()
    """Each single thing, and what came of it; told to programs, and not kept."""
