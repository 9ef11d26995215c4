"""The clients whose logs teamops reads: where each keeps them, and who reads which file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from teamops.usage import locate
from teamops.usage.claude import ClaudeReader
from teamops.usage.reading import FileReader, LineReader


@dataclass(frozen=True, slots=True)
class Readers:
    """The readers of one client; they count in common, and live as long as what they counted matters."""

    lines: LineReader | None
    whole: FileReader | None


@dataclass(frozen=True, slots=True)
class LogClient:
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

    def reader_for(self, path: Path, readers: Readers) -> LineReader | FileReader:
        """Return which of ``readers`` reads the log at ``path``. Raises ``LookupError`` where none does."""
        found = readers.lines if self.is_lines(path) else readers.whole
        if found is None:
            raise LookupError(f"{self.name} has no log like {path}")
        return found


def _claude_files(home: Path) -> Iterator[Path]:
    yield from sorted((home / "projects").rglob("*.jsonl"))


def _claude_readers() -> Readers:
    return Readers(ClaudeReader(), None)


CLIENTS: Mapping[str, LogClient] = MappingProxyType(
    {
        client.name: client
        for client in (LogClient("claude", locate.homes, _claude_files, lambda _path: True, _claude_readers),)
    }
)
