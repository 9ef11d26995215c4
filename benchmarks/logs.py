"""A folder of Claude Code's logs as long work leaves them, of any size: to be measured beside ccusage.

Lines look as Claude Code 2.1 writes them: a response is one line per content block with the usage so far, most bytes
are results of tools, and some sessions have subagents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

MODELS = ("claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")
_WORDS = [
    "the",
    "light",
    "moves",
    "when",
    "a",
    "block",
    "is",
    "written",
    "and",
    "the",
    "next",
    "agent",
    "reads",
    "it",
    "def",
    "main",
    "return",
    "value",
    "import",
    "os",
    "path",
    "self",
    "test",
    "error",
    "None",
    "True",
    "False",
    "const",
    "let",
    "function",
    "export",
    "default",
    "async",
    "await",
    "class",
]
RESULT_BYTES = 30_000
"""Of a tool's result, on average."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written."""

    files: int
    size: int
    """Bytes."""
    lines: int
    """Lines with usage."""


def make(
    home: Path, size: int, *, files: int = 2000, seed: int = 1, days: int = 60, result: int = RESULT_BYTES
) -> Made:
    """Write about ``size`` bytes of logs in ``files`` files below ``home`` (a CLAUDE_CONFIG_DIR)."""
    rng = Random(seed)  # noqa: S311 - the same folder each time, not a secret
    text = " ".join(rng.choice(_WORDS) for _ in range(60_000))
    written = lines = 0
    begun = datetime(2026, 3, 1, 8, tzinfo=UTC)
    for number in range(files):
        session = _uuid(rng)
        project = home / "projects" / f"-home-ann-projects-p{number % 12}"
        side = number % 5 == 4
        path = (
            project / session / "subagents" / f"agent-{rng.getrandbits(28):07x}.jsonl"
            if side
            else project / f"{session}.jsonl"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        log = _Log(rng, text, session, begun + timedelta(minutes=rng.randrange(days * 1440)), side=side, result=result)
        target = size * (number + 1) // files - written
        with path.open("wb") as file:
            while file.tell() < target:
                for line in log.turn():
                    file.write(line)
            written += file.tell()
        lines += log.used
    return Made(files, written, lines)


class _Log:
    """One session."""

    def __init__(self, rng: Random, text: str, session: str, at: datetime, *, side: bool, result: int) -> None:
        self._rng, self._text, self._session, self._at = rng, text, session, at
        self._side, self._result = side, result
        self._model = rng.choices(MODELS, (6, 3, 1))[0]
        self._hour = rng.random() < 0.3
        self._context = rng.randint(9_000, 20_000)
        self.used = 0

    def turn(self) -> Iterator[bytes]:
        """Return what one response leaves: a line per block, and the results of its tools."""
        rng = self._rng
        message, request = f"msg_01{rng.getrandbits(110):022x}", f"req_011C{rng.getrandbits(100):020x}"
        written, output = rng.randint(200, 4_000), rng.randint(40, 1_500)
        hour = written if self._hour else 0
        usage: dict[str, Any] = {
            "input_tokens": rng.randint(2, 9), "cache_creation_input_tokens": written,
            "cache_read_input_tokens": self._context,
            "cache_creation": {"ephemeral_5m_input_tokens": written - hour, "ephemeral_1h_input_tokens": hour},
            "output_tokens": output, "service_tier": "standard", "inference_geo": "", "iterations": [],
            "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
            "speed": "standard",
        }  # fmt: skip
        self._context = (self._context + written) % 160_000
        blocks = rng.choices((1, 2, 3), (5, 4, 1))[0]
        for number in range(blocks):
            last = number == blocks - 1
            content = (
                {"type": "tool_use", "id": f"toolu_{rng.getrandbits(90):022x}", "name": "Bash",
                 "input": {"command": self._words(40, 400)}}
                if last
                else {"type": "text", "text": self._words(100, 1_500)}
            )  # fmt: skip
            yield self._line(
                "assistant",
                {"id": message, "type": "message", "role": "assistant", "model": self._model, "content": [content],
                 "stop_reason": None, "stop_sequence": None,
                 "usage": {**usage, "output_tokens": output if last else max(1, output // 3)}},
                requestId=request,
            )  # fmt: skip
            self.used += 1
        size = int(rng.expovariate(1 / self._result)) + 60
        yield self._line(
            "user",
            {
                "role": "user",
                "content": [{"tool_use_id": "toolu_x", "type": "tool_result", "content": self._words(size, size)}],
            },
            toolUseResult={"stdout": self._words(size // 2, size // 2), "stderr": "", "interrupted": False},
        )

    def _line(self, kind: str, message: dict[str, Any], **more: Any) -> bytes:
        self._at += timedelta(milliseconds=self._rng.randint(20, 9_000))
        head: dict[str, Any] = {"parentUuid": _uuid(self._rng), "isSidechain": self._side}
        if kind == "user":
            head["type"] = kind
        row = {
            **head, "message": message, **more, "type": kind, "uuid": _uuid(self._rng),
            "timestamp": self._at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._at.microsecond // 1000:03d}Z",
            "userType": "external", "entrypoint": "cli", "cwd": "/home/ann/projects/p", "sessionId": self._session,
            "version": "2.1.330", "gitBranch": "main",
        }  # fmt: skip
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"

    def _words(self, low: int, high: int) -> str:
        size = self._rng.randint(low, high)
        start = self._rng.randrange(max(1, len(self._text) - size))
        return self._text[start : start + size]


def _uuid(rng: Random) -> str:
    name = f"{rng.getrandbits(128):032x}"
    return f"{name[:8]}-{name[8:12]}-4{name[13:16]}-a{name[17:20]}-{name[20:]}"
