"""Where a command's project is."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.model.errors import UsageError
from teamops.model.role import role_of
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import RoleSettings, Settings

_KINDS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISDIR, "a folder"), (stat.S_ISSOCK, "a socket"))


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


def need_project(settings: Settings) -> None:
    """Raise ``UsageError`` where nothing says that the folder is a project's: nothing is told of one, or made."""
    if settings.watch_only and not settings.handoff.exists():
        raise UsageError(
            f"there is no {settings.handoff.name} and no teamops.toml in {settings.root}",
            "go to a project's folder, name it with -C, or set up a team here: teamops init",
        )


def managed_role(settings: Settings, role: str) -> RoleSettings:
    """Return the settings of a role whose session the team names. Raises ``UsageError`` for any other."""
    found = settings.role(role_of(role))
    if found is None or settings.watch_only:
        known = ", ".join(row.role for row in settings.roles) or "none: there is no teamops.toml here"
        raise UsageError(f'"{role}" is no role of this team', f"roles: {known}")
    return found


def near(path: Path) -> str:
    """Return ``path`` as seen from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def need_file(path: Path) -> None:
    """Raise ``UsageError`` where something else than a file stands at ``path``: reading a pipe would wait for ever."""
    try:
        mode = path.stat().st_mode
    except OSError:  # who reads it says why it can't
        return
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "a device")
        raise UsageError(
            f"{clean_line(near(path))} can't be read: it is {kind}, no file", "the handoff file is a plain text file"
        )
