"""Tells git to say nothing of the clients' settings files that teamops made, empty, to hold them.

By the repository's ``info/exclude``, which is on this machine alone. A pattern goes again with the next start after a
person has put settings of their own there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Sequence
from pathlib import Path

from teamops.domain.client_files import EXCLUDE, FILES, excluded, is_made, with_excluded
from teamops.domain.confinement import Ground
from teamops.effects.ground import git_folders
from teamops.model.errors import TeamopsError

MAX_BYTES = 1 << 20


def excluded_of(ground: Ground, made: Container[str]) -> dict[Path, tuple[str, ...]]:
    """Return, for each exclude file of the agent's repositories, which patterns of teamops belong into it.

    ``made``: the paths that its start makes.
    """
    told: dict[Path, tuple[str, ...]] = {}
    for base in dict.fromkeys((ground.root, ground.tree)):
        folder = Path(base)
        top = next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), None)
        own = list(git_folders(folder))
        if top is None or not own:
            continue
        file = Path(own[-1]) / EXCLUDE  # of all work trees
        within = "".join(f"/{_plain(part)}" for part in folder.relative_to(top).parts)
        names = [name for name in FILES if f"{base}/{name}" in made or _stands(folder / name, name)]
        told[file] = (*told.get(file, ()), *(f"{within}/{name}" for name in names))
    return told


def _stands(path: Path, name: str) -> bool:
    """Return whether it stands there as teamops made it."""
    try:
        with path.open("rb") as file:
            return is_made(name, file.read(MAX_BYTES)) and not path.is_symlink()
    except OSError:
        return False


def _plain(part: str) -> str:
    return re.sub(r"([*?\[\]\\!# ])", r"\\\1", part)


def exclude(path: Path, patterns: Sequence[str]) -> None:
    """Put teamops' patterns into an exclude file, and take out those that are no more. Raises ``TeamopsError``.

    It is written in its place: a new file there would end the hold of agents that run.
    """
    try:
        raw = path.read_bytes() if path.exists() else b""
        text = raw.decode("utf-8", "surrogateescape")
        if set(excluded(text)) == set(patterns):
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(with_excluded(text, patterns).encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise TeamopsError(
            f"can't write {path}: {error.strerror or error}", "mend the folder's rights or free disk space"
        ) from error
