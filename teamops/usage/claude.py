"""Claude Code's transcripts: lines → usage, each response counted once.

Source of the rules: ccusage 20. One response is written as one line per content block, each with the response's
usage so far; a fork copies lines into another file. The key is (message.id, requestId), over all files; of two lines
with one key the one outside a side chain wins, then the larger total, then the dearer, then the one that names its
speed. A side chain may repeat its session's responses under new requests: there the id alone is the key. Gateways name
no request: there an id holds within its session and moment. Older versions wrote a subagent's lines into its parent's
file, each inside a line of its progress.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from teamops.model.usage import Tokens, Usage
from teamops.usage.fields import MALFORMED, MAX_NAME, Count, cost_of, is_cut, name, wall_of
from teamops.usage.reading import Reading
from teamops.usage.tally import Tally

__all__ = ["ClaudeReader", "Reading"]

CLIENT = "claude"
SYNTHETIC = "<synthetic>"
PROGRESS = "progress"
HEAD = 420
"""A line's own type stands within so many bytes; after them text of others may name any type."""
USAGE = b'"usage"'
USER, SPACED_USER = b'"type":"user"', b'"type": "user"'


class _Split(msgspec.Struct):
    ephemeral_5m_input_tokens: Count = 0
    ephemeral_1h_input_tokens: Count = 0


class _Usage(msgspec.Struct):
    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation: _Split | None = None
    speed: str | None = None
    service_tier: str | None = None


class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


class Line(msgspec.Struct):
    """What matters of a line; the names are the client's own."""

    type: str = ""
    timestamp: datetime | None = None
    message: _Message | None = None
    requestId: str | None = None  # noqa: N815 - the client's own name
    sessionId: str | None = None  # noqa: N815
    cwd: str | None = None
    isSidechain: bool = False  # noqa: N815
    isApiErrorMessage: bool = False  # noqa: N815
    costUSD: Decimal | None = None  # noqa: N815


class _Data(msgspec.Struct):
    message: Line | None = None


class _Progress(msgspec.Struct):
    data: _Data | None = None


decode = msgspec.json.Decoder(Line).decode
"""Decode one line. Raises ``fields.MALFORMED``."""
_decode_progress = msgspec.json.Decoder(_Progress).decode


class ClaudeReader:
    """Remembers what was counted; one for all files whose responses may be copies of each other's. One thread."""

    def __init__(self) -> None:
        self._tally = Tally(_beats)
        self._first: dict[str, dict[str, str]] = {}  # by session and message id, the key that was told first

    def learn(self, usages: Iterable[Usage]) -> None:
        """See ``LineReader``."""
        self._tally.learn(usages)
        for usage in self._tally.counted():
            self._first.setdefault(usage.session, {}).setdefault(_message_of(usage.key), usage.key)

    def counted(self) -> tuple[Usage, ...]:
        """See ``LineReader``."""
        return self._tally.counted()

    def read(self, lines: Iterable[bytes], path: str = "") -> Reading:
        """Return the usage that ``lines`` add. Total: whatever is no usage is skipped, what is malformed counted."""
        session = session_of(path)
        usages: list[Usage] = []
        bad = 0
        newest: float | None = None
        for line in lines:
            # The head first: what tools said is most of a transcript, and need not be searched.
            if line.find(USER, 0, HEAD) >= 0 or line.rfind(USAGE) < 0 or line.find(SPACED_USER, 0, HEAD) >= 0:
                bad += is_cut(line)
                continue
            try:
                row = decode(line)
                usage = _usage_of(row if row.type != PROGRESS else wrapped(row, line), session)
            except MALFORMED:
                bad += 1
                continue
            if usage is None:
                continue
            newest = usage.wall if newest is None else max(newest, usage.wall)
            usages += self._count(usage)
        return Reading(tuple(usages), bad, newest)

    def _count(self, usage: Usage) -> tuple[Usage, ...]:
        """Count ``usage`` once, with what a side chain wrote of it, or of what it wrote, under another request."""
        key = usage.key
        if not key:
            return (usage,)
        firsts = self._first.setdefault(usage.session, {})
        message = _message_of(key)
        first = firsts.setdefault(message, key)
        old = self._tally.get(first) if first != key and self._tally.get(key) is None else None
        if old is None or not (usage.side or old.side):
            return self._tally.count(usage)
        if not _beats(usage, old):
            return ()
        firsts[message] = key
        return self._tally.take_back(first) + self._tally.count(usage)


def _beats(new: Usage, old: Usage) -> bool:
    if new.side != old.side:
        return old.side
    more = new.tokens.total - old.tokens.total
    if more:
        return more > 0
    dearer = weight(new.tokens) - weight(old.tokens) if new.tokens != old.tokens else 0
    if dearer:
        return dearer > 0
    return bool(new.speed) and not old.speed


def wrapped(row: Line, line: bytes) -> Line:
    """Return a subagent's line that stands inside one of its progress, as part of the outer one's session.

    Raises ``fields.MALFORMED``.
    """
    data = _decode_progress(line).data
    inner = data.message if data is not None else None
    if inner is None:
        return row
    inner.sessionId = inner.sessionId or row.sessionId
    inner.cwd = inner.cwd or row.cwd
    return inner


def weight(tokens: Tokens) -> int:
    """Return what tokens cost, as all of Claude's models bill them: in twentieths of an input token's price."""
    short = tokens.cache_write - tokens.cache_write_1h
    return 20 * tokens.input + 100 * tokens.output + 25 * short + 40 * tokens.cache_write_1h + 2 * tokens.cache_read


def session_of(path: str) -> str:
    """Return the session of the transcript at ``path``: a subagent's is its parent's."""
    parts = path.rsplit("/", 3)
    return name(parts[-3] if parts[-2:-1] == ["subagents"] and len(parts) > 2 else os.path.splitext(parts[-1])[0])  # noqa: PTH122 - for thousands of files


def _usage_of(row: Line, session: str) -> Usage | None:
    message = row.message
    if row.type not in ("assistant", "") or message is None or message.usage is None or row.timestamp is None:
        return None
    if row.isApiErrorMessage or not message.model or message.model == SYNTHETIC:
        return None
    used = message.usage
    split = used.cache_creation or _Split()
    hour = split.ephemeral_1h_input_tokens
    # Some endpoints give zeros for the split, some for the sum.
    write = max(used.cache_creation_input_tokens or 0, split.ephemeral_5m_input_tokens + hour)
    wall = wall_of(row.timestamp)
    speed = used.speed or ""
    session = name(row.sessionId or "") or session
    return Usage(
        wall=wall,
        model=name(message.model),
        tokens=Tokens(used.input_tokens, used.output_tokens, write, hour, used.cache_read_input_tokens or 0),
        client=CLIENT,
        session=session,
        speed="" if speed == "standard" else name(speed),
        service_tier=name(used.service_tier or ""),
        cost_usd=cost_of(row.costUSD, free=True),
        key=key_of(message.id, row.requestId, row.timestamp, session),
        cwd=name(row.cwd or ""),
        side=row.isSidechain,
    )


def _message_of(key: str) -> str:
    return key.partition(":")[0]


def key_of(message: str | None, request: str | None, at: datetime, session: str) -> str:
    """Return what all lines of one response have in common; empty where the line has no name for it."""
    if not message:
        return ""
    # Without a request, session and time tell two responses with one id apart.
    return f"{message[:MAX_NAME]}:{request[:MAX_NAME] if request else f'{at.isoformat()}@{session}'}"
