"""The table [sandbox] → the boundary that the kernel holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from teamops.config.settings import SandboxMode, SandboxSettings

KeyPath = tuple[str, ...]


def read(values: Mapping[KeyPath, object], resolved: Callable[[object], Path]) -> SandboxSettings:
    """Return what the table says. ``resolved``: how a path is meant."""

    def paths(name: str) -> tuple[Path, ...]:
        told = values.get(("sandbox", name))
        return tuple(map(resolved, told)) if isinstance(told, tuple) else ()

    mode = values.get(("sandbox", "mode"))
    return SandboxSettings(
        mode=mode if isinstance(mode, SandboxMode) else SandboxMode.AUTO,
        write=paths("write"),
        sockets=paths("sockets"),
    )
