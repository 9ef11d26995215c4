"""Signs of work of clients whose usage is not read, on real files that real processes hold open."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from teamops.config.settings import RoleSettings, Settings
from teamops.model.events import Event, GrowthSeen, PromptSeen
from teamops.model.role import CODER, DEVELOPER, Role
from teamops.sources import growth as room
from teamops.sources.clock import Clock
from teamops.sources.growth import Growth
from teamops.sources.prompts import Prompts
from teamops.sources.watch import Watch
from teamops.usage import locate_codex, locate_gemini, locate_opencode

WRITER = """
import sys
held = None
for line in sys.stdin:
    word, _, rest = line.rstrip("\\n").partition(" ")
    if word == "open":
        held = open(rest, "a", buffering=1)
        kept = globals().setdefault("kept", []); kept.append(held)
    elif word == "write":
        held.write(rest + "\\n")
    elif word == "read":
        kept = globals().setdefault("kept", []); kept.append(open(rest))
    print("done", flush=True)
"""
FIRST = "01a21a2b-cb9b-7a92-8003-2044680f44d2"
SECOND = "01a21a37-649f-7912-a9c4-51ccde0aa8bf"


class Writer:
    """A process that holds files open as a client does."""

    def __init__(self, cwd: Path, *, below_a_wrapper: bool = False) -> None:
        command = [sys.executable, "-S", "-c", WRITER]
        if below_a_wrapper:
            command = ["sh", "-c", '"$@"; true', "sh", *command]
        self.process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid

    def __call__(self, word: str, rest: object = "") -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{word} {rest}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def end(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Writer]]:
    made: list[Writer] = []
    (tmp_path / "project").mkdir()

    def start(*, below_a_wrapper: bool = False) -> Writer:
        made.append(Writer(tmp_path / "project", below_a_wrapper=below_a_wrapper))
        return made[-1]

    yield start
    for writer in made:
        writer.end()


@dataclass
class Seen:
    events: list[Event] = field(default_factory=list)
    sessions: dict[Role, str] = field(default_factory=dict)

    def growth(self, role: Role = CODER) -> list[GrowthSeen]:
        return [event for event in self.events if isinstance(event, GrowthSeen) and event.role == role]

    async def until(self, true: Callable[[], bool]) -> float:
        began = time.monotonic()
        async with asyncio.timeout(10):
            while not true():  # noqa: ASYNC110 - a condition over what came in
                await asyncio.sleep(0.01)
        return time.monotonic() - began


@asynccontextmanager
async def following(
    home: Path, client: str, env: dict[str, str] | None = None, *, watched: bool = True
) -> AsyncIterator[tuple[Growth, Prompts, Seen]]:
    seen = Seen()
    clock = Clock()
    watch = Watch(check_s=0.05)
    if watched:
        watch.start(asyncio.get_running_loop())
    roles = tuple(
        RoleSettings(
            role=role, name=role, profile=None, session=role, client=client, command=(), cwd=home, env=env or {}
        )
        for role in (CODER, DEVELOPER)
    )
    settings = Settings(root=home, project="p", handoff=home / "current.md", roles=roles)
    prompts = Prompts(settings, clock)
    source = Growth(settings, watch, clock, {"HOME": str(home)}, prompts, lambda role: seen.sessions.get(role, ""))
    await prompts.start(seen.events.append)
    await source.start(seen.events.append)
    try:
        yield source, prompts, seen
    finally:
        await source.stop()
        await prompts.stop()
        watch.stop()


def rollout(home: Path, session: str = FIRST, at: str = "23-23-27", folder: str = ".codex") -> Path:
    today = locate_codex.day_folder(home / folder, datetime.now().astimezone().date())
    today.mkdir(parents=True, exist_ok=True)
    return today / f"rollout-2026-11-26T{at}-{session}.jsonl"


@pytest.fixture(autouse=True)
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "TELL_S", 0.02)


@pytest.mark.parametrize("below", [False, True], ids=["the pane's process", "below a wrapper"])
async def test_a_rollout_that_codex_holds_open_grows(tmp_path: Path, begin: Callable[..., Writer], below: bool) -> None:
    codex = begin(below_a_wrapper=below)
    path = rollout(tmp_path)
    codex("open", path)
    codex("write", "{}")
    os.utime(path, (7_000.0, 7_000.0))
    async with following(tmp_path, "codex") as (source, _, seen):
        source.follow(CODER, codex.pid)
        (first,) = seen.growth()
        assert (first.pid, first.grown_wall, first.session) == (codex.pid, 7_000.0, FIRST)
        codex("write", "{}")
        assert await seen.until(lambda: len(seen.growth()) >= 2) < 1.0
        assert seen.growth()[-1].grown_wall is None
        assert seen.growth(DEVELOPER) == []


async def test_the_first_prompt_makes_the_rollout_and_a_new_session_another(
    tmp_path: Path, begin: Callable[..., Writer]
) -> None:
    codex, other = begin(), begin()
    async with following(tmp_path, "codex", {"CODEX_HOME": str(tmp_path / "own")}) as (source, _, seen):
        source.follow(CODER, codex.pid)
        source.follow(DEVELOPER, other.pid)
        assert seen.growth() == []
        codex("open", rollout(tmp_path, folder="own"))
        codex("write", '{"payload":{"thread_source":"user"}}')
        await seen.until(lambda: any(event.session == FIRST for event in seen.growth()))
        codex("open", rollout(tmp_path, SECOND, "23-36-07", "own"))  # the first is still held open, as by the client
        codex("write", '{"payload":{"thread_source":"user"}}')
        await seen.until(lambda: seen.growth()[-1].session == SECOND)
        assert seen.growth(DEVELOPER) == []


async def test_a_subagents_rollout_is_work_and_another_ones_is_nothing(
    tmp_path: Path, begin: Callable[..., Writer]
) -> None:
    codex = begin()
    codex("open", rollout(tmp_path))
    codex("write", '{"payload":{"thread_source":"user"}}')
    strange = rollout(tmp_path, SECOND, "23-40-00")
    strange.write_text("{}\n")
    codex("read", strange)  # read by a tool of the client, written by somebody else
    async with following(tmp_path, "codex") as (source, _, seen):
        source.follow(CODER, codex.pid)
        assert len(seen.growth()) == 1
        side = rollout(tmp_path, "01a21a38-0000-7000-8000-000000000000", "23-50-00")
        codex("open", side)
        codex("write", '{"payload":{"source":{"subagent":"review"}}}')
        await seen.until(lambda: len(seen.growth()) >= 2)
        with strange.open("a") as file:
            file.write("{}\n")
        codex("write", "{}")
        await seen.until(lambda: len(seen.growth()) >= 3)
        assert {event.session for event in seen.growth()} == {FIRST}
        assert strange not in locate_codex.rollouts(codex.pid)


async def test_a_resumed_session_is_found_at_the_next_round(
    tmp_path: Path, begin: Callable[..., Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TICK_S", 0.01)
    codex = begin()
    old = tmp_path / ".codex" / "sessions" / "2026" / "01" / "02" / f"rollout-2026-01-02T03-04-05-{SECOND}.jsonl"
    old.parent.mkdir(parents=True)
    async with following(tmp_path, "codex") as (source, _, seen):
        source.follow(CODER, codex.pid)
        codex("open", old)
        codex("write", "{}")
        await seen.until(lambda: any(event.session == SECOND for event in seen.growth()))
        codex("write", "{}")
        await seen.until(lambda: seen.growth()[-1].grown_wall is None)


async def test_a_process_that_is_no_more_followed_is_told_no_more(tmp_path: Path, begin: Callable[..., Writer]) -> None:
    codex, other = begin(), begin()
    codex("open", rollout(tmp_path))
    codex("write", "{}")
    other("open", rollout(tmp_path, SECOND))
    other("write", "{}")
    async with following(tmp_path, "codex") as (source, _, seen):
        source.follow(CODER, codex.pid)
        source.follow(DEVELOPER, other.pid)
        source.follow(CODER, None)
        count = len(seen.growth())
        codex("write", "{}")
        other("write", "{}")
        await seen.until(lambda: len(seen.growth(DEVELOPER)) >= 2)
        assert len(seen.growth()) == count


def project(home: Path, name: str = "p") -> Path:
    folder = home / ".gemini" / "tmp" / name
    (folder / "chats").mkdir(parents=True)
    (folder / ".project_root").write_text(str(home / "project"))
    return folder / "chats"


async def test_a_chat_of_geminis_project_grows(tmp_path: Path, begin: Callable[..., Writer]) -> None:
    chats = project(tmp_path)
    for age, name in (
        (9_000.0, "session-2026-11-25T10-00-aaaaaaaa.json"),
        (8_000.0, "session-2026-11-24T10-00-bbbbbbbb.json"),
    ):
        (chats / name).write_text("{}")
        os.utime(chats / name, (age, age))
    project(tmp_path, "another").parent.joinpath(".project_root").write_text("/elsewhere")
    gemini = begin()
    async with following(tmp_path, "gemini") as (source, _, seen):
        source.follow(CODER, gemini.pid)
        assert [event.grown_wall for event in seen.growth()] == [9_000.0]
        (chats / "session-2026-11-26T23-22-519bc91c.jsonl").write_text("{}\n")
        await seen.until(lambda: len(seen.growth()) >= 2)
        assert time.time() - (seen.growth()[-1].grown_wall or 0.0) < 10.0


async def test_a_directory_that_begins_to_be_watched_is_no_growth(tmp_path: Path, begin: Callable[..., Writer]) -> None:
    codex = begin()
    path = rollout(tmp_path)
    codex("open", path)
    codex("write", "{}")
    async with following(tmp_path, "codex", watched=False) as (source, _, seen):
        source.follow(CODER, codex.pid)
        assert len(seen.growth()) == 1
        told = asyncio.Event()
        source._watch.directory(path.parent, lambda _: told.set())
        source._watch.start(asyncio.get_running_loop())  # tells of all that is there
        await asyncio.wait_for(told.wait(), 10)
        assert len(seen.growth()) == 1
        codex("write", "{}")
        await seen.until(lambda: len(seen.growth()) == 2)
        assert seen.growth()[-1].grown_wall is None


async def test_a_project_that_gemini_makes_later_is_found(tmp_path: Path, begin: Callable[..., Writer]) -> None:
    (tmp_path / ".gemini" / "tmp").mkdir(parents=True)
    gemini = begin()
    async with following(tmp_path, "gemini") as (source, _, seen):
        source.follow(CODER, gemini.pid)
        chats = project(tmp_path)
        await seen.until(lambda: chats in source._watched)
        (chats / "session-2026-11-26T23-22-519bc91c.jsonl").write_text("{}\n")
        await seen.until(lambda: bool(seen.growth()))


async def test_of_two_in_one_folder_only_the_one_with_a_known_session_is_told_of(
    tmp_path: Path, begin: Callable[..., Writer]
) -> None:
    chats = project(tmp_path)
    one, two = begin(), begin()
    async with following(tmp_path, "gemini") as (source, _, seen):
        seen.sessions[DEVELOPER] = "519bc91c-2f56-48d6-85b3-3f326b70e0ea"
        source.follow(CODER, one.pid)
        source.follow(DEVELOPER, two.pid)
        (chats / "session-2026-11-26T23-22-aaaaaaaa.jsonl").write_text("{}\n")
        (chats / "session-2026-11-26T23-22-519bc91c.jsonl").write_text("{}\n")
        await seen.until(lambda: bool(seen.growth(DEVELOPER)))
        assert seen.growth() == []


class OpenCode:
    """The database of a client, with as much as is asked of it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("CREATE TABLE session (id text, parent_id text, directory text, time_updated integer)")
        self.db.execute("CREATE TABLE message (id text, session_id text, time_created integer, time_updated integer)")
        self.db.execute("CREATE TABLE part (id text, message_id text, time_updated integer)")

    def session(self, name: str, folder: Path, at: int, parent: str | None = None) -> None:
        self.db.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (name, parent, str(folder), at))

    def message(self, session: str, at: int) -> None:
        self.db.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (f"m{at}", session, at, at))

    def part(self, message: int, at: int) -> None:
        self.db.execute("INSERT INTO part VALUES (?, ?, ?)", (f"p{at}", f"m{message}", at))


async def test_opencodes_session_is_told_from_those_of_other_folders(
    tmp_path: Path, begin: Callable[..., Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[list[float | None]] = []
    ask = locate_opencode.written_at

    def written_at(path: Path, asked: list[tuple[str, str]]) -> list[float | None]:
        answers.append(ask(path, asked))
        return answers[-1]

    monkeypatch.setattr(locate_opencode, "written_at", written_at)
    here = tmp_path / "project"
    agent = begin()
    data = OpenCode(tmp_path / ".local" / "share" / "opencode" / "opencode.db")
    with closing(data.db):
        data.session("s1", here, 5_000)
        data.session("s2", tmp_path, 9_000)
        data.session("s3", here, 9_500, parent="s1")
        data.message("s1", 7_000)
        data.message("s2", 9_000)
        async with following(tmp_path, "opencode") as (source, _, seen):
            source.follow(CODER, agent.pid)
            await seen.until(lambda: bool(seen.growth()))
            assert [event.grown_wall for event in seen.growth()] == [7.0]
            count = len(answers)
            data.message("s2", 10_000)  # somebody else's work in the same database
            await seen.until(lambda: len(answers) > count + 1 or (len(answers) > count and not source._due))
            assert len(seen.growth()) == 1
            data.part(7_000, 11_000)
            await seen.until(lambda: len(seen.growth()) == 2)
            assert seen.growth()[-1].grown_wall is None
            data.message("s2", 12_000)
            data.message("s1", 13_000)
            await seen.until(lambda: len(seen.growth()) == 3)


async def test_two_opencodes_in_one_folder_are_told_apart_by_their_sessions(
    tmp_path: Path, begin: Callable[..., Writer]
) -> None:
    one, two = begin(), begin()
    data = OpenCode(tmp_path / "share" / "opencode" / "opencode.db")
    with closing(data.db):
        for name, at in (("s1", 5_000), ("s2", 6_000)):
            data.session(name, tmp_path / "project", at)
            data.message(name, at)
        async with following(tmp_path, "opencode", {"XDG_DATA_HOME": str(tmp_path / "share")}) as (source, _, seen):
            seen.sessions[DEVELOPER] = "s1"
            source.follow(CODER, one.pid)
            source.follow(DEVELOPER, two.pid)
            await seen.until(lambda: bool(seen.growth(DEVELOPER)))
            assert seen.growth(DEVELOPER)[0].grown_wall == 5.0
            assert seen.growth() == []


def test_a_database_that_is_none_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    assert locate_opencode.written_at(path, [("", "/x"), ("s", "")]) == [None, None]
    path.write_text("no database")
    assert locate_opencode.written_at(path, [("", "/x")]) == [None]
    assert not path.with_name("opencode.db-wal").exists()


HOMES = [
    pytest.param(locate_codex.home, {"HOME": "/h"}, "/h/.codex", id="codex"),
    pytest.param(locate_codex.home, {"HOME": "/h", "CODEX_HOME": "/c"}, "/c", id="CODEX_HOME"),
    pytest.param(locate_codex.home, {}, None, id="codex, nobody's home"),
    pytest.param(locate_gemini.home, {"HOME": "/h"}, "/h/.gemini", id="gemini"),
    pytest.param(locate_gemini.home, {"HOME": "/h", "GEMINI_CLI_HOME": "/g"}, "/g/.gemini", id="GEMINI_CLI_HOME"),
    pytest.param(locate_gemini.home, {}, None, id="gemini, nobody's home"),
    pytest.param(locate_opencode.database, {"HOME": "/h"}, "/h/.local/share/opencode/opencode.db", id="opencode"),
    pytest.param(locate_opencode.database, {"XDG_DATA_HOME": "/d"}, "/d/opencode/opencode.db", id="XDG_DATA_HOME"),
    pytest.param(locate_opencode.database, {}, None, id="opencode, nobody's home"),
]  # fmt: skip


@pytest.mark.parametrize(("find", "env", "expected"), HOMES)
def test_homes(find: Callable[[dict[str, str]], Path | None], env: dict[str, str], expected: str | None) -> None:
    assert find(env) == (Path(expected) if expected else None)


async def test_a_prompt_that_codex_took_is_seen_in_its_rollout(tmp_path: Path, begin: Callable[..., Writer]) -> None:
    codex = begin()
    path = rollout(tmp_path)
    async with following(tmp_path, "codex") as (source, prompts, seen):
        source.follow(CODER, codex.pid)
        prompts.expect(CODER, "your  turn")
        codex("open", path)
        codex(
            "write",
            '{"type":"event_msg","payload":{"type":"user_message","message":"your turn"}}',
        )
        await seen.until(lambda: any(isinstance(event, PromptSeen) for event in seen.events))
        (taken,) = [event for event in seen.events if isinstance(event, PromptSeen)]
        assert (taken.role, taken.text, taken.evidence) == (CODER, "your  turn", "transcript")
