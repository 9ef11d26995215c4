"""The logs of the agents' clients, read as they grow: each by its client's own rules, each response told once."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from teamops.model.events import SourceTroubled, UsageSeen
from teamops.model.role import Role
from teamops.model.tail import KnownLog, Position
from teamops.model.usage import Usage
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.port import Emit
from teamops.sources.tail import BLOCK, Chunk, Tail, grown_at, size_of
from teamops.usage import locate, locate_codex
from teamops.usage.clients import CLIENTS, Readers
from teamops.usage.opencode import OpencodeReader
from teamops.usage.reading import LineReader, Reading

SMALL = 1 << 16
"""Growth up to this is read in the loop: a millisecond. More goes to a thread."""
RETRY_S = 0.2
"""So soon a log that could not be read, as a locked database, is read again."""
PATIENCE = 25
"""After so many tries in vain a person is told."""
RECENT_S = 7 * 86_400.0
"""A rewritten log that has told nothing for so long is not asked for an end that earlier lives may have missed."""


@dataclass(slots=True, eq=False)
class _Lines:
    """A log of one role that is only ever appended to."""

    role: Role
    client: str
    tail: Tail
    history: int
    """Bytes that were there when it was first seen: no sign of work."""
    growth: bool
    """Its growth is told too, with or without usage in it."""
    told: bool = False
    """Something was said of it, were it only when it last grew."""
    learnt: bool = False
    """What the ledger has of it, and of the files it may copy, was read for the sake of deduplication."""
    tries: int = 0


@dataclass(slots=True, eq=False)
class _Whole:
    """A log of one role that is rewritten, or a session in a database."""

    role: Role
    client: str
    path: Path
    session: str
    """In a database; empty = the file is all the session's."""
    position: Position
    live: bool
    """What is read next was written after it was first seen."""
    since: float = 0.0
    """Of a database: what was written before was read."""
    bad: int = 0
    tries: int = 0


_Log = _Lines | _Whole
_Key = tuple[Role, str]


class Before(Struct, frozen=True):
    """What earlier lives read."""

    positions: Mapping[str, Position] = field(default_factory=dict)
    """How far each file was read, by its path; of a session in a database, by ``name_of``."""
    known: Mapping[str, KnownLog] = field(default_factory=dict)
    """Whose log each of them is."""
    counted: Mapping[str, Sequence[Usage]] = field(default_factory=dict)
    """By client, what was told of logs that are rewritten."""


class Logs:
    """Emits ``UsageSeen`` for the logs that ``follow`` names.

    ``on_lines`` is told of all lines that are read in logs that are no subagent's. ``follow`` is called again
    whenever a log may have changed. All methods belong to the loop.
    """

    name = "logs"

    def __init__(
        self,
        clock: Clock,
        before: Before,
        on_lines: Callable[[Role, Sequence[bytes]], None] = lambda _role, _lines: None,
        roles: frozenset[Role] = frozenset(),
    ) -> None:
        self._clock = clock
        self._before = before
        self._on_lines = on_lines
        self._roles = roles
        self._readers: dict[str, Readers] = {}
        self._logs: dict[_Key, _Log] = {}
        self._learnt: set[str] = set()
        self._due: dict[_Key, None] = {}
        self._later: dict[_Key, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._emit: Emit | None = None
        self._task: asyncio.Task[None] | None = None
        self._troubled: set[str] = set()

    async def start(self, emit: Emit) -> None:
        """Begin, with what was written of the logs that are known while teamops was not running."""
        self._emit = emit
        self._task = asyncio.create_task(keep(self.name, self._read_for_ever, emit, self._clock), name="logs")
        for name, known in self._before.known.items():
            if known.role in self._roles and known.client in CLIENTS:
                self._go_on(name, known)

    async def stop(self) -> None:
        """End."""
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._emit = None

    def follow(
        self, role: Role, client: str, path: Path, *, session: str = "", fresh: bool, growth: bool = False
    ) -> None:
        """Have what is new in a log read, as usage of ``role``.

        ``session``: of a database, the one that is the role's. ``fresh`` matters when the log is new to us: then all
        of it was written just now. ``growth``: tell that it grew, whether there is usage in it or not.
        """
        name = name_of(path, session)
        key = (role, name)
        if key not in self._logs:
            position = self._before.positions.get(name)
            news = fresh and position is None
            if CLIENTS[client].is_lines(path):
                tail = Tail(path, position)
                self._logs[key] = _Lines(role, client, tail, 0 if news else size_of(path), growth)
            else:
                self._logs[key] = _Whole(role, client, path, session, position or Position(name, 0, 0, 0), live=news)
        self._read_soon(key)

    def again(self, role: Role) -> None:
        """Look once more into all logs of ``role``: its client has ended, and nobody tells of its last words."""
        for key in self._logs:
            if key[0] == role:
                self._read_soon(key)

    async def caught_up(self) -> None:
        """Return when all that was written so far to the logs that are followed was told."""
        await self._quiet.wait()

    def _go_on(self, name: str, known: KnownLog) -> None:
        path, session = _named(name)
        if CLIENTS[known.client].is_lines(path):
            position = self._before.positions.get(name)
            if position is not None and size_of(path) > position.offset:
                self.follow(known.role, known.client, path, fresh=False, growth=known.client == locate.CLIENT)
        elif path.exists() and self._clock.stamp().wall - known.wall < RECENT_S:
            self.follow(known.role, known.client, path, session=session, fresh=False)

    def _read_soon(self, key: _Key) -> None:
        self._due[key] = None
        self._quiet.clear()
        self._wake.set()

    async def _read_for_ever(self) -> None:
        while True:
            while self._due:
                key = next(iter(self._due))
                del self._due[key]
                try:
                    await self._read(key, self._logs[key])
                except BaseException:
                    self._due[key] = None  # nothing of it was told: the next life of this task reads it again
                    raise
            self._quiet.set()
            await self._wake.wait()
            self._wake.clear()

    async def _read(self, key: _Key, log: _Log) -> None:
        path = log.tail.path if isinstance(log, _Lines) else log.path
        try:
            if isinstance(log, _Lines):
                await self._read_lines(log)
            else:
                await self._read_whole(log)
        except FileNotFoundError:
            pass  # a session was deleted
        except OSError as error:
            log.tries += 1
            busy = error.errno == errno.EBUSY
            if not busy or log.tries >= PATIENCE:
                self._trouble(path, f"{path}: {error.strerror or error}")
            if busy and key not in self._later:
                self._later[key] = asyncio.get_running_loop().call_later(RETRY_S, self._retry, key)
        else:
            log.tries = 0
            self._trouble(path, "")

    def _retry(self, key: _Key) -> None:
        del self._later[key]
        self._read_soon(key)

    # lines

    async def _read_lines(self, log: _Lines) -> None:
        reader = self._of(log.client).lines
        if reader is None:
            return
        if not log.learnt:
            await asyncio.to_thread(self._learn, log, reader)
            log.learnt = True
        more = True
        while more:
            more = await self._read_some(log, reader)

    async def _read_some(self, log: _Lines, reader: LineReader) -> bool:
        """Read and tell one piece; return whether there is more."""
        path = log.tail.path
        grown = None if log.told else grown_at(path)
        if size_of(path) - log.tail.position.offset <= SMALL:
            chunk, reading = _take(log.tail, reader, SMALL)
        else:
            chunk, reading = await asyncio.to_thread(_take, log.tail, reader, BLOCK)
        if self._emit is None:
            return False
        if not locate.is_side(path.name):
            self._on_lines(log.role, chunk.lines)
        if chunk.restarted:
            log.history = 0
        grew = bool(chunk.lines) or chunk.skipped > 0
        bad = reading.bad_lines + chunk.skipped
        seen = grew or grown is not None
        log.told = log.told or seen
        if (seen and log.growth) or chunk.restarted or reading.usages or bad:
            live = chunk.position.offset > log.history
            self._emit(
                UsageSeen(
                    self._clock.stamp(),
                    log.role,
                    reading.usages,
                    chunk.position,
                    grew=grew,
                    live=grew and live,
                    bad_lines=bad,
                    grown_wall=grown,
                    client=log.client,
                )
            )
        return chunk.more

    def _learn(self, log: _Lines, reader: LineReader) -> None:
        """Read again, without telling, what the ledger already has: its lines may come again, larger or copied."""
        for path in self._may_hold_again(log):
            if path in self._learnt:
                continue
            position = self._before.positions[path]
            self._learnt.add(path)
            tail = Tail(Path(path), Position(path, position.device, position.inode, 0, position.generation))
            try:
                while tail.position.offset < position.offset:
                    chunk = tail.read(min(BLOCK, position.offset - tail.position.offset))
                    if chunk.restarted or not (chunk.lines or chunk.more):
                        break
                    reader.read(chunk.lines, path)
            except OSError:
                continue  # it is only needed for copies; what can't be read can't have been copied lately

    def _may_hold_again(self, log: _Lines) -> Sequence[str]:
        """Return the logs that were read before and of which this one may hold lines once more."""
        path, positions = log.tail.path, self._before.positions
        # A file that was read before has its copies behind it: only a new one may hold lines of others.
        if str(path) in positions:
            return [str(path)]
        if log.client == "codex":  # whose forks name their parent, which may lie in any day's folder
            by_session = {locate_codex.session_of(Path(name)): name for name in positions}
            return sorted(by_session[one] for one in locate_codex.ancestors(path, by_session))
        lines = CLIENTS[log.client].is_lines
        return [name for name in positions if Path(name).parent == path.parent and lines(Path(name))]

    # what is rewritten

    async def _read_whole(self, log: _Whole) -> None:
        readers = self._of(log.client)
        reader = readers.whole
        if reader is None:
            return
        began = self._clock.stamp().wall
        if log.session and isinstance(reader, OpencodeReader):
            reading = await asyncio.to_thread(reader.read_session, log.path, log.session, log.since)
        else:
            reading = await asyncio.to_thread(reader.read, log.path)
        live, log.live, log.since = log.live, True, began
        bad, log.bad = max(0, reading.bad_lines - log.bad), reading.bad_lines
        if self._emit is None or not (reading.usages or bad):
            return
        log.position = _next(log.position, log.path)
        self._emit(
            UsageSeen(
                self._clock.stamp(),
                log.role,
                reading.usages,
                log.position,
                grew=live,
                live=live,
                bad_lines=bad,
                client=log.client,
                rewritten=True,
            )
        )

    def _of(self, client: str) -> Readers:
        readers = self._readers.get(client)
        if readers is None:
            readers = self._readers[client] = CLIENTS[client].readers()
            readers.learn(self._before.counted.get(client, ()))
        return readers

    def _trouble(self, path: Path, message: str) -> None:
        if self._emit is None:
            return
        name = str(path)
        said = partial(SourceTroubled, self._clock.stamp(), self.name)
        if message:
            self._troubled.add(name)
            self._emit(said(message, "mend the rights of the client's folder"))
        elif name in self._troubled:
            self._troubled.discard(name)
            self._emit(said("", ""))


def name_of(path: Path, session: str = "") -> str:
    """Return by what name the ledger knows how far a log, or one session in a database, was read."""
    return f"{path}#{session}" if session else str(path)


def _named(name: str) -> tuple[Path, str]:
    path, _, session = name.rpartition("#")
    return (Path(path), session) if path.endswith(".db") else (Path(name), "")


def _take(tail: Tail, reader: LineReader, max_bytes: int) -> tuple[Chunk, Reading]:
    chunk = tail.read(max_bytes)
    return chunk, reader.read(chunk.lines, str(tail.path))


def _next(position: Position, path: Path) -> Position:
    """Return the position after one more telling."""
    try:
        status = path.stat()
    except OSError:
        return replace(position, offset=position.offset + 1)
    return replace(position, device=status.st_dev, inode=status.st_ino, offset=position.offset + 1)
