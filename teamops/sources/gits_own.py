"""What of git's own folders in a work tree leads git, as it stands there. git itself is not asked: it may be broken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from teamops.domain.git_places import FOLDERS, MODULES, is_looked_at, is_neutral, is_planted, is_watched
from teamops.git.around import inner_folders
from teamops.model.boundary import FileKind
from teamops.sources.kept_bytes import read_state


class GitsOwn:
    """git's own in the work tree ``root``; all paths are relative to it."""

    def __init__(self, root: Path, own: AbstractSet[str]) -> None:
        """``own``: folders in which the tree's own files are, kept up to date by who gives it."""
        self._root = str(root)
        self._own = own
        self._inner: frozenset[str] = frozenset()
        """Of work trees that are linked to it, and of submodules."""
        self._modules: frozenset[str] = frozenset()
        """Those of submodules; one that comes later is not among them, for git itself writes its settings then."""

    def begin(self) -> None:
        """Take it which submodules there are."""
        self.find()
        self._modules = frozenset(one for one in self._inner if f"/{MODULES}/" in one)

    def find(self) -> None:
        """Look for work trees that are linked to this one, and for submodules."""
        below = len(self._root) + 1
        self._inner = frozenset(path[below:] for path in inner_folders(f"{self._root}/.git"))

    def has(self, path: str) -> bool:
        """Return whether a file of git's own is looked at."""
        return is_looked_at(path, self._modules)

    def folders(self) -> Iterator[str]:
        """Yield the folders that are looked into, whether they are there or not."""
        yield from (f"{one}/{name}".rstrip("/") for one in (".git", *sorted(self._inner)) for name in FOLDERS)
        yield from (f"{one}/.git" for one in self._own)

    def looks_into(self, folder: str) -> bool:
        """Return whether a folder of git's own is looked into."""
        if is_planted(folder) and folder.rpartition("/")[0] not in self._own:
            return False
        return is_watched(folder, self._modules)

    def now(self) -> Iterator[str]:
        """Yield the files that are there and looked at."""
        for folder in self.folders():
            if is_planted(folder):
                yield from (one for one in (folder, f"{folder}/HEAD") if self._is_file(one))
                continue
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    names = [entry.name for entry in entries if not entry.is_dir()]
            except OSError:
                continue
            yield from (path for name in names if self.has(path := f"{folder}/{name}"))
        yield from (one for one in (".git",) if self._is_file(one))

    def is_neutral(self, path: str) -> bool:
        """Return whether git does not go by what stands in a file of its own."""
        state, raw = read_state(f"{self._root}/{path}")
        plain = state.kind is FileKind.FILE and raw is not None
        return plain and is_neutral(path, raw or b"", self._root, self._modules)

    def _is_file(self, path: str) -> bool:
        full = f"{self._root}/{path}"
        return os.path.lexists(full) and (os.path.islink(full) or not os.path.isdir(full))  # noqa: PTH112, PTH114
