"""The logs of clients whose readers remember: all that changed is read by readers of its own, from the beginnings.

What a record is may depend on what was before it in its file, and in the file its session was forked from. So a log
that grew is read from its start, and what that gives is merged by keys: nothing counts twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import FileIO
from pathlib import Path

from teamops.model.usage import Tokens, Usage
from teamops.model.usage_log import LogFile, LogRead, LogRow
from teamops.usage.claude_bulk import guard_at
from teamops.usage.clients import LogClient
from teamops.usage.reading import LineReader
from teamops.usage.scan import Work

MAX_LINE = 8 << 20
"""A longer line is nobody's record: it is skipped and counted."""
_SESSION = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BLOCK = 1 << 20
_HEAD = 1 << 14
"""A log names the session that it was forked from within so many bytes."""


@dataclass(slots=True, eq=False)
class _Response:
    """What all readings of a client's logs told of one key."""

    path: str
    """The file that told it last."""
    usage: Usage
    tokens: Tokens
    cost: Decimal | None


def read_changed(client: LogClient, work: Sequence[Work], paths: Iterable[str], troubles: list[str]) -> list[LogRead]:
    """Read what changed of one client's logs. ``paths``: all its logs that there are.

    A log that can't be read is told to ``troubles`` and left for the next time.
    """
    reading = _Reading(client, paths, {one.found.path for one in work})
    for one in work:
        try:
            reading.take(one)
        except OSError as error:
            troubles.append(f"{one.found.path}: {error.strerror or error}")
    return reading.told()


class _Reading:
    def __init__(self, client: LogClient, paths: Iterable[str], changed: set[str]) -> None:
        self._client = client
        self._readers = client.readers()
        self._changed = changed
        self._sessions = {found[0]: path for path in paths if (found := _SESSION.findall(os.fsencode(path)))}
        self._fed: set[str] = set()
        self._files: dict[str, LogFile] = {}
        self._cwds: dict[str, set[tuple[str, str]]] = {}
        self._responses: dict[str, _Response] = {}

    def take(self, work: Work) -> None:
        """Read one log. Raises ``OSError``."""
        found, path = work.found, work.found.path
        bad, offset = 0, found.size
        usages: list[Usage] = []
        if self._client.is_lines(Path(path)):
            reader = self._readers.lines
            if reader is None:
                return
            self._feed_parents(reader, path)
            with FileIO(path) as file:
                for lines, offset, skipped in _lines(file):  # noqa: B007 - the last offset stays
                    reading = reader.read(lines, path)
                    usages += reading.usages
                    bad += reading.bad_lines + skipped
        elif self._readers.whole is not None:
            reading = self._readers.whole.read(Path(path))
            usages += reading.usages
            bad = reading.bad_lines
        with FileIO(path) as file:
            guard = guard_at(file, offset)
        self._files[path] = LogFile(
            self._client.name, path, found.device, found.inode, offset, found.size, found.mtime_ns, guard, bad
        )
        for number, usage in enumerate(usages):
            self._add(usage.key or f"{path}:{number}", usage, path)

    def _add(self, key: str, usage: Usage, path: str) -> None:
        if usage.session and usage.cwd:
            self._cwds.setdefault(path, set()).add((usage.session, usage.cwd))
        old = self._responses.get(key)
        if old is None:
            self._responses[key] = _Response(path, usage, usage.tokens, usage.cost_usd)
            return
        added = usage.cost_usd
        old.cost = None if old.cost is None or added is None else old.cost + added
        old.path, old.usage, old.tokens = path, usage, old.tokens + usage.tokens

    def _feed_parents(self, reader: LineReader, path: str) -> None:
        """Have the logs read, and not counted, that the one at ``path`` names at its beginning: it may be a fork."""
        with FileIO(path) as file:
            named = _SESSION.findall(file.read(_HEAD) or b"")
        for session in dict.fromkeys(named):
            parent = self._sessions.get(session)
            if parent is None or parent in self._changed or parent in self._fed:
                continue
            self._fed.add(parent)
            try:
                with FileIO(parent) as file:
                    for lines, _, _ in _lines(file):
                        reader.read(lines, parent)
            except OSError:
                continue  # without it the reader tells copies by their times

    def told(self) -> list[LogRead]:
        """Return what was read, one for each log."""
        rows: dict[str, list[LogRow]] = {path: [] for path in self._files}
        for key, response in self._responses.items():
            if response.tokens == Tokens() and not response.cost:
                continue  # taken back: a copy of another
            file = self._files[response.path]
            rows[file.path].append(_row(key, response, file.mtime_ns if self._client.last_stands else 0))
        return [
            LogRead(file, anew=True, rows=tuple(rows[path]), cwds=tuple(sorted(self._cwds.get(path, ()))))
            for path, file in self._files.items()
        ]


def _lines(file: FileIO) -> Iterator[tuple[list[bytes], int, int]]:
    """Yield complete lines, where in the file they end, and how many were too long to be held."""
    rest, at, skipping = b"", 0, False
    while block := file.read(_BLOCK):
        data = rest + block
        end = data.rfind(b"\n")
        skipped = 0
        if skipping and (first := data.find(b"\n")) >= 0:
            at += first + 1
            data, end, skipping, skipped = data[first + 1 :], end - first - 1, False, 1
        if skipping or (end < 0 and len(data) > MAX_LINE):
            at += len(data)
            rest, skipping = b"", True
            continue
        rest = data[end + 1 :]
        if end >= 0 or skipped:
            at += end + 1
            yield data[:end].split(b"\n") if end >= 0 else [], at, skipped


def _row(key: str, response: _Response, rank: int) -> LogRow:
    usage, tokens = response.usage, response.tokens
    cost = "" if response.cost is None else str(response.cost)
    return (
        key, False, usage.wall, usage.model, usage.session, usage.session, usage.speed, usage.service_tier,
        tokens.input, tokens.output, tokens.cache_write, tokens.cache_write_1h, tokens.cache_read, cost, rank, 0,
    )  # fmt: skip
