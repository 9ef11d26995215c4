"""Which logs are whose, and when they grow, on real files that real processes hold open."""

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
from teamops.model.events import Event, GrowthSeen, PromptSeen, UsageSeen
from teamops.model.role import CODER, DEVELOPER, Role
from teamops.sources import growth as room
from teamops.sources.clock import Clock
from teamops.sources.growth import Growth
from teamops.sources.logs import Before, Logs
from teamops.sources.prompts import Prompts
from teamops.sources.watch import Watch
from teamops.usage import locate_codex, locate_gemini, locate_opencode, open_files
from tests.client_writers import SESSIONS, Codex, Gemini, Opencode

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

    def used(self, role: Role = CODER) -> list[str]:
        return [
            usage.key or str(usage.tokens.output)
            for event in self.events
            if isinstance(event, UsageSeen) and event.role == role
            for usage in event.usages
        ]

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
    logs = Logs(clock, Before(), prompts.lines)
    source = Growth(settings, watch, clock, {"HOME": str(home)}, logs, lambda role: seen.sessions.get(role, ""))
    await prompts.start(seen.events.append)
    await logs.start(seen.events.append)
    await source.start(seen.events.append)
    try:
        yield source, prompts, seen
    finally:
        await source.stop()
        await logs.stop()
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
        self.db.execute(
            "CREATE TABLE session (id text, parent_id text, directory text, time_created integer, time_updated integer)"
        )
        self.db.execute(
            "CREATE TABLE message (id text, session_id text, time_created integer, time_updated integer, data text)"
        )
        self.db.execute("CREATE TABLE part (id text, message_id text, time_updated integer)")

    def session(self, name: str, folder: Path, at: int, parent: str | None = None) -> None:
        self.db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", (name, parent, str(folder), at, at))

    def message(self, session: str, at: int) -> None:
        self.db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", (f"m{at}", session, at, at, "{}"))

    def part(self, message: int, at: int) -> None:
        self.db.execute("INSERT INTO part VALUES (?, ?, ?)", (f"p{at}", f"m{message}", at))


async def test_opencodes_session_is_told_from_those_of_other_folders(
    tmp_path: Path, begin: Callable[..., Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[list[locate_opencode.Written | None]] = []
    ask = locate_opencode.written_at

    def written_at(path: Path, asked: list[tuple[str, str]]) -> list[locate_opencode.Written | None]:
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


# what they use


async def test_what_codex_uses_is_told_with_that_of_a_subagent(tmp_path: Path, begin: Callable[..., Writer]) -> None:
    codex = begin()
    main = Codex(tmp_path, tmp_path / "project")
    main.respond("m1", 10)
    codex("open", main.path)
    async with following(tmp_path, "codex") as (source, _, seen):
        source.follow(CODER, codex.pid)
        await seen.until(lambda: len(seen.used()) == 1)
        main.respond("m2", 20)
        await seen.until(lambda: len(seen.used()) == 2)
        side = Codex(tmp_path, tmp_path / "project", "second")
        side.head[0] = ("session_meta", {**side.meta, "source": {"subagent": "review"}})
        side.begin()
        codex("open", side.path)
        side.respond("m3", 30)
        await seen.until(lambda: len(seen.used()) == 3)
        strange = Codex(tmp_path, tmp_path / "project", "third")  # a person's own
        strange.respond("m4", 40)
        main.respond("m5", 50)
        await seen.until(lambda: len(seen.used()) == 4)
        lives = [event.live for event in seen.events if isinstance(event, UsageSeen)]
        assert lives == [False, True, True, True]


async def test_what_was_written_before_geminis_process_began_is_not_its_own(
    tmp_path: Path, begin: Callable[..., Writer]
) -> None:
    old, new = Gemini(tmp_path, tmp_path / "project"), Gemini(tmp_path, tmp_path / "project", "second")
    old.respond("before")
    hour_ago = time.time() - 3600
    os.utime(old.path, (hour_ago, hour_ago))
    new.respond("first")
    gemini = begin()
    async with following(tmp_path, "gemini") as (source, _, seen):
        source.follow(CODER, gemini.pid)
        await seen.until(lambda: seen.used() == ["first"])
        new.respond("second")
        await seen.until(lambda: seen.used() == ["first", "second"])
        old.respond("resumed")
        await seen.until(lambda: len(seen.used()) == 4)
        assert seen.used()[2:] == ["before", "resumed"]
        assert seen.events[-1].live  # type: ignore[union-attr]


@pytest.mark.parametrize("early", [False, True], ids=["while it is followed", "before"])
async def test_geminis_subagents_write_beside_its_chat(
    tmp_path: Path, begin: Callable[..., Writer], early: bool
) -> None:
    gemini = begin()
    main, side = Gemini(tmp_path, tmp_path / "project"), Gemini(tmp_path, tmp_path / "project", "second")
    side.path = main.path.parent / main.id / f"{side.id}.jsonl"
    main.begin()
    if early:
        side.respond("early", 1)
    async with following(tmp_path, "gemini") as (source, _, seen):
        source.follow(CODER, gemini.pid)
        main.respond("m")
        side.respond("n")
        await seen.until(lambda: sorted(seen.used()) == ["early"] * early + ["m", "n"])


async def test_of_two_in_one_folder_only_the_known_session_is_charged(
    tmp_path: Path, begin: Callable[..., Writer]
) -> None:
    for kind, known in ((Gemini, SESSIONS["second"]), (Opencode, "ses_second")):
        one, two = begin(), begin()
        mine, other = kind(tmp_path, tmp_path / "project", "second"), kind(tmp_path, tmp_path / "project")
        async with following(tmp_path, mine.client) as (source, _, seen):
            seen.sessions[DEVELOPER] = known
            source.follow(CODER, one.pid)
            source.follow(DEVELOPER, two.pid)
            other.respond("theirs")
            mine.respond("mine")
            await seen.until(lambda seen=seen: seen.used(DEVELOPER) == ["mine"])  # type: ignore[misc]
            assert seen.used() == []
        for writer in (mine, other):
            if isinstance(writer, Opencode):
                writer.close()


async def test_what_opencode_uses_is_told_to_its_last_word(tmp_path: Path, begin: Callable[..., Writer]) -> None:
    old = Opencode(tmp_path, tmp_path / "project", "old")
    old.respond("before")
    old.database.execute(
        "UPDATE message SET time_updated = time_updated - 3600000, time_created = time_created - 3600000"
    )
    old.database.execute("UPDATE session SET time_updated = time_updated - 3600000")
    with closing(old):
        agent = begin()
        async with following(tmp_path, "opencode") as (source, _, seen):
            source.follow(CODER, agent.pid)
            await seen.until(lambda: bool(seen.growth()))
            first = Opencode(tmp_path, tmp_path / "project")
            with closing(first):
                first.respond("m1")
                assert await seen.until(lambda: seen.used() == ["m1"]) < 2.0
                assert [event.live for event in seen.events if isinstance(event, UsageSeen)] == [True]
                first.respond("m2")
                await seen.until(lambda: sorted(seen.used()) == ["m1", "m2"])  # of two at once the newer alone is read
                second = Opencode(tmp_path, tmp_path / "project", "second")
                with closing(second):
                    second.respond("m3")
                    await seen.until(lambda: sorted(seen.used()) == ["m1", "m2", "m3"])
                    source._watch.stop()  # the change is not told before the process has ended
                    second.respond("m4")
                    source.follow(CODER, None)
                    await seen.until(lambda: sorted(seen.used()) == ["m1", "m2", "m3", "m4"])


async def test_a_process_whose_beginning_nobody_knows_is_charged_for_known_sessions_alone(
    tmp_path: Path, begin: Callable[..., Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "began_at", lambda _pid, _proc: None)
    one, two = begin(), begin()
    chat = Gemini(tmp_path, tmp_path / "project")
    async with following(tmp_path, "gemini") as (source, _, seen):
        source.follow(CODER, one.pid)
        chat.respond("m")
        await seen.until(lambda: bool(seen.growth()))
        source.follow(CODER, None)
        seen.sessions[CODER] = chat.id
        source.follow(CODER, two.pid)
        await seen.until(lambda: seen.used() == ["m"])


def test_when_a_process_began(begin: Callable[..., Writer], tmp_path: Path) -> None:
    before = time.time()
    began = open_files.began_at(begin().pid)
    assert began is not None
    assert before - 2.0 < began < time.time() + 2.0
    assert open_files.began_at(2**22 + 1) is None
    assert open_files.began_at(os.getpid(), tmp_path) is None


def test_the_sessions_that_a_rollout_copies_are_named_in_it(tmp_path: Path) -> None:
    parent = Codex(tmp_path, tmp_path)
    parent.respond("m")
    fork = Codex(tmp_path, tmp_path, "second")
    fork.copy(parent)
    assert locate_codex.ancestors(fork.path, {parent.id, SESSIONS["third"]}) == [parent.id]
    assert locate_codex.ancestors(tmp_path / "none", {parent.id}) == []


def test_a_chat_without_a_session_has_no_folder_beside_it(tmp_path: Path) -> None:
    assert locate_gemini.side_folder(tmp_path / "none") is None
    (tmp_path / "chat").write_text("{}")
    assert locate_gemini.side_folder(tmp_path / "chat") is None
