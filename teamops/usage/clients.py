"""The clients whose logs teamops reads: where each keeps them, and who reads which file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from teamops.model.usage import Usage
from teamops.usage.homes import (
    amp_homes,
    claude_homes,
    codex_homes,
    gemini_homes,
    opencode_homes,
    pi_homes,
)
from teamops.usage.reading import FileReader, LineReader


class Readers(Struct, frozen=True):
    """The readers of one client; they count in common, and live as long as what they counted matters."""

    lines: LineReader | None
    whole: FileReader | None

    def learn(self, usages: Iterable[Usage]) -> None:
        """See ``LineReader``; once for both."""
        self._one.learn(usages)

    def counted(self) -> tuple[Usage, ...]:
        """See ``LineReader``; of both."""
        return self._one.counted()

    @property
    def _one(self) -> LineReader | FileReader:
        found = self.lines or self.whole
        if found is None:
            raise LookupError("a client without readers")
        return found


class LogClient(Struct, frozen=True):
    """One kind of client."""

    name: str
    """As ``Usage.client`` says it."""
    homes: Callable[[Mapping[str, str]], tuple[Path, ...]]
    """Where a client that runs with this environment may keep its files; they need not exist."""
    files: Callable[[Path], Iterator[Path]]
    """All logs below a home, in the order of their paths."""
    is_lines: Callable[[Path], bool]
    """Whether a log is only ever appended to (``Readers.lines``), or rewritten or a database (``Readers.whole``)."""
    readers: Callable[[], Readers]
    """Make readers that have counted nothing yet."""
    beside: Callable[[Path], tuple[Path, ...]] = lambda _path: ()
    """Files whose change is one of the log too, as a database's ``-wal``."""
    last_stands: bool = False
    """Of a response that several logs have, the one written last stands; else the one that was first."""

    def reader_for(self, path: Path, readers: Readers) -> LineReader | FileReader:
        """Return which of ``readers`` reads the log at ``path``. Raises ``LookupError`` where none does."""
        found = readers.lines if self.is_lines(path) else readers.whole
        if found is None:
            raise LookupError(f"{self.name} has no log like {path}")
        return found


def _below(*patterns: str) -> Callable[[Path], Iterator[Path]]:
    """Return who finds the files of all ``patterns`` below a home; what can't be listed has none."""

    def files(home: Path) -> Iterator[Path]:
        # As text: a session comes before its subagents, whose folder has its name.
        yield from sorted({path for pattern in patterns for path in home.glob(pattern) if path.is_file()}, key=str)

    return files


def _lines_below(*folders: str) -> Callable[[Path], Iterator[Path]]:
    """Return who finds all ``*.jsonl`` below ``folders`` of a home: quick, as there may be thousands."""

    def files(home: Path) -> Iterator[Path]:
        found: list[str] = []
        todo = [str(home / folder) for folder in folders]
        while todo:
            try:
                with os.scandir(todo.pop()) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            todo.append(entry.path)
                        elif entry.name.endswith(".jsonl") and entry.is_file():
                            found.append(entry.path)
            except OSError:
                continue
        yield from map(Path, sorted(found))

    return files


def _opencode_files(home: Path) -> Iterator[Path]:
    if home.is_file():
        yield home
        return
    yield from sorted(
        path for pattern in ("*.db", "storage/message/**/*.json") for path in home.glob(pattern) if path.is_file()
    )


def _opencode_beside(path: Path) -> tuple[Path, ...]:
    return (path.with_name(path.name + "-wal"),) if path.suffix == ".db" else ()


def _is_jsonl(path: Path) -> bool:
    return path.suffix == ".jsonl"


# Each reader is imported where it is wanted: a scan that finds only one client's logs pays for no other's.


def _claude_readers() -> Readers:
    from teamops.usage.claude import ClaudeReader

    return Readers(ClaudeReader(), None)


def _codex_readers() -> Readers:
    from teamops.usage.codex import CodexReader

    return Readers(CodexReader(), None)


def _gemini_readers() -> Readers:
    from teamops.usage.gemini import GeminiFiles, GeminiLines
    from teamops.usage.tally import Tally, last_wins

    tally = Tally(last_wins)
    return Readers(GeminiLines(tally), GeminiFiles(tally))


def _opencode_readers() -> Readers:
    from teamops.usage.opencode import OpencodeReader

    return Readers(None, OpencodeReader())


def _amp_readers() -> Readers:
    from teamops.usage.amp import AmpReader

    return Readers(None, AmpReader())


def _pi_readers() -> Readers:
    from teamops.usage.pi import PiReader

    return Readers(PiReader(), None)


CLIENTS: Mapping[str, LogClient] = MappingProxyType(
    {
        client.name: client
        for client in (
            LogClient(
                "claude",
                claude_homes,
                _lines_below("projects"),
                _is_jsonl,
                _claude_readers,
            ),
            LogClient(
                "codex",
                codex_homes,
                _lines_below("sessions", "archived_sessions"),
                _is_jsonl,
                _codex_readers,
            ),
            LogClient(
                "gemini",
                gemini_homes,
                _below("tmp/*/chats/**/*.jsonl", "tmp/*/chats/**/*.json"),
                _is_jsonl,
                _gemini_readers,
                last_stands=True,
            ),
            LogClient(
                "opencode",
                opencode_homes,
                _opencode_files,
                _is_jsonl,
                _opencode_readers,
                _opencode_beside,
                last_stands=True,
            ),
            LogClient(
                "amp",
                amp_homes,
                _below("threads/**/T-*.json"),
                _is_jsonl,
                _amp_readers,
                last_stands=True,
            ),
            LogClient("pi", pi_homes, _lines_below("."), _is_jsonl, _pi_readers),
        )
    }
)
"""By name, in the order in which they are shown."""
