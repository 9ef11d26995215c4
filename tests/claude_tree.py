"""Folders of Claude Code's logs with everything that makes counting hard, the same for the same seed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

MODELS = (
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5-20251001",
    "claude-opus-4-6",
    "claude-3-5-haiku-20241022",
)


def line(message: str | None = "m1", request: str | None = "r1", **more: Any) -> bytes:
    """Return one assistant's line; ``usage`` and ``model`` are its message's."""
    row: dict[str, Any] = {
        "parentUuid": None,
        "isSidechain": False,
        "message": {
            "id": message,
            "type": "message",
            "role": "assistant",
            "model": more.pop("model", MODELS[0]),
            "content": [{"type": "text", "text": "x"}],
            "usage": {"input_tokens": 100, "output_tokens": 10, **more.pop("usage", {})},
        },
        "type": "assistant",
        "timestamp": "2026-03-01T10:00:00.000Z",
        "cwd": "/p",
        "sessionId": "s1",
        "version": "2.1.330",
    }
    if request:
        row["requestId"] = request
    return json.dumps(row | more, separators=(",", ":")).encode() + b"\n"


def grow(homes: list[Path], seed: int, files: int = 10) -> None:
    """Write, or append to, some sessions: copies in forks, side chains, gateways, cut lines, costs in the log."""
    rng = Random(seed)  # noqa: S311 - the same folder each time, not a secret
    ids = [(f"m{number}", f"r{number}" if number % 5 else None) for number in range(40)]
    begun = datetime(2026, 3, 1, 20, tzinfo=UTC)
    for number in range(files):
        folder = rng.choice(homes) / "projects" / f"-p-{rng.randrange(3)}"
        session = f"s{rng.randrange(8)}"
        side = folder / session / "subagents" / f"agent-{rng.randrange(9)}.jsonl"
        path = folder / f"{session}.jsonl" if rng.random() < 0.6 else side
        path.parent.mkdir(parents=True, exist_ok=True)
        at = begun + timedelta(minutes=rng.randrange(400), days=number)
        with path.open("ab") as file:
            for _ in range(rng.randrange(30)):
                at += timedelta(seconds=rng.randrange(900))
                file.write(_line(rng, *rng.choice(ids), session, at))
                if rng.random() < 0.3:
                    file.write(b'{"type":"user","message":{"content":"what is \\"usage\\"?"}}\n')


def _line(rng: Random, message: str, request: str | None, session: str, at: datetime) -> bytes:
    number = int(message[1:])
    written = rng.randrange(3) * 1000
    usage: dict[str, Any] = {
        "input_tokens": rng.randrange(1, 4) * 100,
        "output_tokens": rng.randrange(3) * 10,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": rng.randrange(3) * 10_000,
    }
    if number % 3:
        # All of a response's lines are split alike: of two that differ in nothing else nobody knows which is right.
        hour = written if number % 2 else 0
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": written - hour, "ephemeral_1h_input_tokens": hour}
    if rng.random() < 0.3:
        usage["speed"] = "standard"
    more: dict[str, Any] = {"costUSD": number / 8} if number % 7 == 3 else {}
    if rng.random() < 0.03:
        message, more["model"], usage = f"syn{rng.random()}", "<synthetic>", {"input_tokens": 0, "output_tokens": 0}
        more.pop("costUSD", None)
    made = line(
        message,
        request,
        isSidechain=rng.random() < 0.3,
        timestamp=at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        sessionId=session,
        usage=usage,
        **{"model": MODELS[number % 5], **more},
    )
    return made[: len(made) // 2] + b"\n" if rng.random() < 0.03 else made
