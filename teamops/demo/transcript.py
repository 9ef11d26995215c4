"""What Claude Code leaves on disk, written by a simulated agent: a transcript with usage, and a status file."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from teamops.demo.acts import Act

VERSION = "2.1.330"
_FULL_CONTEXT = 90_000


@dataclass(frozen=True, slots=True)
class Call:
    """What one response of the model used."""

    input: int
    output: int
    cache_write: int
    cache_read: int

    @property
    def total(self) -> int:
        """All its tokens."""
        return self.input + self.output + self.cache_write + self.cache_read


def process_start(pid: int) -> str:
    """Return the process's start time as the kernel counts it (field 22 of its stat); empty where there is no /proc."""
    return _stat(pid)[19]


def process_state(pid: int) -> str:
    """Return the process's state as the kernel letters it; Z has ended and waits to be reaped."""
    return _stat(pid)[0]


def _stat(pid: int) -> list[str]:
    """Return the fields of the process's stat from its state on; empty ones where there are none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return [""] * 20
    return stat.rpartition(b")")[2].decode().split()


def _uuid() -> str:
    name = os.urandom(16).hex()
    return f"{name[:8]}-{name[8:12]}-4{name[13:16]}-a{name[17:20]}-{name[20:]}"


def _now() -> str:
    wall = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall * 1000) % 1000:03d}Z"


class Transcript:
    """One session of one simulated agent."""

    def __init__(self, home: Path, cwd: Path, model: str, rng: Random) -> None:
        self.session = _uuid()
        self._home = home
        self._cwd = os.path.realpath(cwd)
        self._model = model
        self._rng = rng
        self._context = rng.randint(9_000, 14_000)
        self._parent: str | None = None
        slug = re.sub("[^a-zA-Z0-9]", "-", self._cwd)[:200]
        self.path = home / "projects" / slug / f"{self.session}.jsonl"
        self._status = home / "sessions" / f"{os.getpid()}.json"
        for folder in (self.path.parent, self._status.parent):
            folder.mkdir(parents=True, exist_ok=True)

    def user(self, text: str) -> None:
        """Write what the agent was told."""
        self._line("user", {"role": "user", "content": text}, {"promptSource": "typed", "promptId": _uuid()})

    def act(self, act: Act) -> Call:
        """Write one response with its tool call, and the tool's result; return what it used."""
        tool_id = f"toolu_{os.urandom(10).hex()}"
        called = {"type": "tool_use", "id": tool_id, "name": act.tool, "input": {"target": act.target}}
        said = [{"type": "text", "text": act.thought}] if act.thought else []
        call = self._respond([*said, called], "tool_use")
        result = {"tool_use_id": tool_id, "type": "tool_result", "content": "\n".join(act.result)}
        self._line("user", {"role": "user", "content": [result]}, {"sourceToolAssistantUUID": self._parent})
        return call

    def say(self, text: str) -> Call:
        """Write a last response; return what it used."""
        return self._respond([{"type": "text", "text": text}], "end_turn")

    def status(self, status: str, waiting_for: str = "") -> None:
        """Write the client's status: busy, idle or waiting."""
        row: dict[str, Any] = {
            "pid": os.getpid(),
            "sessionId": self.session,
            "cwd": self._cwd,
            "procStart": process_start(os.getpid()),
            "status": status,
            "updatedAt": int(time.time() * 1000),
        }
        if waiting_for:
            row["waitingFor"] = waiting_for
        fresh = self._status.with_suffix(".tmp")
        fresh.write_text(json.dumps(row), encoding="utf-8")
        fresh.replace(self._status)

    def close(self) -> None:
        """End as a client does: the status file goes, the transcript stays."""
        self._status.unlink(missing_ok=True)

    def _respond(self, content: list[dict[str, Any]], stop: str) -> Call:
        """Write a response as the real client does: one line per content block, each with the id and the usage."""
        rng = self._rng
        call = Call(rng.randint(3, 12), rng.randint(90, 900), rng.randint(150, 2_200), self._context)
        self._context += call.cache_write
        if self._context > _FULL_CONTEXT:
            self._context = rng.randint(9_000, 14_000)  # compacted
        message = {
            "id": f"msg_{os.urandom(12).hex()}",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {
                "input_tokens": call.input,
                "cache_creation_input_tokens": call.cache_write,
                "cache_read_input_tokens": call.cache_read,
                "output_tokens": call.output,
                "service_tier": "standard",
                "cache_creation": {
                    "ephemeral_1h_input_tokens": 0,
                    "ephemeral_5m_input_tokens": call.cache_write,
                },
                "speed": "standard",
            },
        }
        request = f"req_{os.urandom(8).hex()}"
        for block in content:
            self._line("assistant", {**message, "content": [block]}, {"requestId": request})
        return call

    def _line(self, kind: str, message: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        own = _uuid()
        row = {
            "parentUuid": self._parent,
            "isSidechain": False,
            "type": kind,
            "message": message,
            **more,
            "uuid": own,
            "timestamp": _now(),
            "userType": "external",
            "entrypoint": "cli",
            "cwd": self._cwd,
            "sessionId": self.session,
            "version": VERSION,
        }
        self._parent = own
        # Opened for each line: a reader that deletes or moves the file is followed, as the client does.
        with self.path.open("ab") as file:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
