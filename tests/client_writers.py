"""Writes what the agents' clients write: each into files of its own, in the format of the real one."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from teamops.usage import locate, locate_codex

INPUT = 1000
"""Tokens that each response reads, nothing of it cached."""
SESSIONS = {
    "first": "01a21a2b-cb9b-7a92-8003-2044680f44d2",
    "second": "01a21a37-649f-7912-a9c4-51ccde0aa8bf",
    "third": "01a21a38-1111-7912-a9c4-51ccde0aa8bf",
}


class Writer(Protocol):
    """One session of one client."""

    client: str
    path: Path
    session: str
    """In a database; empty where the file is all the session's."""

    def respond(self, name: str, output: int = 10) -> None:
        """Write a response, again and with more in it where its name was written before."""
        ...


def stamp(at: float | None = None) -> str:
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def append(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(json.dumps(row).encode() + b"\n" for row in rows))


class Claude:
    client = "claude"
    session = ""

    def __init__(self, home: Path, cwd: Path, name: str = "first") -> None:
        self.id = SESSIONS[name]
        self.path = home / ".claude" / "projects" / locate.slug(str(cwd)) / f"{self.id}.jsonl"

    def respond(self, name: str, output: int = 10) -> None:
        usage = {"input_tokens": INPUT, "output_tokens": output}
        message = {"id": name, "model": "claude-sonnet-4-5", "usage": usage}
        row = {"type": "assistant", "timestamp": stamp(), "sessionId": self.id, "requestId": f"r-{name}"}
        append(self.path, {**row, "message": message})

    def copy(self, other: Claude) -> None:
        """Begin as a fork of another session does."""
        self.path.write_bytes(other.path.read_bytes().replace(other.id.encode(), self.id.encode()))


class Codex:
    client = "codex"
    session = ""

    def __init__(self, home: Path, cwd: Path, name: str = "first", at: float | None = None) -> None:
        self.id = SESSIONS[name]
        self.total = {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        local = datetime.fromtimestamp(time.time() if at is None else at, UTC).astimezone()
        folder = locate_codex.day_folder(home / ".codex", local.date())
        self.path = folder / f"rollout-{local:%Y-%m-%dT%H-%M-%S}-{self.id}.jsonl"
        self.meta: dict[str, Any] = {"id": self.id, "cwd": str(cwd), "originator": "codex_cli_rs", "source": "cli"}
        self.context = {"cwd": str(cwd), "model": "gpt-5"}
        self.head: list[tuple[str, dict[str, Any]]] = [("session_meta", self.meta), ("turn_context", self.context)]
        self.told: set[str] = set()
        self.at = 0.0
        self.pace = 0.001

    def write(self, *rows: tuple[str, dict[str, Any]]) -> None:
        # No two responses end in one millisecond: without an id that is what tells them apart.
        self.at = max(self.at + self.pace, time.time())
        append(self.path, *({"timestamp": stamp(self.at), "type": kind, "payload": payload} for kind, payload in rows))

    def begin(self) -> None:
        head, self.head = self.head, []
        if head:
            self.write(*head)

    def respond(self, name: str, output: int = 10) -> None:
        self.begin()
        last = {"input_tokens": INPUT, "cached_input_tokens": 0, "output_tokens": output}
        if name in self.told:  # the total is told again; it never grows within a response
            last = dict.fromkeys(last, 0)
        self.told.add(name)
        self.total = {**self.total, **{key: self.total[key] + last[key] for key in last}}
        info = {"total_token_usage": self.total, "last_token_usage": last, "model_context_window": 272_000}
        self.write(("event_msg", {"type": "token_count", "info": info}))

    def copy(self, other: Codex) -> None:
        """Begin as a fork of an older version does: with all lines of its parent, stamped now."""
        self.head = []
        self.write(("session_meta", {**self.meta, "forked_from_id": other.id}))
        for line in other.path.read_bytes().splitlines():
            row = json.loads(line)
            self.write((row["type"], row["payload"]))
        self.total = dict(other.total)


class Gemini:
    client = "gemini"
    session = ""

    def __init__(self, home: Path, cwd: Path, name: str = "first") -> None:
        self.id = SESSIONS[name]
        project = home / ".gemini" / "tmp" / cwd.name
        project.mkdir(parents=True, exist_ok=True)
        (project / ".project_root").write_text(os.path.realpath(cwd))
        self.path = project / "chats" / f"session-{stamp()[:16].replace(':', '-')}-{self.id[:8]}.jsonl"
        self.head: list[dict[str, Any]] = [{"sessionId": self.id, "startTime": stamp(), "kind": "main"}]
        self.records: dict[str, dict[str, Any]] = {}

    def begin(self) -> None:
        head, self.head = self.head, []
        append(self.path, *head)

    def respond(self, name: str, output: int = 10) -> None:
        self.begin()
        tokens = {"input": INPUT, "output": output, "cached": 0, "thoughts": 0, "tool": 0, "total": INPUT + output}
        at = self.records[name]["timestamp"] if name in self.records else stamp()
        row = {"id": name, "timestamp": at, "type": "gemini", "content": "", "model": "gemini-2.5-pro"}
        self.records[name] = {**row, "tokens": tokens}
        append(self.path, self.records[name])

    def copy(self, other: Gemini) -> None:
        """Begin as a session does that was resumed: with the whole conversation."""
        self.path = self.path.with_name(f"session-2099-01-01T00-00-{other.id[:8]}.jsonl")
        self.head = []
        messages = list(other.records.values())
        append(self.path, {"sessionId": other.id, "kind": "main"}, {"$set": {"messages": messages}})


class OldGemini(Gemini):
    """Rewrites the whole file."""

    def __init__(self, home: Path, cwd: Path, name: str = "first") -> None:
        super().__init__(home, cwd, name)
        self.path = self.path.with_suffix(".json")

    def begin(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def respond(self, name: str, output: int = 10) -> None:
        jsonl, self.path = self.path, self.path.with_suffix(".unused")
        super().respond(name, output)
        self.path.unlink()
        self.path = jsonl
        fresh = self.path.with_suffix(".tmp")
        fresh.write_text(json.dumps({"sessionId": self.id, "messages": list(self.records.values())}))
        fresh.replace(self.path)

    def copy(self, other: Gemini) -> None:
        self.records = dict(other.records)
        self.respond(next(iter(self.records)))


class Opencode:
    """Holds its database open, as the client does."""

    client = "opencode"
    SCHEMA = (
        "PRAGMA journal_mode=WAL;"
        "CREATE TABLE IF NOT EXISTS session (id text PRIMARY KEY, parent_id text, directory text NOT NULL,"
        " time_created integer NOT NULL, time_updated integer NOT NULL);"
        "CREATE TABLE IF NOT EXISTS message (id text PRIMARY KEY, session_id text NOT NULL,"
        " time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);"
        "CREATE TABLE IF NOT EXISTS part (id text PRIMARY KEY, message_id text NOT NULL, session_id text NOT NULL,"
        " time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);"
    )

    def __init__(self, home: Path, cwd: Path, name: str = "first", parent: str | None = None) -> None:
        self.path = home / ".local" / "share" / "opencode" / "opencode.db"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.session = f"ses_{name}"
        self.database = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        self.database.executescript(self.SCHEMA)
        now = int(time.time() * 1000)
        self.put_session(parent, str(cwd), now)

    def put_session(self, parent: str | None, cwd: str, now: int) -> None:
        self.database.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", (self.session, parent, cwd, now, now))

    def respond(self, name: str, output: int = 10) -> None:
        (begun,) = self.database.execute("SELECT time_created FROM session WHERE id = ?", (self.session,)).fetchone()
        now = max(begun, int(time.time() * 1000))  # a session answers after it has begun
        row = self.database.execute("SELECT time_created FROM message WHERE id = ?", (name,)).fetchone()
        created = row[0] if row else now
        tokens = {"input": INPUT, "output": output, "reasoning": 0, "cache": {"read": 0, "write": 0}}
        data = {
            "role": "assistant",
            "modelID": "claude-sonnet-4-5",
            "providerID": "anthropic",
            "cost": 0.002 + output / 10_000,
            "tokens": tokens,
            "time": {"created": created, "completed": created + 1},
        }
        self.database.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET data = excluded.data, time_updated = excluded.time_updated",
            (name, self.session, created, now, json.dumps(data)),
        )
        self.database.execute("UPDATE session SET time_updated = ? WHERE id = ?", (now, self.session))

    def copy(self, other: Opencode) -> None:
        """Begin as a fork of another session does: with copies of its messages, under new ids."""
        now = int(time.time() * 1000) + 1
        self.database.execute("UPDATE session SET time_created = ? WHERE id = ?", (now, self.session))
        self.database.execute(
            "INSERT INTO message SELECT 'copy_' || id, ?, time_created, ?, data FROM message WHERE session_id = ?",
            (self.session, now, other.session),
        )

    def close(self) -> None:
        self.database.close()
