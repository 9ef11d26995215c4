"""The prompts that a client took, by its own log.

Source: Claude Code 2.1.330 and Codex 0.171. Claude writes a line of type ``user`` when it takes a prompt, and before
it a ``queue-operation`` for one that came while it was busy; Codex a ``response_item`` of role ``user``, and an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

TRANSCRIPT = "transcript"
QUEUED = "queued in transcript"
_TEXT = frozenset({"text", "input_text"})


class Prompt(Struct, frozen=True):
    """One prompt."""

    text: str
    wall: float | None
    """When the client took it, Unix seconds; ``None`` = it doesn't say."""
    evidence: str


class _Line(msgspec.Struct):
    type: str = ""
    timestamp: datetime | None = None
    operation: str = ""
    content: Any = None
    message: Any = None
    payload: Any = None
    attachment: Any = None
    isSidechain: bool = False  # noqa: N815 - the client's own names
    isMeta: bool = False  # noqa: N815


_decode = msgspec.json.Decoder(_Line).decode


def claude_prompt(line: bytes) -> Prompt | None:
    """Return the prompt that a line of a transcript tells of; ``None`` for every other line."""
    if b'"user"' not in line and b"queue" not in line:
        return None
    row = _row(line)
    if row is None or row.isSidechain or row.isMeta:
        return None
    if row.type == "queue-operation" and row.operation == "enqueue":
        return _prompt(row, row.content, QUEUED)
    if row.type == "attachment" and isinstance(row.attachment, dict) and row.attachment.get("type") == "queued_command":
        return _prompt(row, row.attachment.get("prompt"), TRANSCRIPT)
    if row.type == "user" and isinstance(row.message, dict):
        return _prompt(row, row.message.get("content"), TRANSCRIPT)
    return None


def codex_prompt(line: bytes) -> Prompt | None:
    """Return the prompt that a line of a rollout tells of; ``None`` for every other line."""
    if b"user" not in line and b"UserMessage" not in line:
        return None
    row = _row(line)
    if row is None or not isinstance(row.payload, dict):
        return None
    said, item = row.payload, row.payload.get("item")
    if row.type == "response_item" and said.get("type") == "message" and said.get("role") == "user":
        return _prompt(row, said.get("content"), TRANSCRIPT)
    if row.type == "event_msg" and said.get("type") == "user_message":
        return _prompt(row, said.get("message"), TRANSCRIPT)
    if row.type == "event_msg" and isinstance(item, dict) and item.get("type") == "UserMessage":
        return _prompt(row, item.get("content"), TRANSCRIPT)
    return None


READERS: Mapping[str, Callable[[bytes], Prompt | None]] = {"claude": claude_prompt, "codex": codex_prompt}


def _row(line: bytes) -> _Line | None:
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _prompt(row: _Line, content: Any, evidence: str) -> Prompt | None:
    text = content if isinstance(content, str) else _text(content)
    if not text.strip():
        return None
    at = row.timestamp
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return Prompt(text, at.timestamp() if at is not None else None, evidence)


def _text(content: Any) -> str:
    """Return the text of a list of parts; results of tools and images are none."""
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") in _TEXT]
    return "\n".join(text for text in texts if isinstance(text, str))
