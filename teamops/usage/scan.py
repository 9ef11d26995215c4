"""Which logs are new, grown, replaced or as they were: what a scan has to read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from teamops.model.usage_log import LogFile
from teamops.usage.clients import CLIENTS, LogClient


@dataclass(frozen=True, slots=True)
class Found:
    """One log as it lies there."""

    client: str
    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    """The newest of the file's and of those beside it."""


@dataclass(frozen=True, slots=True)
class Work:
    """One log that has to be read."""

    found: Found
    known: LogFile | None
    """How far it was read; ``None``: from its beginning."""

    @property
    def size(self) -> int:
        """Bytes to read, about."""
        return self.found.size - (self.known.offset if self.known else 0)


def find(env: Mapping[str, str], clients: Iterable[LogClient] = CLIENTS.values()) -> Iterator[Found]:
    """Yield all logs of ``clients`` that run with the environment ``env``, each once."""
    seen: set[str] = set()
    for client in clients:
        for home in client.homes(env):
            for path in client.files(home):
                name = str(path if path.is_absolute() else path.absolute())
                if name not in seen:
                    seen.add(name)
                    found = _look(client, name)
                    if found is not None:
                        yield found


def plan(found: Iterable[Found], known: Mapping[str, LogFile]) -> list[Work]:
    """Return what has to be read of ``found``, in the order of paths; a file that has gone keeps what it gave.

    A file of the same size and time as it was read is as it was. Whether one that grew still begins as it did is seen
    when it is read.
    """
    work = []
    for file in sorted(found, key=lambda one: one.path):
        old = known.get(file.path)
        same = old is not None and (old.device, old.inode) == (file.device, file.inode) and file.size >= old.offset
        if old is not None and same and (old.size, old.mtime_ns) == (file.size, file.mtime_ns):
            continue
        work.append(Work(file, old if same else None))
    return work


def _look(client: LogClient, path: str) -> Found | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - two thousand at once
    except OSError:
        return None  # gone since it was listed
    newest = status.st_mtime_ns
    for beside in client.beside(Path(path)):
        try:
            newest = max(newest, beside.stat().st_mtime_ns)
        except OSError:
            continue
    return Found(client.name, path, status.st_dev, status.st_ino, status.st_size, newest)
