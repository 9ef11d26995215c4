"""Where a command's project is."""

from __future__ import annotations

from pathlib import Path

from teamops.config.settings import Settings


def root_of(given: Path | None) -> Path:
    """Return the project's folder: the given one, else the nearest at or above this one that looks like one."""
    if given is not None:
        return given.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "teamops.toml").is_file() or (folder / "current.md").is_file():
            return folder
    return here


def settings_of(given: Path | None) -> Settings:
    """Return the settings of the project that ``given`` or this folder names."""
    from teamops.config.load import load

    return load(root_of(given))


def near(path: Path) -> str:
    """Return ``path`` as seen from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
