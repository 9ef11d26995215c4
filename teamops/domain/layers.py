"""Which layer holds an answer about a path or a command, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from teamops.domain.confinement import Boundary, Layer
from teamops.domain.confinement_words import layer_of

HOOKS, HOOKS_ALONE, AUDIT, NOBODY = str(Layer.HOOKS), "hooks", "audit", ""
KERNEL = str(Layer.KERNEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What there is to hold one role."""

    boundary: Boundary | None
    """``None``: the kernel holds nothing."""
    holder: str
    """What holds it: "bwrap and Landlock 7"."""
    lacks: Sequence[str]
    """What the machine lacks, or why the kernel holds nothing."""
    hooks: str = ""
    """Why its client has no hooks; empty = it has."""
    untried: str = ""
    """What could not be tried, and why: no fault of the machine."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who refuses, and in words."""

    layer: str
    """KERNEL, HOOKS, HOOKS_ALONE, AUDIT, or NOBODY where nothing refuses."""
    words: str


def of_path(holding: Holding, path: str, *, denied: bool) -> Held:
    """Return who refuses that the file at the absolute ``path`` is written. ``denied``: so says the role's policy."""
    drawn = holding.boundary
    kernel = drawn is not None and layer_of(drawn, path) is Layer.KERNEL
    if not denied:
        if kernel:
            why = "the kernel refuses it all the same: it lies in no folder that its agent may write"
            return Held(KERNEL, why + _missing(holding))
        return Held(NOBODY, "none has to: it may")
    if kernel:
        return Held(KERNEL, f"held by the kernel ({holding.holder})" + _missing(holding))
    layer, said = _others(holding)
    if drawn is None:
        return Held(layer, f"{said} ({_nothing(holding, 'the kernel holds nothing')})")
    return Held(layer, f"{said} (the folder is writable)" + _missing(holding))


def of_command(holding: Holding, *, denied: bool) -> Held:
    """Return who refuses that a line is run."""
    writes = "whatever it runs, the kernel lets it write its own folders alone" + _missing(holding)
    if holding.boundary is None:
        writes = _nothing(holding, "the kernel holds nothing of what it writes")
    if not denied:
        return Held(NOBODY, f"none has to: it may; {writes}")
    if holding.hooks:
        return Held(NOBODY, f"nobody refuses it: {holding.hooks}; {writes}")
    return Held(HOOKS_ALONE, f"hooks only: a kernel knows no command lines; {writes}")


def _others(holding: Holding) -> tuple[str, str]:
    if holding.hooks:
        return AUDIT, f"the audit only: {holding.hooks}"
    return HOOKS, "hooks and audit only"


def _nothing(holding: Holding, words: str) -> str:
    """Say why nothing is held; where it could not be tried, that nobody knows."""
    if holding.untried:
        return "; ".join(("what the kernel holds can't be told: " + holding.untried, *holding.lacks))
    return f"{words}: {'; '.join(holding.lacks)}"


def _missing(holding: Holding) -> str:
    if holding.boundary is None:
        return ""
    lacks = f"; this machine lacks: {'; '.join(holding.lacks)}" if holding.lacks else ""
    return lacks + (f"; {holding.untried}" if holding.untried else "")
