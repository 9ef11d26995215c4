"""Claude Code's transcripts: lines → usage, each response counted once.

Source of the rules: ccusage 20. One response is written as one line per content block, each with the response's
usage so far; a fork copies lines into another file. The key is (message.id, requestId), over all files; of two lines
with one key the one outside a side chain wins, then the larger total, then the one that names its speed.
"""

from __future__ import annotations

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


decode = msgspec.json.Decoder(Line).decode
"""Decode one line. Raises ``fields.MALFORMED``."""


class ClaudeReader:
    """Remembers what was counted; one for all files whose responses may be copies of each other's. One thread."""

    def __init__(self) -> None:
        self._tally = Tally(_beats)

    def learn(self, usages: Iterable[Usage]) -> None:
        """See ``LineReader``."""
        self._tally.learn(usages)

    def counted(self) -> tuple[Usage, ...]:
        """See ``LineReader``."""
        return self._tally.counted()

    def read(self, lines: Iterable[bytes], path: str = "") -> Reading:  # noqa: ARG002 - its keys hold over all files
        """Return the usage that ``lines`` add. Total: whatever is no usage is skipped, what is malformed counted."""
        usages: list[Usage] = []
        bad = 0
        newest: float | None = None
        for line in lines:
            if USAGE not in line or USER in (head := line[:HEAD]) or SPACED_USER in head:
                bad += is_cut(line)
                continue
            try:
                row = decode(line)
            except MALFORMED:
                bad += 1
                continue
            usage = _usage_of(row)
            if usage is None:
                continue
            newest = usage.wall if newest is None else max(newest, usage.wall)
            delta = self._tally.count(usage)
            if delta is not None:
                usages.append(delta)
        return Reading(tuple(usages), bad, newest)


def _beats(new: Usage, old: Usage) -> bool:
    if new.side != old.side:
        return old.side
    more = new.tokens.total - old.tokens.total
    if more:
        return more > 0
    return bool(new.speed) and not old.speed


def _usage_of(row: Line) -> Usage | None:
    message = row.message
    if row.type != "assistant" or message is None or message.usage is None or row.timestamp is None:
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
    return Usage(
        wall=wall,
        model=name(message.model),
        tokens=Tokens(used.input_tokens, used.output_tokens, write, hour, used.cache_read_input_tokens or 0),
        client=CLIENT,
        session=name(row.sessionId or ""),
        speed="" if speed == "standard" else name(speed),
        service_tier=name(used.service_tier or ""),
        cost_usd=cost_of(row.costUSD, free=True),
        key=key_of(message.id, row.requestId, row.timestamp),
        cwd=name(row.cwd or ""),
        side=row.isSidechain,
    )


def key_of(message: str | None, request: str | None, at: datetime) -> str:
    """Return what all lines of one response have in common; empty where the line has no name for it."""
    if not message:
        return ""
    # Gateways name no request: the time tells two responses with one id apart.
    return f"{message[:MAX_NAME]}:{request[:MAX_NAME] if request else at.isoformat()}"
