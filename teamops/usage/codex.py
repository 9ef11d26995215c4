"""Codex's rollouts: lines → usage, each response counted once.

Source of the rules: ccusage 20, and rollouts of Codex 0.98 and 0.171. ``token_count`` carries a session's total so far
and, mostly, the last response's share of it; it is written again when nothing was added. Since 0.171 each response has
a ``token_usage_record`` with its id before it. Input contains what was cached, output what was reasoned.

A fork goes on with its parent's total. Older ones begin with a copy of the parent's lines, all stamped with the moment
of the fork: what is in the parent with that very total, from before the fork, is a copy. Where the parent was not read,
the copies are what comes without a pause after the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from teamops.model.usage import Tokens, Usage
from teamops.usage.fields import MALFORMED, MAX_NAME, Count, name, read_lines, wall_of
from teamops.usage.reading import Reading
from teamops.usage.tally import Tally, Tallying, first_wins

CLIENT = "codex"
PAUSE_S = 1.0
"""The copied lines of a fork follow each other closer than this; no model answers so soon."""
_NEEDLES = (b'"token_', b'"turn_context"', b'"session_meta"')
_SESSION = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class _Used(msgspec.Struct, frozen=True):
    input_tokens: Count = 0
    cached_input_tokens: Count = 0
    cache_write_input_tokens: Count = 0
    output_tokens: Count = 0
    reasoning_output_tokens: Count = 0

    def since(self, old: _Used | None) -> _Used:
        """Return what was added to ``old``; all, where the counter began anew."""
        if old is None:
            return self
        pairs = [(getattr(self, one), getattr(old, one)) for one in self.__struct_fields__]
        return self if any(new < before for new, before in pairs) else _Used(*(new - before for new, before in pairs))


class _Line(msgspec.Struct):
    type: str = ""
    timestamp: datetime | None = None
    payload: msgspec.Raw = msgspec.Raw(b"{}")


class _Meta(msgspec.Struct):
    id: str = ""
    cwd: str | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    thread_source: str | None = None
    source: msgspec.Raw = msgspec.Raw(b"null")
    history_base: msgspec.Raw = msgspec.Raw(b"null")


class _Spawn(msgspec.Struct):
    parent_thread_id: str = ""


class _Subagent(msgspec.Struct):
    thread_spawn: _Spawn


class _Source(msgspec.Struct):
    subagent: _Subagent


class _Context(msgspec.Struct):
    model: str | None = None
    cwd: str | None = None


class _Info(msgspec.Struct):
    total_token_usage: _Used | None = None
    last_token_usage: _Used | None = None


class _Event(msgspec.Struct):
    type: str = ""
    info: msgspec.Raw = msgspec.Raw(b"null")


class _Record(msgspec.Struct):
    usage: _Used
    response_id: str | None = None
    thread_token_usage: _Used | None = None


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_meta = msgspec.json.Decoder(_Meta).decode
_decode_source = msgspec.json.Decoder(_Source).decode
_decode_context = msgspec.json.Decoder(_Context).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_info = msgspec.json.Decoder(_Info | None).decode
_decode_record = msgspec.json.Decoder(_Record).decode


@dataclass(slots=True, eq=False)
class _Rollout:
    """How far one file was read."""

    session: str
    model: str = ""
    cwd: str = ""
    side: bool = False
    own: bool = False
    """The session's own first line was read; more of them are copies of its ancestors'."""
    parent: str = ""
    copying: bool = False
    began: float = 0.0
    copied: float = 0.0
    """When the last copied line was written."""
    total: _Used | None = None
    recorded: _Used | None = None
    """The response that a record told, and a count is still to come."""


@dataclass(slots=True, eq=False)
class _Totals:
    """When each total of a session was first reached."""

    reached: dict[_Used, float] = field(default_factory=dict)


class CodexReader(Tallying):
    """One for all rollouts of a home; forks are told by their parents, which come first in the order of paths."""

    def __init__(self) -> None:
        super().__init__(Tally(first_wins))
        self._rollouts: dict[str, _Rollout] = {}
        self._sessions: dict[str, _Totals] = {}
        self._copies: set[str] = set()

    def read(self, lines: Iterable[bytes], path: str = "") -> Reading:
        """See ``LineReader``. What comes before the file's first ``turn_context`` has no model."""
        rollout = self._rollouts.get(path)
        if rollout is None:
            rollout = self._rollouts[path] = _Rollout(session_of(path))
        return read_lines(lines, _is_wanted, lambda line: self._take(line, rollout), self._tally)

    def _take(self, line: bytes, rollout: _Rollout) -> Iterator[Usage]:
        row = _decode_line(line)
        match row.type:
            case "session_meta":
                self._begin(_decode_meta(row.payload), rollout, row.timestamp)
            case "turn_context":
                context = _decode_context(row.payload)
                rollout.model = name(context.model or "") or rollout.model
                rollout.cwd = name(context.cwd or "") or rollout.cwd
            case "token_usage_record":
                record = _decode_record(row.payload)
                yield from self._record(record, rollout, _wall(row))
            case "event_msg":
                event = _decode_event(row.payload)
                info = _decode_info(event.info) if event.type == "token_count" else None
                if info is not None:
                    yield from self._count(info, rollout, _wall(row))
            case _:
                pass

    def _begin(self, meta: _Meta, rollout: _Rollout, at: datetime | None) -> None:
        if rollout.own and name(meta.id) != rollout.session:
            return
        rollout.own = True
        rollout.session = name(meta.id) or rollout.session
        rollout.cwd = name(meta.cwd or "")
        try:
            spawned = _decode_source(meta.source).subagent.thread_spawn.parent_thread_id
        except MALFORMED:
            spawned = ""  # a word for who started it, or a subagent of another kind
        rollout.side = bool(spawned) or meta.thread_source == "subagent"
        rollout.parent = name(meta.forked_from_id or spawned or meta.parent_thread_id or "")
        # With a base the parent's lines stay in the parent's file.
        rollout.copying = bool(rollout.parent) and bytes(meta.history_base) == b"null"
        rollout.began = rollout.copied = wall_of(at) if at is not None else 0.0

    def _record(self, record: _Record, rollout: _Rollout, wall: float) -> Iterator[Usage]:
        total = record.thread_token_usage
        if total is not None and total == rollout.total:
            return
        rollout.total = total or rollout.total
        rollout.recorded = record.usage
        yield from self._say(record.usage, rollout, wall, record.response_id or "")

    def _count(self, info: _Info, rollout: _Rollout, wall: float) -> Iterator[Usage]:
        total, last = info.total_token_usage, info.last_token_usage
        before, rollout.total = rollout.total, total or rollout.total
        told, rollout.recorded = rollout.recorded, None
        if total is not None and total == before:
            return
        used = last if last is not None else total.since(before) if total is not None else None
        if used is not None and used != told:
            yield from self._say(used, rollout, wall, "")

    def _say(self, used: _Used, rollout: _Rollout, wall: float, response: str) -> Iterator[Usage]:
        tokens = _tokens(used)
        key = response[:MAX_NAME] or f"{wall}:{rollout.model}:{used.input_tokens}:{tokens}"
        if self._is_copy(rollout, wall):
            self._copies.add(key)
        reached = self._sessions.setdefault(rollout.session, _Totals()).reached
        if rollout.total is not None:
            reached.setdefault(rollout.total, wall)
        if tokens == Tokens() or key in self._copies:
            return
        yield Usage(
            wall=wall,
            model=rollout.model,
            tokens=tokens,
            client=CLIENT,
            session=rollout.session,
            key=key,
            cwd=rollout.cwd,
            side=rollout.side,
        )

    def _is_copy(self, rollout: _Rollout, wall: float) -> bool:
        if not rollout.copying:
            return False
        parent = self._sessions.get(rollout.parent)
        if parent is not None:
            at = parent.reached.get(rollout.total) if rollout.total is not None else None
            rollout.copying = at is not None and at <= rollout.began
        else:
            rollout.copying = wall - rollout.copied < PAUSE_S
        rollout.copied = wall
        return rollout.copying


def session_of(path: str) -> str:
    """Return the id of the session whose rollout is at ``path``, as its name says it."""
    stem = Path(path).stem
    found = _SESSION.search(stem)
    return found.group() if found else name(stem)


def _is_wanted(line: bytes) -> bool:
    return any(needle in line for needle in _NEEDLES)


def _wall(row: _Line) -> float:
    if row.timestamp is None:
        raise msgspec.ValidationError("usage without a time")
    return wall_of(row.timestamp)


def _tokens(used: _Used) -> Tokens:
    cached = min(used.cached_input_tokens, used.input_tokens)
    written = min(used.cache_write_input_tokens, used.input_tokens - cached)
    return Tokens(used.input_tokens - cached - written, used.output_tokens, written, 0, cached)
