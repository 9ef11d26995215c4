"""pi's sessions: lines → usage, each response counted once.

Source of the format: pi 0.73. An entry has an id and its time; a fork copies entries, with both, into another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from teamops.model.usage import Tokens, Usage
from teamops.usage.fields import MAX_NAME, Count, cost_of, name, read_lines, wall_of, with_rest
from teamops.usage.reading import Reading
from teamops.usage.tally import Tally, Tallying, first_wins

CLIENT = "pi"


class _Cost(msgspec.Struct):
    total: Decimal | None = None


class _Used(msgspec.Struct):
    input: Count = 0
    output: Count = 0
    cacheRead: Count = 0  # noqa: N815 - the client's own names
    cacheWrite: Count = 0  # noqa: N815
    totalTokens: Count = 0  # noqa: N815
    cost: _Cost | None = None


class _Message(msgspec.Struct):
    model: str | None = None
    usage: _Used | None = None
    responseId: str | None = None  # noqa: N815


class _Line(msgspec.Struct):
    type: str = "message"
    id: str | None = None
    timestamp: datetime | None = None
    cwd: str | None = None
    message: msgspec.Raw = msgspec.Raw(b"null")


class _Role(msgspec.Struct):
    role: str = ""


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_role = msgspec.json.Decoder(_Role | None).decode
_decode_message = msgspec.json.Decoder(_Message).decode


@dataclass(slots=True, eq=False)
class _Session:
    id: str
    cwd: str = ""


class PiReader(Tallying):
    """One for all sessions, which may be forks of each other."""

    def __init__(self) -> None:
        super().__init__(Tally(first_wins))
        self._sessions: dict[str, _Session] = {}

    def read(self, lines: Iterable[bytes], path: str = "") -> Reading:
        """See ``LineReader``."""
        session = self._sessions.get(path)
        if session is None:
            # The name is a time and the id.
            session = self._sessions[path] = _Session(name(Path(path).stem.rpartition("_")[2]))
        return read_lines(lines, _is_wanted, lambda line: _take(line, session), self._tally)


def _is_wanted(line: bytes) -> bool:
    return b'"usage"' in line or b'"session"' in line


def _take(line: bytes, session: _Session) -> Iterator[Usage]:
    row = _decode_line(line)
    if row.type == "session":
        session.id = name(row.id or "") or session.id
        session.cwd = name(row.cwd or "")
        return
    role = _decode_role(row.message) if row.type == "message" else None
    if role is None or role.role != "assistant":
        return
    message = _decode_message(row.message)
    used = message.usage
    if used is None:
        return
    if row.timestamp is None:
        raise msgspec.ValidationError("usage without a time")
    tokens = with_rest(Tokens(used.input, used.output, used.cacheWrite, 0, used.cacheRead), used.totalTokens)
    if tokens == Tokens():
        return
    wall = wall_of(row.timestamp)
    model = name(message.model or "")
    yield Usage(
        wall=wall,
        model=model,
        tokens=tokens,
        client=CLIENT,
        session=session.id,
        cost_usd=cost_of(used.cost.total, free=False) if used.cost else None,
        key=(message.responseId or "")[:MAX_NAME] or f"{(row.id or '')[:MAX_NAME]}:{wall}:{model}:{tokens}",
        cwd=session.cwd,
    )
