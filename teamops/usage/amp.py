"""Amp's threads: one file each, rewritten whole → usage, each response counted once.

Source of the format: the readers of ccusage 20 and tokscale. Older threads keep a ledger of usage, which lacks what was
cached: the message it names has that. Newer ones have the usage in the messages alone, some have parts of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from teamops.model.usage import Tokens, Usage
from teamops.usage.fields import MALFORMED, MAX_NAME, Count, Millis, count_all, name, read_whole, wall_of, with_rest
from teamops.usage.reading import Reading
from teamops.usage.tally import Tally, Tallying, last_wins

CLIENT = "amp"


class _Used(msgspec.Struct):
    model: str | None = None
    timestamp: datetime | None = None
    inputTokens: Count | None = None  # noqa: N815 - the client's own names
    outputTokens: Count | None = None  # noqa: N815
    cacheCreationInputTokens: Count | None = None  # noqa: N815
    cacheReadInputTokens: Count | None = None  # noqa: N815
    totalTokens: Count | None = None  # noqa: N815


class _Message(msgspec.Struct):
    role: str = ""
    model: str | None = None
    messageId: int | str | None = None  # noqa: N815
    timestamp: datetime | None = None
    usage: _Used | None = None


class _Counts(msgspec.Struct):
    input: Count | None = None
    output: Count | None = None
    total: Count | None = None


class _Entry(msgspec.Struct):
    id: str | None = None
    timestamp: datetime | None = None
    model: str | None = None
    tokens: _Counts | None = None
    toMessageId: int | str | None = None  # noqa: N815


class _Ledger(msgspec.Struct):
    events: list[msgspec.Raw] = []


class _Thread(msgspec.Struct):
    id: str | None = None
    created: Millis | None = None
    messages: list[msgspec.Raw] = []
    usageLedger: _Ledger | None = None  # noqa: N815
    env: msgspec.Raw = msgspec.Raw(b"null")


class _Tree(msgspec.Struct):
    uri: str = ""


class _Initial(msgspec.Struct):
    trees: list[_Tree] = []


class _Env(msgspec.Struct):
    initial: _Initial


_decode_thread = msgspec.json.Decoder(_Thread).decode
_decode_message = msgspec.json.Decoder(_Message).decode
_decode_entry = msgspec.json.Decoder(_Entry).decode
_decode_env = msgspec.json.Decoder(_Env).decode


class AmpReader(Tallying):
    """One for all threads."""

    def __init__(self) -> None:
        super().__init__(Tally(last_wins))

    def read(self, path: Path) -> Reading:
        """See ``FileReader``."""
        content = read_whole(path)
        try:
            thread = _decode_thread(content)
        except MALFORMED:
            return Reading((), 1, None)
        return _Reading(thread, path).count(self._tally)


class _Reading:
    """One look at one thread."""

    def __init__(self, thread: _Thread, path: Path) -> None:
        self._thread = thread
        self._id = name(thread.id or path.stem)
        self._cwd = _cwd(thread.env)
        self._bad = 0
        self._placed: set[str] = set()
        self._messages = dict(self._used_messages())

    def count(self, tally: Tally) -> Reading:
        found = [*self._ledger(), *self._rest()]
        return count_all(found, self._bad, tally)

    def _used_messages(self) -> Iterator[tuple[str, _Message]]:
        for index, raw in enumerate(self._thread.messages):
            try:
                message = _decode_message(raw)
            except MALFORMED:
                self._bad += 1
                continue
            if message.role == "assistant" and message.usage is not None:
                yield str(index if message.messageId is None else message.messageId)[:MAX_NAME], message

    def _ledger(self) -> Iterator[Usage]:
        """Say the ledger's entries; a message that is the same response is used up with it."""
        for index, raw in enumerate(self._thread.usageLedger.events if self._thread.usageLedger else ()):
            try:
                entry = _decode_entry(raw)
            except MALFORMED:
                self._bad += 1
                continue
            counts = entry.tokens
            if counts is None:
                continue
            if entry.timestamp is None:
                self._bad += 1
                continue
            place = self._place(entry, counts)
            message = self._messages.pop(place, None) if place is not None else None
            used = message.usage if message is not None else None
            tokens = Tokens(
                counts.input or 0,
                counts.output or 0,
                (used.cacheCreationInputTokens or 0) if used else 0,
                0,
                (used.cacheReadInputTokens or 0) if used else 0,
            )
            key = f"event {(entry.id or str(index))[:MAX_NAME]}" if place is None else place
            yield from self._say(entry.timestamp, entry.model, with_rest(tokens, counts.total or 0), key)

    def _place(self, entry: _Entry, counts: _Counts) -> str | None:
        """Return the key of the message that ``entry`` is about, were it written later; another about it has none."""
        if entry.toMessageId is not None:
            named = str(entry.toMessageId)[:MAX_NAME]
            if named in self._placed:
                return None
            self._placed.add(named)
            return named
        for key, message in self._messages.items():
            used = message.usage
            same = used is not None and (used.model or message.model) in (None, entry.model)
            if same and used is not None and (used.inputTokens, used.outputTokens) == (counts.input, counts.output):
                return key
        return None

    def _rest(self) -> Iterator[Usage]:
        """Say the messages that the ledger lacks."""
        for key, message in self._messages.items():
            used = message.usage
            if used is None:
                continue
            tokens = Tokens(
                used.inputTokens or 0,
                used.outputTokens or 0,
                used.cacheCreationInputTokens or 0,
                0,
                used.cacheReadInputTokens or 0,
            )
            yield from self._say(
                used.timestamp or message.timestamp,
                used.model or message.model,
                with_rest(tokens, used.totalTokens or 0),
                key,
            )

    def _say(self, at: datetime | None, model: str | None, tokens: Tokens, key: str) -> Iterator[Usage]:
        if tokens == Tokens():
            return
        if at is None and self._thread.created is not None:
            at = datetime.fromtimestamp(self._thread.created / 1000, UTC)
        if at is None:
            self._bad += 1
            return
        yield Usage(
            wall=wall_of(at),
            model=name(model or ""),
            tokens=tokens,
            client=CLIENT,
            session=self._id,
            key=f"{self._id}:{key}",
            cwd=self._cwd,
        )


def _cwd(env: msgspec.Raw) -> str:
    """Return the directory that a thread began in, where it says one."""
    try:
        trees = _decode_env(env).initial.trees
        parts = urlsplit(trees[0].uri if trees else "")
    except (*MALFORMED, ValueError):
        return ""
    return name(unquote(parts.path)) if parts.scheme == "file" else ""
