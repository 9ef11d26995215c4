from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from teamops.config.settings import RoleSettings, Settings
from teamops.model.agent import ClientStatus
from teamops.model.events import Event, SourceTroubled, StatusSeen, UsageSeen
from teamops.model.role import CODER, REVIEWER, Role
from teamops.model.tail import Position
from teamops.sources.clock import Clock
from teamops.sources.logs import Before, Logs
from teamops.sources.tail import Chunk, Tail
from teamops.sources.transcripts import Transcripts
from teamops.sources.watch import Watch
from teamops.usage import locate


@dataclass
class Client:
    """A client's files in a home of its own, beside a process that really runs."""

    home: Path
    cwd: Path
    process: subprocess.Popen[bytes]
    session: str = "11111111-aaaa"

    @property
    def main(self) -> Path:
        return self.home / "projects" / locate.slug(str(self.cwd)) / f"{self.session}.jsonl"

    @property
    def status_file(self) -> Path:
        return self.home / "sessions" / f"{self.process.pid}.json"

    def status(self, status: str, **fields: Any) -> None:
        self.status_file.parent.mkdir(parents=True, exist_ok=True)
        row = {
            "pid": self.process.pid,
            "sessionId": self.session,
            "cwd": str(self.cwd),
            "procStart": start_of(self.process.pid),
            "status": status,
            "updatedAt": int(time.time() * 1000),
            **fields,
        }
        fresh = self.status_file.with_suffix(".tmp")
        fresh.write_text(json.dumps(row))
        fresh.replace(self.status_file)

    def respond(self, *ids: str, path: Path | None = None, tokens: int = 10) -> None:
        path = path or self.main
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            for name in ids:
                row = {
                    "type": "assistant",
                    "timestamp": "2026-11-22T12:00:00Z",
                    "requestId": f"r-{name}",
                    "message": {"id": name, "model": "claude-x", "usage": {"output_tokens": tokens}},
                }
                file.write(json.dumps(row).encode() + b"\n")


def start_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    process = subprocess.Popen(["sleep", "600"])
    (tmp_path / "project").mkdir()
    yield Client(tmp_path / "claude", tmp_path / "project", process)
    process.kill()
    process.wait()


@dataclass
class Seen:
    events: list[Event] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    on_event: Callable[[], None] = lambda: None
    logs: Logs = field(default_factory=lambda: Logs(Clock(), Before()))

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.on_event()
        self.came.set()

    def statuses(self, role: Role = CODER) -> list[ClientStatus | None]:
        return [event.status for event in self.events if isinstance(event, StatusSeen) and event.role == role]

    def usages(self, role: Role = CODER) -> list[UsageSeen]:
        return [event for event in self.events if isinstance(event, UsageSeen) and event.role == role]

    def told(self, role: Role = CODER) -> list[str]:
        return [usage.key.partition(":")[0] for seen in self.usages(role) for usage in seen.usages]

    def positions(self) -> dict[str, Position]:
        return {event.position.path: event.position for event in self.events if isinstance(event, UsageSeen)}

    async def until(self, true: Callable[[], bool]) -> float:
        began = time.monotonic()
        async with asyncio.timeout(10):
            while not true():
                self.came.clear()
                await self.came.wait()
        return time.monotonic() - began


@asynccontextmanager
async def following(
    client: Client, *, positions: dict[str, Position] | None = None, env: dict[str, str] | None = None
) -> AsyncIterator[tuple[Transcripts, Seen]]:
    seen = Seen()
    watch = Watch(check_s=0.05)
    watch.start(asyncio.get_running_loop())
    roles = tuple(
        RoleSettings(
            role=role, name=role, profile=None, session=role, client="claude", command=(), cwd=client.cwd, env=env or {}
        )
        for role in (CODER, REVIEWER)
    )
    settings = Settings(root=client.cwd, project="p", handoff=client.cwd / "current.md", roles=roles)
    own = {} if env else {"CLAUDE_CONFIG_DIR": str(client.home)}
    clock = Clock()
    logs = Logs(clock, Before(positions or {}))
    source = Transcripts(settings, watch, clock, logs, own)
    await logs.start(seen)
    await source.start(seen)
    seen.logs = logs
    try:
        yield source, seen
    finally:
        await source.stop()
        await logs.stop()
        watch.stop()


async def test_status_and_usage_of_the_process_in_the_pane(client: Client) -> None:
    client.status("busy")
    client.respond("old")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.told() == ["old"])
        assert seen.statuses() == [ClientStatus.BUSY]
        assert not seen.usages()[0].live  # it was there before we looked: no sign of work now
        client.respond("new")
        assert await seen.until(lambda: "new" in seen.told()) < 1.0
        assert seen.usages()[-1].live
        assert seen.usages()[-1].grew
        client.status("waiting", waitingFor="permission \x1b[31mto write")
        await seen.until(lambda: seen.statuses()[-1] is ClientStatus.WAITING)
        last = [event for event in seen.events if isinstance(event, StatusSeen)][-1]
        assert last.detail == "permission to write"
    assert seen.positions()[str(client.main)].offset == client.main.stat().st_size


async def test_the_session_is_told_with_the_status_and_a_new_one_too(client: Client) -> None:
    client.status("idle")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.statuses() == [ClientStatus.IDLE])
        client.session = "22222222-bbbb"
        client.status("idle")  # /clear: all as before but for the session
        await seen.until(lambda: len(seen.statuses()) == 2)
        told = [event.session for event in seen.events if isinstance(event, StatusSeen)]
        assert told == ["11111111-aaaa", "22222222-bbbb"]


async def test_what_was_there_is_told_with_its_date(client: Client) -> None:
    client.status("busy", updatedAt=9_000_000, statusUpdatedAt=5_000_000)
    client.respond("old")
    os.utime(client.main, (7_000.0, 7_000.0))
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        async with asyncio.timeout(10):
            await source.caught_up()
            await seen.logs.caught_up()
        (status,) = [event for event in seen.events if isinstance(event, StatusSeen)]
        assert (status.status, status.since_wall) == (ClientStatus.BUSY, 5_000.0)
        (first,) = seen.usages()
        assert (first.grown_wall, first.live) == (7_000.0, False)
        client.respond("new")
        await seen.until(lambda: "new" in seen.told())
        assert seen.usages()[-1].grown_wall is None
    async with following(client, positions=seen.positions()) as (source, later):
        os.utime(client.main, (8_000.0, 8_000.0))
        source.follow(CODER, client.process.pid)
        async with asyncio.timeout(10):
            await source.caught_up()
            await later.logs.caught_up()
        (nothing_new,) = later.usages()
        assert (nothing_new.grown_wall, nothing_new.grew, nothing_new.live) == (8_000.0, False, False)


async def test_caught_up_waits_for_all_of_a_long_history(client: Client) -> None:
    client.status("idle")
    client.respond(*(f"m{number}" for number in range(5_000)))
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        assert seen.events == []
        async with asyncio.timeout(10):
            await source.caught_up()
            await seen.logs.caught_up()
        assert len(seen.told()) == 5_000


async def test_a_home_that_is_named_in_the_role_s_own_settings(client: Client) -> None:
    client.status("idle")
    async with following(client, env={"CLAUDE_CONFIG_DIR": f"/nowhere, {client.home}"}) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.statuses() == [ClientStatus.IDLE])


async def test_a_session_that_begins_later_is_news_from_its_first_line(client: Client) -> None:
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        client.status("busy")
        await seen.until(lambda: seen.statuses() == [ClientStatus.BUSY])
        client.respond("first")
        await seen.until(lambda: seen.told() == ["first"])
        assert seen.usages()[0].live


async def test_the_client_below_a_wrapper_is_found(client: Client, tmp_path: Path) -> None:
    wrapper = subprocess.Popen(  # noqa: ASYNC220 - a fork, and no more
        ["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE, text=True
    )
    assert wrapper.stdout is not None
    below = int(wrapper.stdout.readline())
    try:
        client.status("busy")
        client.status_file.rename(client.status_file.with_name(f"{below}.json"))
        path = client.home / "sessions" / f"{below}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "pid": below, "procStart": start_of(below)}))
        async with following(client) as (source, seen):
            source.follow(CODER, wrapper.pid)
            source.follow(REVIEWER, client.process.pid)
            await seen.until(lambda: seen.statuses() == [ClientStatus.BUSY])
            assert seen.statuses(REVIEWER) == []
            os.kill(below, 9)  # the wrapper lives on, and no file changes
            await seen.until(lambda: seen.statuses() == [ClientStatus.BUSY, None])
            last = [event for event in seen.events if isinstance(event, StatusSeen)][-1]
            assert last.ended  # its shell is left, and nobody works there
    finally:
        for pid in (below, wrapper.pid):
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
        wrapper.communicate()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"procStart": "1"}, id="left behind by an earlier process of that number"),
        pytest.param({"pid": 1}, id="of another process"),
        pytest.param({"sessionId": "../../evil"}, id="a session that is no name"),
        pytest.param({"sessionId": 5}, id="malformed"),
    ],
)
async def test_a_status_that_is_not_its_own_is_not_believed(client: Client, fields: dict[str, Any]) -> None:
    client.status("busy", **fields)
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await asyncio.sleep(0)
        client.status("idle")  # the next one is its own: all before it was seen
        await seen.until(lambda: bool(seen.statuses()))
        assert seen.statuses() == [ClientStatus.IDLE]


async def test_after_clear_the_new_session_is_followed(client: Client) -> None:
    client.status("busy")
    client.respond("one")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.told() == ["one"])
        client.session = "22222222-bbbb"
        client.respond("two")
        client.status("busy")
        await seen.until(lambda: seen.told() == ["one", "two"])
        assert seen.usages()[-1].live


async def test_subagents_count_to_the_same_role(client: Client) -> None:
    client.status("busy")
    client.respond("main")
    side = locate.side_folder(client.main)
    client.respond("early", path=side / "agent-1.jsonl")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: sorted(seen.told()) == ["early", "main"])
        client.respond("late", path=side / "agent-2.jsonl")
        client.respond("nobody", path=side / "notes.jsonl")
        await seen.until(lambda: "late" in seen.told())
        assert "nobody" not in seen.told()


async def test_the_next_life_reads_on_and_knows_what_was_counted(client: Client) -> None:
    client.status("busy")
    client.respond("a", "b")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.told() == ["a", "b"])
    client.respond("b")  # another block of the same response
    client.respond("b", tokens=25)
    client.respond("c")
    async with following(client, positions=seen.positions()) as (source, later):
        source.follow(CODER, client.process.pid)
        await later.until(lambda: "c" in later.told())
    told = [(usage.key.partition(":")[0], usage.tokens.output) for event in later.usages() for usage in event.usages]
    assert told == [("b", 15), ("c", 10)]
    assert not any(event.live for event in later.usages())


async def test_a_fork_does_not_count_what_it_copies_not_even_in_the_next_life(client: Client) -> None:
    client.status("busy")
    client.respond("a", "b")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.told() == ["a", "b"])
    client.session = "33333333-cccc"
    client.respond("a", "b", "c")
    client.status("busy")
    async with following(client, positions=seen.positions()) as (source, later):
        source.follow(REVIEWER, client.process.pid)
        await later.until(lambda: bool(later.told(REVIEWER)))
        assert later.told(REVIEWER) == ["c"]


async def test_the_end_of_a_process_is_the_end_of_its_status(client: Client) -> None:
    client.status("busy")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.statuses() == [ClientStatus.BUSY])
        source.follow(CODER, None)
        assert seen.statuses() == [ClientStatus.BUSY, None]


async def test_the_last_words_of_a_process_that_ended_are_told(client: Client) -> None:
    client.status("busy")
    client.respond("m1")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.told() == ["m1"])
        source._watch.stop()  # the change is not told before the process has ended
        client.respond("m2")
        source.follow(CODER, None)
        await seen.until(lambda: seen.told() == ["m1", "m2"])


async def test_a_client_that_leaves_in_order_takes_its_status_along(client: Client) -> None:
    client.status("idle")
    async with following(client) as (source, seen):
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.statuses() == [ClientStatus.IDLE])
        client.status_file.unlink()
        await seen.until(lambda: seen.statuses() == [ClientStatus.IDLE, None])
        assert not any(event.ended for event in seen.events if isinstance(event, StatusSeen))
        client.process.kill()
        client.process.wait()
        await seen.until(lambda: seen.statuses() == [ClientStatus.IDLE, None, None])
        last = [event for event in seen.events if isinstance(event, StatusSeen)][-1]
        assert last.ended


async def test_a_long_history_leaves_the_loop_awake(client: Client) -> None:
    client.status("busy")
    client.respond(*(f"m{number}" for number in range(60_000)))
    breaths = 0
    at_event: list[int] = []

    async def breathe() -> None:
        nonlocal breaths
        while True:
            await asyncio.sleep(0.001)
            breaths += 1

    task = asyncio.create_task(breathe())
    async with following(client) as (source, seen):
        seen.on_event = lambda: at_event.append(breaths)
        source.follow(CODER, client.process.pid)
        await seen.until(lambda: bool(seen.usages()) and seen.usages()[-1].usages[-1].key.startswith("m59999:"))
        assert len(seen.told()) == 60_000
        pieces = at_event[-len(seen.usages()) :]
        assert len(pieces) >= 5
        assert len(set(pieces)) == len(pieces)  # between any two pieces the loop did something else
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


# the paths


@pytest.mark.parametrize(
    ("env", "homes"),
    [
        ({"CLAUDE_CONFIG_DIR": "/a, /b", "HOME": "/h"}, ["/a", "/b"]),
        ({"HOME": "/h"}, ["/h/.config/claude", "/h/.claude"]),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, ["/x/claude", "/h/.claude"]),
        ({}, []),
    ],
)
def test_homes(env: dict[str, str], homes: list[str]) -> None:
    assert [str(home) for home in locate.homes(env)] == homes


def test_a_long_folder_s_transcript_is_found_by_its_session(client: Client, tmp_path: Path) -> None:
    session = locate.Session(1, "s1", "/x/" + "y" * 300, None, "", 0.0, 0.0)
    assert len(locate.slug(session.cwd)) == 200
    real = client.home / "projects" / (locate.slug(session.cwd) + "-1a2b3c") / "s1.jsonl"
    real.parent.mkdir(parents=True)
    real.write_text("")
    assert locate.transcript(client.home, session) == real


async def test_a_reading_that_fails_unforeseen_is_said_and_made_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [MemoryError("no more")]
    read = Tail.read

    def fails_once(self: Tail, max_bytes: int) -> Chunk:
        if failures:
            raise failures.pop()
        return read(self, max_bytes)

    monkeypatch.setattr(Tail, "read", fails_once)
    client.status("busy")
    client.respond("m1")
    async with following(client) as (transcripts, seen):
        transcripts.follow(CODER, client.process.pid)
        await seen.until(lambda: seen.told() == ["m1"])
        (trouble,) = [event for event in seen.events if isinstance(event, SourceTroubled)]
        assert "MemoryError: no more" in trouble.message
