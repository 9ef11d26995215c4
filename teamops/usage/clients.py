"""The clients whose logs teamops reads: where each keeps them, and who reads which file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from teamops.model.usage import Usage
from teamops.usage import locate
from teamops.usage.amp import AmpReader
from teamops.usage.claude import ClaudeReader
from teamops.usage.codex import CodexReader
from teamops.usage.gemini import GeminiFiles, GeminiLines
from teamops.usage.opencode import OpencodeReader
from teamops.usage.pi import PiReader
from teamops.usage.reading import FileReader, LineReader
from teamops.usage.tally import Tally, last_wins


@dataclass(frozen=True, slots=True)
class Readers:
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


def _home(env: Mapping[str, str]) -> Path | None:
    return Path(env["HOME"]) if env.get("HOME") else None


def _named(env: Mapping[str, str], variable: str) -> tuple[Path, ...]:
    """Return the folders that a variable lists, with commas between them."""
    return tuple(Path(part.strip()) for part in env.get(variable, "").split(",") if part.strip())


def _data(env: Mapping[str, str], folder: str) -> tuple[Path, ...]:
    """Return a client's folder below the user's data directory."""
    home = _home(env)
    data = Path(env["XDG_DATA_HOME"]) if env.get("XDG_DATA_HOME") else home and home / ".local" / "share"
    return (data / folder,) if data else ()


def codex_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of ``sessions`` and ``archived_sessions``."""
    home = _home(env)
    return _named(env, "CODEX_HOME") or ((home / ".codex",) if home else ())


def gemini_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of ``tmp/<project>/chats``."""
    home = Path(env["GEMINI_CLI_HOME"]) if env.get("GEMINI_CLI_HOME") else _home(env)
    return (home / ".gemini",) if home else ()


def opencode_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of the databases and of ``storage``, and a database that was named by itself."""
    homes = _named(env, "OPENCODE_DATA_DIR") or _data(env, "opencode")
    database = env.get("OPENCODE_DB", "")
    # A name without a folder lies in the client's own.
    return (*homes, Path(database)) if Path(database).is_absolute() else homes


def amp_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of ``threads``."""
    return _named(env, "AMP_DATA_DIR") or _data(env, "amp")


def pi_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of all sessions."""
    named = _named(env, "PI_AGENT_DIR") or _named(env, "PI_CODING_AGENT_SESSION_DIR")
    home = _home(env)
    agent = env.get("PI_CODING_AGENT_DIR") or (home and home / ".pi" / "agent")
    return tuple(_tilde(path, home) for path in named or ((Path(agent) / "sessions",) if agent else ()))


def _tilde(path: Path, home: Path | None) -> Path:
    return home.joinpath(*path.parts[1:]) if home and path.parts[:1] == ("~",) else path


def _below(*patterns: str) -> Callable[[Path], Iterator[Path]]:
    """Return who finds the files of all ``patterns`` below a home; what can't be listed has none."""

    def files(home: Path) -> Iterator[Path]:
        # As text: a session comes before its subagents, whose folder has its name.
        yield from sorted({path for pattern in patterns for path in home.glob(pattern) if path.is_file()}, key=str)

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


def _gemini_readers() -> Readers:
    tally = Tally(last_wins)
    return Readers(GeminiLines(tally), GeminiFiles(tally))


CLIENTS: Mapping[str, LogClient] = MappingProxyType(
    {
        client.name: client
        for client in (
            LogClient(
                "claude",
                locate.homes,
                _below("projects/**/*.jsonl"),
                _is_jsonl,
                lambda: Readers(ClaudeReader(), None),
            ),
            LogClient(
                "codex",
                codex_homes,
                _below("sessions/**/*.jsonl", "archived_sessions/**/*.jsonl"),
                _is_jsonl,
                lambda: Readers(CodexReader(), None),
            ),
            LogClient(
                "gemini",
                gemini_homes,
                _below("tmp/*/chats/**/*.jsonl", "tmp/*/chats/**/*.json"),
                _is_jsonl,
                _gemini_readers,
            ),
            LogClient(
                "opencode",
                opencode_homes,
                _opencode_files,
                _is_jsonl,
                lambda: Readers(None, OpencodeReader()),
                _opencode_beside,
            ),
            LogClient("amp", amp_homes, _below("threads/**/T-*.json"), _is_jsonl, lambda: Readers(None, AmpReader())),
            LogClient("pi", pi_homes, _below("**/*.jsonl"), _is_jsonl, lambda: Readers(PiReader(), None)),
        )
    }
)
"""By name, in the order in which they are shown."""
