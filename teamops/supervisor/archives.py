"""The lights of tasks that were moved to the archive: what was used under them belongs to no other light."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from teamops.config.settings import Settings
from teamops.domain.protocol import read
from teamops.domain.spend_by_light import Held, lights_of, moments
from teamops.handoff import ROLES, parse
from teamops.handoff.archive import FOLDER
from teamops.model.handoff import Block, Task


class Archives:
    """The archive's files beside the handoff file, each read again only when it has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[Path, tuple[tuple[int, int], tuple[Block, ...], tuple[Task, ...]]] = {}

    def lights(self, since_wall: float, seen: Mapping[str, float], cap: float) -> list[Held]:
        """Return who held which archived light when, in files that were written to at or after ``since_wall``.

        ``seen``, ``cap``: as for ``moments``. A file that can't be read has none.
        """
        handoff, found = self._settings.handoff, list[Held]()
        for path in sorted((handoff.parent / FOLDER).glob(f"{_plain(handoff.stem)}-*{_plain(handoff.suffix)}")):
            try:
                status = path.stat()
                if status.st_mtime < since_wall:
                    continue
                mark = (status.st_mtime_ns, status.st_size)
                known = self._known.get(path)
                if known is None or known[0] != mark:
                    known = self._known[path] = (mark, *self._read(path))
            except OSError:
                continue
            _, blocks, tasks = known
            found += lights_of(tasks, blocks, moments(blocks, seen, cap))
        return found

    def _read(self, path: Path) -> tuple[tuple[Block, ...], tuple[Task, ...]]:
        blocks = parse(path.read_bytes(), {*ROLES, *(role.role for role in self._settings.roles)}).blocks
        return blocks, read(blocks, self._settings.limits).tasks


def _plain(text: str) -> str:
    return "".join(f"[{char}]" if char in "[*?" else char for char in text)
