"""Beats from the spool: ``.teamops/spool/<ROLE>/*.jsonl``."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec

from teamops.guard.hook import FILE
from teamops.model.agent import Beat, BeatKind
from teamops.model.boundary import Decision, Verdict
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen, Event, SourceTroubled
from teamops.model.role import HUMAN, NONE, Role, role_of
from teamops.model.tail import Position
from teamops.model.text import clean_line
from teamops.model.usage import Tokens, Usage
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.pace import until_next
from teamops.sources.port import Emit
from teamops.sources.tail import Tail, lines_before
from teamops.sources.watch import Watch
from teamops.tmux.ending import is_alive

STEP = 1 << 16
"""Bytes between two breaths of the loop: a few milliseconds of work."""
GATHER_S = 1.0
"""Beats that come faster are read together, as the clock ticks; what hooks tell, "needs you" among it, at once."""
_SOON = 0.05
"""So much of that at least lies between two readings."""
TOGETHER = 20
"""So much of what was read is told in one go, at most: a bounded piece of work for who takes it."""
KNOWN_S = 3600.0
"""A beat that an earlier life has read tells nothing of the agent any more when it is older."""
MEND = "mend the rights of the spool folder"
UNLINK = "make it a folder and a file of the project's own"
MAX_MESSAGE = 500
MAX_STATUS = 40
MAX_DETAIL = 800
MAX_RULE = 200
MAX_MODEL = 100
MAX_CALLS = 1000
"""More calls of models in one line are nobody's."""
MAX_COST = Decimal(10**9)

_HOOKS = f"/{FILE}.jsonl"
_ROLE = re.compile(r"[A-Z][A-Z0-9_.-]{0,39}")
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Wall = Annotated[float, msgspec.Meta(ge=0, le=10**11)]
_Span = Annotated[float, msgspec.Meta(gt=0, le=10**9)]


class _Call(msgspec.Struct):
    model: str
    t: _Wall | None = None
    input: _Count = 0
    output: _Count = 0
    cache_write: _Count = 0
    cache_write_1h: _Count = 0
    cache_read: _Count = 0
    speed: str = ""
    tier: str = ""


class _Line(msgspec.Struct):
    t: _Wall
    kind: BeatKind = BeatKind.BEAT
    pid: _Count = 0
    status: str = "ok"
    message: str = ""
    tokens: _Count = 0
    cost_usd: Decimal | None = None
    tool_calls: _Count = 0
    interval_s: _Span | None = None
    grace_s: _Span | None = None
    hook: str = ""
    session: str = ""
    transcript: str = ""
    detail: str = ""
    gated: bool = False
    verdict: Verdict | None = None
    rule: str = ""
    about: str = ""
    why: str = ""
    usage: Annotated[list[_Call], msgspec.Meta(max_length=MAX_CALLS)] = []


_decode = msgspec.json.Decoder(_Line).decode


def beat_of(line: bytes, role: Role, wall: float) -> Beat | None:
    """Return the beat that ``line`` tells, or ``None`` where it is none.

    ``role`` is the folder's, whatever the line claims. A time after ``wall``, our own, is taken as ours.
    """
    try:
        row = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    cost = row.cost_usd
    if cost is not None and not (cost.is_finite() and 0 <= cost <= MAX_COST):
        return None
    at = min(row.t, wall)
    return Beat(
        role=role,
        wall=at,
        kind=row.kind,
        pid=row.pid,
        status=clean_line(row.status, MAX_STATUS),
        message=clean_line(row.message, MAX_MESSAGE),
        tokens=row.tokens,
        cost_usd=cost,
        tool_calls=row.tool_calls,
        interval_s=row.interval_s,
        grace_s=row.grace_s,
        hook=clean_line(row.hook, MAX_STATUS),
        session=row.session if _SESSION.fullmatch(row.session) else "",
        transcript=row.transcript if row.transcript.isprintable() else "",
        detail=clean_line(row.detail, MAX_DETAIL),
        gated=row.gated,
        decision=_decision(row, role, at),
        usages=tuple(
            _usage(call, at, None if cost is None else cost * (not nth)) for nth, call in enumerate(row.usage)
        ),
    )


def _decision(row: _Line, role: Role, at: float) -> Decision | None:
    if row.verdict is None or row.kind is not BeatKind.HOOK:
        return None
    return Decision(
        role=role,
        wall=at,
        verdict=row.verdict,
        rule=clean_line(row.rule, MAX_RULE),
        about=clean_line(row.about, MAX_DETAIL),
        why=clean_line(row.why, MAX_DETAIL),
    )


def _usage(call: _Call, at: float, cost: Decimal | None) -> Usage:
    """Return what a tracked call used. What the agent says of its line's cost wins: the line's first call bears it."""
    return Usage(
        wall=at if call.t is None else min(call.t, at),
        model=clean_line(call.model, MAX_MODEL),
        tokens=Tokens(
            input=call.input,
            output=call.output,
            cache_write=call.cache_write,
            cache_write_1h=min(call.cache_write_1h, call.cache_write),
            cache_read=call.cache_read,
        ),
        client="sdk",
        speed=clean_line(call.speed, MAX_MODEL),
        service_tier=clean_line(call.tier, MAX_MODEL),
        cost_usd=cost,
    )


class Beats:
    """Emits ``BeatsSeen`` for each file of the spool that grew.

    ``roles``: the team; ``None`` or nobody = whoever has a folder. ``positions``: how far earlier lives read each
    file. What agents wrote while teamops was not running is read at the start.
    """

    name = "beats"

    def __init__(
        self,
        spool: Path,
        roles: Iterable[Role] | None,
        watch: Watch,
        clock: Clock,
        positions: Mapping[str, Position],
    ) -> None:
        self._spool = spool
        self._roles = frozenset(roles or ())
        self._watch = watch
        self._clock = clock
        self._positions = positions
        self._tails: dict[str, Tail] = {}
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._unwatch: Callable[[], None] | None = None
        self._troubled: set[str] = set()

    async def start(self, emit: Emit) -> None:
        """Read what is there, then go on with what comes."""
        self._unwatch = self._watch.directory(self._spool, self._changed, recursive=True)
        names = await asyncio.to_thread(self._listing)
        for name, lines in (await asyncio.to_thread(self._read_known, names)).items():
            self._tell_known(name, lines, emit)
        self._due.update(dict.fromkeys(names))
        await self._read_due(emit)
        self._tasks.append(
            asyncio.create_task(keep(self.name, lambda: self._run(emit), emit, self._clock), name="beats")
        )

    async def stop(self) -> None:
        """End."""
        if self._unwatch is not None:
            self._unwatch()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _listing(self) -> list[str]:
        return sorted(str(path.relative_to(self._spool)) for path in self._spool.glob("*/*.jsonl"))

    def _read_known(self, names: list[str]) -> dict[str, list[bytes]]:
        """Return the last lines that an earlier life has read of each role's newest file."""
        newest: dict[str, tuple[float, str]] = {}
        for name in names:
            status = _status(self._spool / name)
            if status is not None and str(self._spool / name) in self._positions:
                folder = name.partition("/")[0]
                newest[folder] = max(newest.get(folder, (0.0, "")), (status.st_mtime, name))
        return {name: self._last_lines(name) for _, name in newest.values() if self._link(name) is None}

    def _last_lines(self, name: str) -> list[bytes]:
        path = self._spool / name
        try:
            return lines_before(path, self._positions[str(path)], STEP)
        except OSError:
            return []  # the reading of what is new says it

    def _tell_known(self, name: str, lines: list[bytes], emit: Emit) -> None:
        role, stamp = self._role(name), self._clock.stamp()
        if role is None:
            return
        beats = [beat for line in lines if (beat := beat_of(line, role, stamp.wall)) is not None]
        recent = [beat for beat in beats if stamp.wall - beat.wall < KNOWN_S]
        # What a process promised ended with it: who has taken its place begins anew.
        alive = {pid: not pid or is_alive(pid) for pid in {beat.pid for beat in recent}}
        known, past = (tuple(beat for beat in recent if alive[beat.pid] is lives) for lives in (True, False))
        if recent:
            emit(BeatsSeen(stamp, (), self._positions[str(self._spool / name)], known=known, past=past))

    def _link(self, name: str) -> Path | None:
        """Return the link that ``name`` leads over, or ``None``. Links may lead out of the project; no watch does."""
        path = self._spool / name
        return next((part for part in (path.parent, path) if part.is_symlink()), None)

    def _changed(self, names: frozenset[str]) -> None:
        self._due.update(dict.fromkeys(sorted(name for name in names if self._role(name) is not None)))
        self._wake.set()

    def _role(self, name: str) -> Role | None:
        """Return whose file ``name`` is, relative to the spool."""
        folder, _, file = name.partition("/")
        role = role_of(folder)
        if not file.endswith(".jsonl") or "/" in file or not _ROLE.fullmatch(role) or role in {HUMAN, NONE}:
            return None
        return role if not self._roles or role in self._roles else None

    async def _run(self, emit: Emit) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time()
        while True:
            if not self._due:  # else an error has ended the last life of this task before they were read
                await self._wake.wait()
            self._wake.clear()
            await self._gather(until)
            await self._read_due(emit)
            until = loop.time() + until_next(GATHER_S, _SOON)

    async def _gather(self, until: float) -> None:
        """Wait until ``until``, of the loop's time, unless a hook has told something."""
        while not any(name.endswith(_HOOKS) for name in self._due):
            try:
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()

    async def _read_due(self, emit: Emit) -> None:
        """Read what is due, and tell of it in one go: one round of the supervisor for all that was gathered."""
        seen: list[Event] = []

        def tell() -> None:
            for event in seen:
                emit(event)
            seen.clear()

        def gather(event: Event) -> None:
            seen.append(event)
            if len(seen) >= TOGETHER:
                tell()

        try:
            while self._due:
                name = next(iter(self._due))
                del self._due[name]
                role = self._role(name)
                if role is not None:
                    await self._read(name, role, gather)
        finally:
            tell()  # what was read is not read again

    async def _read(self, name: str, role: Role, emit: Emit) -> None:
        path = self._spool / name
        link = self._link(name)
        if link is not None:
            self._say(emit, self._clock.stamp(), name, f"{link} is a link, which is not read", UNLINK)
            return
        tail = self._tails.get(name)
        if tail is None:
            # Kept when the file goes: another one of that name, even with the same inode, is then known as such.
            tail = self._tails[name] = Tail(path, self._positions.get(str(path)))
        more = True
        while more:
            before = tail.position
            stamp = self._clock.stamp()
            try:
                chunk = tail.read(STEP)
            except OSError as error:
                self._say(emit, stamp, name, f"{path}: {error.strerror or error}")
                return
            self._say(emit, stamp, name, "")
            if chunk.position != before and chunk.position.offset:
                emit(_seen(stamp, role, chunk.lines, chunk.position, chunk.skipped))
            more = chunk.more
            await asyncio.sleep(0)

    def _say(self, emit: Emit, stamp: Stamp, name: str, trouble: str, hint: str = MEND) -> None:
        if trouble:
            self._troubled.add(name)
            emit(SourceTroubled(stamp, self.name, trouble, hint))
        elif name in self._troubled:
            self._troubled.discard(name)
            emit(SourceTroubled(stamp, self.name, "", ""))


def _seen(stamp: Stamp, role: Role, lines: list[bytes], position: Position, skipped: int) -> BeatsSeen:
    beats = []
    bad = skipped
    for line in lines:
        if not line.strip():
            continue  # the SDK ends a torn line with an empty one's newline
        beat = beat_of(line, role, stamp.wall)
        if beat is None:
            bad += 1
        else:
            beats.append(beat)
    return BeatsSeen(stamp, tuple(beats), position, bad)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
