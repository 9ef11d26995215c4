"""What the agents' clients write is told once, by real files, a real ledger and any number of lives."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from teamops.ledger.logs import ToldLog
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.events import Event, SourceTroubled, UsageSeen
from teamops.model.role import CODER, REVIEWER, Role
from teamops.sources import logs as room
from teamops.sources.clock import Clock
from teamops.sources.logs import Before, Logs
from tests.client_writers import INPUT, Claude, Codex, Gemini, OldGemini, Opencode, Writer

Make = Callable[..., Any]
ALL = [
    pytest.param(Claude, id="claude"),
    pytest.param(Codex, id="codex"),
    pytest.param(Gemini, id="gemini"),
    pytest.param(OldGemini, id="gemini, older"),
    pytest.param(Opencode, id="opencode"),
]
GROWING = [param for param in ALL if param.values[0] is not Codex]
"""Codex tells a response when it is complete."""
LINES = [param for param in ALL if param.values[0] not in (OldGemini, Opencode)]


@dataclass
class Life:
    """One life of what reads logs, with the ledger that outlives it."""

    ledger: Ledger
    logs: Logs
    events: list[Event] = field(default_factory=list)
    stores: bool = True
    """False: killed before the ledger was written."""

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, UsageSeen) and self.stores:
            rows = [(usage, usage.cost_usd) for usage in event.usages]
            log = ToldLog(event.client, event.stamp.wall, event.rewritten)
            self.ledger.add_usage(event.role, rows, event.position, log=log)

    def follow(self, writer: Writer, role: Role = CODER, *, fresh: bool = True) -> None:
        self.logs.follow(role, writer.client, writer.path, session=writer.session, fresh=fresh)

    async def read(self, writer: Writer, role: Role = CODER, *, fresh: bool = True) -> list[UsageSeen]:
        """Follow, and return what is told of it."""
        count = len(self.events)
        self.follow(writer, role, fresh=fresh)
        async with asyncio.timeout(10):
            await self.logs.caught_up()
        return [event for event in self.events[count:] if isinstance(event, UsageSeen) and event.usages]


@asynccontextmanager
async def living(ledger: Ledger, *, stores: bool = True) -> AsyncIterator[Life]:
    before = Before(ledger.positions(), ledger.logs.known(), ledger.logs.counted())
    life = Life(ledger, Logs(Clock(), before, roles=frozenset({CODER, REVIEWER})), stores=stores)
    await life.logs.start(life)
    try:
        yield life
    finally:
        await life.logs.stop()


def spent(ledger: Ledger, role: Role = CODER) -> int:
    return sum(minute.tokens for minute in ledger.minutes(role, 0.0))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "state" / "ledger.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Any] = []
    (tmp_path / "project").mkdir()

    def begin(kind: Make, name: str = "first", **fields: Any) -> Any:
        made.append(kind(tmp_path, tmp_path / "project", name, **fields))
        return made[-1]

    yield begin
    for writer in made:
        if isinstance(writer, Opencode):
            writer.close()


@pytest.mark.parametrize("kind", ALL)
async def test_a_response_is_told_once_and_at_once(ledger: Ledger, make: Make, kind: Make) -> None:
    writer = make(kind)
    async with living(ledger) as life:
        assert await life.read(writer) == []
        for number in (1, 2):
            writer.respond(f"m{number}")
            began = time.monotonic()
            (seen,) = await life.read(writer)
            assert time.monotonic() - began < 1.0
            assert (seen.live, seen.grew, len(seen.usages)) == (True, True, 1)
            assert await life.read(writer) == []
            assert spent(ledger) == number * (INPUT + 10)


@pytest.mark.parametrize("kind", GROWING)
async def test_a_response_that_grows_adds_what_is_new_in_every_life(ledger: Ledger, make: Make, kind: Make) -> None:
    writer = make(kind)
    writer.respond("m")
    async with living(ledger) as life:
        await life.read(writer)
        writer.respond("m", 30)
        (seen,) = await life.read(writer)
        assert [usage.tokens.total for usage in seen.usages] == [20]
    writer.respond("m", 70)
    async with living(ledger) as life:
        await life.read(writer)
    assert spent(ledger) == INPUT + 70


@pytest.mark.parametrize("kind", ALL)
async def test_a_killed_life_counts_nothing_twice_and_loses_nothing(ledger: Ledger, make: Make, kind: Make) -> None:
    writer = make(kind)
    writer.respond("m1")
    async with living(ledger) as life:
        await life.read(writer)
    writer.respond("m2")
    async with living(ledger, stores=False) as killed:
        assert await killed.read(writer) != []
    writer.respond("m3")
    for _ in range(3):
        async with living(ledger) as life:
            await life.read(writer)
        assert spent(ledger) == 3 * (INPUT + 10)


@pytest.mark.parametrize("kind", ALL)
async def test_what_was_there_is_no_news_and_what_comes_is(ledger: Ledger, make: Make, kind: Make) -> None:
    writer = make(kind)
    writer.respond("m1")
    for name in ("m2", "m3"):
        async with living(ledger) as life:
            assert [seen.live for seen in await life.read(writer, fresh=False)] == [False]
            writer.respond(name)
            assert [seen.live for seen in await life.read(writer, fresh=False)] == [True]
        writer.respond(f"{name} while nobody looked")


@pytest.mark.parametrize("kind", ALL)
async def test_the_end_of_a_client_that_left_while_nobody_looked_is_told(
    ledger: Ledger, make: Make, kind: Make
) -> None:
    writer = make(kind)
    writer.respond("m1")
    async with living(ledger) as life:
        await life.read(writer)
    writer.respond("m2")
    async with living(ledger) as life:  # whom nobody tells of that client any more
        async with asyncio.timeout(10):
            await life.logs.caught_up()
        assert [seen.live for seen in life.events if isinstance(seen, UsageSeen)] == [False]
    assert spent(ledger) == 2 * (INPUT + 10)


@pytest.mark.parametrize("kind", ALL)
async def test_the_last_words_of_a_client_are_asked_for(ledger: Ledger, make: Make, kind: Make) -> None:
    writer, other = make(kind), make(Claude, "second")
    async with living(ledger) as life:
        await life.read(writer)
        await life.read(other, REVIEWER)
        writer.respond("m")
        other.respond("n")
        life.logs.again(CODER)
        async with asyncio.timeout(10):
            await life.logs.caught_up()
        assert (spent(ledger), spent(ledger, REVIEWER)) == (INPUT + 10, 0)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("lives", [1, 2])
async def test_a_copy_of_a_session_counts_what_is_new(ledger: Ledger, make: Make, kind: Make, lives: int) -> None:
    first = make(kind, at=time.time() - 60) if kind is Codex else make(kind)
    first.respond("m1")
    first.respond("m2", 20)
    async with living(ledger) as life:
        await life.read(first)
        second = make(kind, "second")
        second.copy(first)
        if lives == 1:
            await life.read(second, REVIEWER)
            second.respond("m3", 30)
            await life.read(second, REVIEWER)
    if lives == 2:
        second.respond("m3", 30)
        async with living(ledger) as life:
            await life.read(second, REVIEWER)
    assert (spent(ledger), spent(ledger, REVIEWER)) == (2 * INPUT + 30, INPUT + 30)


async def test_a_fork_s_copies_are_known_by_its_parent_in_another_day_s_folder(ledger: Ledger, make: Make) -> None:
    parent = make(Codex, at=time.time() - 3 * 86_400)
    parent.respond("m1")
    parent.respond("m2", 20)
    async with living(ledger) as life:
        await life.read(parent)
    fork = make(Codex, "second")
    fork.pace = 5.0  # slower than one can tell copies by their pace alone
    fork.at = time.time() + 60
    fork.copy(parent)
    assert fork.path.parent != parent.path.parent
    async with living(ledger) as life:
        assert await life.read(fork, REVIEWER) == []
        fork.respond("m3", 30)
        assert len(await life.read(fork, REVIEWER)) == 1


@pytest.mark.parametrize("kind", LINES)
async def test_a_log_that_begins_again_is_read_from_there(ledger: Ledger, make: Make, kind: Make) -> None:
    writer = make(kind)
    writer.respond("m1")
    writer.respond("m2")
    async with living(ledger) as life:
        await life.read(writer)
        writer.path.write_bytes(b"")
        await life.read(writer)
        other = make(kind)
        other.path = writer.path
        other.respond("m3", 40)
        (seen,) = await life.read(writer)
        assert (seen.live, seen.position.generation) == (True, 1)
    assert spent(ledger) == 3 * INPUT + 60


async def test_of_a_database_only_the_session_and_its_subagents_are_the_agents(ledger: Ledger, make: Make) -> None:
    mine, side, other = make(Opencode), make(Opencode, "side", parent="ses_first"), make(Opencode, "other")
    mine.respond("m1")
    side.respond("m2", 20)
    other.respond("m3", 30)
    async with living(ledger) as life:
        await life.read(mine)
        assert spent(ledger) == 2 * INPUT + 30
        side.respond("m4", 40)
        other.respond("m5", 50)
        await life.read(mine)
        assert spent(ledger) == 3 * INPUT + 70
        assert ledger.cost_since(0.0)[CODER].unpriced_tokens == 0  # the log itself names the cost


async def test_two_roles_in_one_database_are_two(ledger: Ledger, make: Make) -> None:
    one, two = make(Opencode), make(Opencode, "second")
    for _ in range(2):
        async with living(ledger) as life:
            one.respond(f"a{time.time_ns()}")
            two.respond(f"b{time.time_ns()}", 20)
            await life.read(one)
            await life.read(two, REVIEWER)
    assert (spent(ledger), spent(ledger, REVIEWER)) == (2 * (INPUT + 10), 2 * (INPUT + 20))


async def test_a_locked_database_is_read_when_it_is_free(
    ledger: Ledger, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE", 2)
    monkeypatch.setattr(room, "RETRY_S", 0.01)
    monkeypatch.setattr("teamops.usage.opencode.BUSY_S", 0.01)
    writer = make(Opencode)
    writer.database.execute("PRAGMA journal_mode=DELETE")
    writer.respond("m")
    async with living(ledger) as life:
        writer.database.execute("BEGIN EXCLUSIVE")
        writer.database.execute("UPDATE message SET time_updated = time_updated + 1")
        life.follow(writer)
        async with asyncio.timeout(10):
            while not any(isinstance(event, SourceTroubled) for event in life.events):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        writer.database.execute("COMMIT")
        async with asyncio.timeout(10):
            while spent(ledger) != INPUT + 10:  # noqa: ASYNC110 - until it was told
                await asyncio.sleep(0.01)
        last = [event for event in life.events if isinstance(event, SourceTroubled)][-1]
        assert last.message == ""


async def test_a_database_of_an_unknown_version_is_said_and_not_asked_for_ever(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    with sqlite3.connect(path) as database:
        database.executescript("CREATE TABLE session (id text); CREATE TABLE message (id text);")
    database.close()
    async with living(ledger) as life:
        life.logs.follow(CODER, "opencode", path, session="s", fresh=True)
        async with asyncio.timeout(10):
            await life.logs.caught_up()
        (trouble,) = life.events
        assert isinstance(trouble, SourceTroubled)
        assert "a version unknown to teamops" in trouble.message
        assert not life.logs._later


async def test_what_is_no_database_is_told_as_bad_once(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    path.write_text("no database, and as long as the head of one would be" * 100)
    async with living(ledger) as life:
        for _ in range(2):
            life.logs.follow(CODER, "opencode", path, session="s", fresh=True)
            async with asyncio.timeout(10):
                await life.logs.caught_up()
        assert [event.bad_lines for event in life.events if isinstance(event, UsageSeen)] == [1]


@pytest.mark.parametrize("kind", ALL)
async def test_a_log_that_is_gone_is_no_trouble(ledger: Ledger, make: Make, kind: Make) -> None:
    writer = make(kind)
    writer.respond("m")
    async with living(ledger) as life:
        await life.read(writer)
        if isinstance(writer, Opencode):
            writer.close()
        writer.path.unlink()
        assert await life.read(writer) == []
        assert not [event for event in life.events if isinstance(event, SourceTroubled)]


async def test_lines_of_a_log_are_handed_on_with_their_role(make: Make) -> None:
    writer = make(Codex)
    lines: list[tuple[Role, bytes]] = []
    logs = Logs(Clock(), Before(), lambda role, read: lines.extend((role, line) for line in read))
    await logs.start(lambda _: None)
    try:
        writer.respond("m")
        logs.follow(CODER, "codex", writer.path, fresh=True)
        async with asyncio.timeout(10):
            await logs.caught_up()
    finally:
        await logs.stop()
    assert [(role, line) for role, line in lines if b"token_count" in line] == [
        (CODER, writer.path.read_bytes().splitlines()[-1])
    ]


async def test_a_log_of_nobody_in_the_team_is_left_alone(ledger: Ledger, make: Make) -> None:
    writer = make(Gemini)
    writer.respond("m1")
    async with living(ledger) as life:
        await life.read(writer, Role("GONE"))
    writer.respond("m2")
    async with living(ledger) as life:
        async with asyncio.timeout(10):
            await life.logs.caught_up()
        assert life.events == []


async def test_a_rewritten_log_that_told_nothing_for_long_is_not_opened(
    ledger: Ledger, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make(OldGemini)
    writer.respond("m1")
    async with living(ledger) as life:
        await life.read(writer)
    writer.respond("m2")
    monkeypatch.setattr(room, "RECENT_S", 0.0)
    async with living(ledger) as life:
        async with asyncio.timeout(10):
            await life.logs.caught_up()
        assert life.events == []
        assert await life.read(writer) != []  # its end is told when it is followed again
