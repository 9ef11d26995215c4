"""Gemini CLI's chats: lines, or a whole file of older versions, → usage, each response counted once.

Source of the format: Gemini CLI 0.61. A response is written again when its tools have ended, and once more, with the
whole conversation, when the session is resumed: the last record of an id stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from teamops.model.usage import Tokens, Usage
from teamops.usage.fields import MALFORMED, MAX_NAME, Count, count_all, name, read_lines, read_whole, wall_of, with_rest
from teamops.usage.reading import Reading
from teamops.usage.tally import Tally, Tallying, last_wins

CLIENT = "gemini"
MAX_ROOT_BYTES = 1 << 12
_UP = 4
"""So far above a chat its project's folder is looked for: a subagent's lies one deeper."""


class _Used(msgspec.Struct):
    input: Count = 0
    output: Count = 0
    cached: Count = 0
    thoughts: Count = 0
    tool: Count = 0
    total: Count | None = None


class _Set(msgspec.Struct):
    sessionId: str | None = None  # noqa: N815 - the client's own name
    messages: list[msgspec.Raw] = []


class _Line(msgspec.Struct):
    type: str = ""
    kind: str | None = None
    id: str | None = None
    timestamp: datetime | None = None
    model: str | None = None
    tokens: _Used | None = None
    sessionId: str | None = None  # noqa: N815
    set: _Set | None = msgspec.field(default=None, name="$set")


class _File(msgspec.Struct):
    sessionId: str | None = None  # noqa: N815
    kind: str | None = None
    messages: list[msgspec.Raw] = []


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_file = msgspec.json.Decoder(_File).decode


@dataclass(slots=True, eq=False)
class _Chat:
    session: str
    cwd: str
    side: bool = False


class GeminiLines(Tallying):
    """Reads the chats of ``*.jsonl``. ``tally`` is shared with the reader of the older files."""

    def __init__(self, tally: Tally | None = None) -> None:
        super().__init__(tally or Tally(last_wins))
        self._chats: dict[str, _Chat] = {}

    def read(self, lines: Iterable[bytes], path: str = "") -> Reading:
        """See ``LineReader``."""
        chat = self._chats.get(path)
        if chat is None:
            chat = self._chats[path] = _Chat(name(Path(path).stem), project_root(Path(path)))
        return read_lines(lines, _is_wanted, lambda line: _take(line, chat), self._tally)


class GeminiFiles(Tallying):
    """Reads the chats of ``*.json``, which are rewritten whole."""

    def __init__(self, tally: Tally | None = None) -> None:
        super().__init__(tally or Tally(last_wins))

    def read(self, path: Path) -> Reading:
        """See ``FileReader``."""
        content = read_whole(path)
        try:
            file = _decode_file(content)
        except MALFORMED:
            return Reading((), 1, None)
        chat = _Chat(name(file.sessionId or path.stem), project_root(path), file.kind == "subagent")
        found: list[Usage] = []
        bad = 0
        for raw in file.messages:
            try:
                found.extend(_usage_of(_decode_line(raw), chat))
            except MALFORMED:
                bad += 1
        return count_all(found, bad, self._tally)


def project_hash(cwd: str) -> str:
    """Return how a chat names the directory its session works in, and older versions its folder."""
    return hashlib.sha256(cwd.encode()).hexdigest()


def project_root(chat: Path) -> str:
    """Return the directory that the session of a chat works in; empty where its folder doesn't say it."""
    for folder in tuple(chat.parents)[1:_UP]:
        try:
            with (folder / ".project_root").open("rb") as file:
                return name(file.read(MAX_ROOT_BYTES).decode(errors="replace"))
        except OSError:
            continue
    return ""


def _is_wanted(line: bytes) -> bool:
    return b'"tokens"' in line or b'"sessionId"' in line


def _take(line: bytes, chat: _Chat) -> Iterator[Usage]:
    row = _decode_line(line)
    said = row.sessionId or (row.set.sessionId if row.set else None)
    if said and not row.type:
        chat.session = name(said)
        chat.side = row.kind == "subagent" if row.kind else chat.side
    for raw in row.set.messages if row.set else ():
        yield from _usage_of(_decode_line(raw), chat)
    yield from _usage_of(row, chat)


def _usage_of(row: _Line, chat: _Chat) -> Iterator[Usage]:
    used = row.tokens
    if row.type != "gemini" or used is None:
        return
    if row.timestamp is None:
        raise msgspec.ValidationError("usage without a time")
    plain = used.input
    if used.total == used.input + used.output + used.thoughts + used.tool:
        plain -= min(used.cached, used.input)
    tokens = Tokens(plain + used.tool, used.output + used.thoughts, cache_read=used.cached)
    tokens = with_rest(tokens, used.total or 0)
    if tokens == Tokens():
        return
    wall = wall_of(row.timestamp)
    model = name(row.model or "")
    yield Usage(
        wall=wall,
        model=model,
        tokens=tokens,
        client=CLIENT,
        session=chat.session,
        key=(row.id or "")[:MAX_NAME] or f"{chat.session}:{wall}:{model}:{tokens}",
        cwd=chat.cwd,
        side=chat.side,
    )
