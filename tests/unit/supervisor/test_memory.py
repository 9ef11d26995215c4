from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.config.settings import Settings
from teamops.domain.light import Light
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.actions import By, Poke, Restart
from teamops.model.agent import AgentState, Beat, BeatKind
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen, UsageSeen
from teamops.model.handoff import Stage
from teamops.model.role import CODER, REVIEWER
from teamops.model.snapshot import SupervisorView
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor.book import Book
from teamops.supervisor.memory import Memory
from teamops.usage.pricing import Pricer
from teamops.usage.rates import Card, Price, Rates, to_json


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(tmp_path / "l")
    yield ledger
    ledger.close()


@pytest.fixture
def book(tmp_path: Path) -> Book:
    settings = Settings(root=tmp_path, project="p", handoff=tmp_path / "current.md", roles=())
    return Book(settings, Stamp(10.0, 1000.0), SupervisorView(pid=1, acting=True, since_wall=None, watch_only=False))


def memory_of(ledger: Ledger, *, followed: bool = False) -> Memory:
    return Memory(ledger, Pricer({}), acting=not followed, followed=followed)


def carried_out_by(tmp_path: Path, action_id: int, pid: int) -> None:
    connection = sqlite3.connect(tmp_path / "l", isolation_level=None)
    connection.execute("UPDATE action SET pid = ? WHERE id = ?", (pid, action_id))
    connection.close()


def test_what_a_living_process_still_does_is_not_cut_off(ledger: Ledger, book: Book, tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with subprocess.Popen(["sleep", "60"]) as living:
        under_way = ledger.begin_action(Restart(role=CODER, by=By.PERSON), 990.0)
        carried_out_by(tmp_path, under_way, living.pid)
        for pid in (ended.pid, 0, os.getpid()):  # killed; of an older teamops; an earlier life of this very process
            carried_out_by(tmp_path, ledger.begin_action(Poke(role=REVIEWER, text="x", by=By.PERSON), 991.0), pid)
        memory_of(ledger).recover(book)
        assert [begun.id for begun in ledger.unfinished_actions()] == [under_way]
        living.kill()
    memory_of(ledger).recover(book)
    assert ledger.unfinished_actions() == []


@pytest.mark.parametrize("followed", [False, True])
def test_a_follower_has_no_states_of_its_own_in_the_log(ledger: Ledger, book: Book, *, followed: bool) -> None:
    page = book.agent(CODER)
    page.state = AgentState.IDLE
    memory_of(ledger, followed=followed).state_changed(book, page)
    assert [line.kind for line in book.log] == ([] if followed else ["state"])


@pytest.mark.parametrize("followed", [False, True])
def test_a_ledger_that_cannot_be_read_is_said_and_what_is_known_stays(
    ledger: Ledger, book: Book, *, followed: bool
) -> None:
    memory = memory_of(ledger, followed=followed)
    light = Light(task="t", role=CODER, tier=2, stage=Stage.IMPLEMENT, since=1.0, since_wall=991.0, line=1, digest="d")
    ledger.close()  # as good as a disk that fails: every question is refused
    memory.hear_viewers(book)
    memory.follow(book)
    assert memory.light_seen(book, light, 991.0) == 991.0
    assert "ledger" in book.notes


def test_the_trouble_of_reading_is_over_when_reading_works_again(ledger: Ledger, book: Book) -> None:
    memory = memory_of(ledger)
    book.notes["ledger"] = "it could not be read"
    memory.tick(book)
    assert "ledger" not in book.notes


def test_usage_of_the_future_is_of_now(ledger: Ledger, book: Book) -> None:
    usage = Usage(wall=9e9, model="m", tokens=Tokens(output=7), client="claude", cost_usd=Decimal(2))
    seen = UsageSeen(book.stamp, CODER, (usage,), Position("f", 1, 1, 9), grew=True, live=True)
    memory_of(ledger).usage(book, seen)
    (minute,) = ledger.minutes(CODER, 0.0)
    assert (minute.wall, minute.tokens) == (960.0, 7)
    assert book.agent(CODER).cost_today == Decimal(2)


def test_what_tracked_calls_used_is_priced_and_counted_once(ledger: Ledger, book: Book) -> None:
    rates = {("m", "1970-01-01"): to_json(Rates(Card(*[Price(((0, Decimal(1_000_000)),))] * 5)))}
    memory = Memory(ledger, Pricer(rates), acting=True, followed=False)
    told = tuple(Usage(wall=999.0, model=model, tokens=Tokens(output=7), client="sdk") for model in ("m", "unheard-of"))
    beat = Beat(role=CODER, wall=999.0, kind=BeatKind.USAGE, tokens=14, usages=told)
    seen = BeatsSeen(book.stamp, (beat,), Position("f", 1, 1, 9))
    memory.beats(book, seen)
    book.take(seen)
    page = book.agent(CODER)
    assert (page.cost_today, page.unpriced_today, page.tokens_per_min(book.stamp.now)) == (Decimal(7), 7, 14)
    assert (page.has_transcript, page.beat, page.called, page.worked) == (False, None, 9.0, 9.0)
    (minute,) = ledger.minutes(CODER, 0.0)
    assert (minute.beats, minute.tokens, minute.cost_usd, minute.unpriced_tokens) == (1, 14, Decimal(7), 7)
    assert (page.minutes[16].beats, page.minutes[16].tokens) == (1, 14)
    assert memory.wants_rates


@pytest.mark.parametrize(
    ("minute", "rate"),
    [pytest.param(960.0, 60, id="this minute"), pytest.param(900.0, 20, id="the last one"), pytest.param(840.0, 0)],
)
def test_a_new_life_knows_the_rate_of_the_last_minute(ledger: Ledger, book: Book, minute: float, rate: int) -> None:
    usage = Usage(wall=minute, model="m", tokens=Tokens(output=60), client="claude", cost_usd=Decimal(2))
    ledger.add_usage(CODER, [(usage, Decimal(2))], Position("f", 1, 1, 9))
    book.agent(CODER)
    memory_of(ledger).load(book)
    assert book.agent(CODER).tokens_per_min(book.stamp.now) == rate


@pytest.mark.parametrize(("followed", "cost"), [(False, Decimal(2)), (True, Decimal(0))])
def test_a_wall_clock_set_back_into_yesterday_finds_its_spending_again(
    ledger: Ledger, book: Book, *, followed: bool, cost: Decimal
) -> None:
    memory = memory_of(ledger, followed=followed)
    usage = Usage(wall=book.stamp.wall, model="m", tokens=Tokens(output=7), client="claude", cost_usd=Decimal(2))
    memory_of(ledger).usage(book, UsageSeen(book.stamp, CODER, (usage,), Position("f", 1, 1, 9), grew=True, live=True))
    for wall in (book.stamp.wall + 2 * 86_400, book.stamp.wall):
        assert book.turn_day(wall)
        memory.turn_day(book)
    assert book.agent(CODER).cost_today == cost


def test_a_state_that_an_earlier_life_has_told_is_no_news(ledger: Ledger, book: Book) -> None:
    ledger.state_edge(CODER, AgentState.WORKING, "", 980.0)
    ledger.state_edge(CODER, AgentState.IDLE, "", 990.0)
    ledger.state_edge(REVIEWER, AgentState.DEAD, "", 990.0)
    memory = memory_of(ledger)
    memory.load(book)
    before = len(book.log)
    for role, states in {CODER: ("idle", "working", "idle"), REVIEWER: ("idle",)}.items():
        for state in states:
            book.agent(role).state = AgentState(state)
            memory.state_changed(book, book.agent(role))
    assert [(line.role, line.text.split()[0]) for line in reversed(book.log[: len(book.log) - before])] == [
        (CODER, "working"),
        (CODER, "idle"),
        (REVIEWER, "idle"),
    ]


def session_usage(session: str) -> UsageSeen:
    usage = Usage(wall=900.0, model="m", tokens=Tokens(input=1), client="claude", session=session)
    return UsageSeen(Stamp(10.0, 1000.0), CODER, (usage,), Position(f"/{session}", 1, 2, 3), grew=True, live=True)


def test_whose_client_sessions_are_is_remembered(ledger: Ledger, book: Book) -> None:
    memory = memory_of(ledger)
    memory.usage(book, session_usage("one"))
    book.agent(CODER).client_session = "two"
    book.agent(REVIEWER).client_session = "three"
    memory.sessions(book, 1000.0)
    book.agent(REVIEWER).client_session = "one"  # resumed by another: what it did before was the first one's
    memory.sessions(book, 1001.0)
    assert ledger.sessions.all() == {"one": CODER, "two": CODER, "three": REVIEWER}


def test_a_viewer_remembers_no_sessions(ledger: Ledger, book: Book) -> None:
    memory = memory_of(ledger, followed=True)
    book.agent(CODER).client_session = "two"
    memory.sessions(book, 1000.0)
    assert ledger.sessions.all() == {}
