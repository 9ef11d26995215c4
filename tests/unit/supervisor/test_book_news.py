"""What hundreds of agents tell between two rounds of the clock costs by what they tell, and says the same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.config.settings import RoleSettings, Settings
from teamops.domain import health
from teamops.domain.limits import Limits
from teamops.domain.restart import Hold, Keeping
from teamops.model.agent import AgentState, Beat, BeatKind, ClientStatus, Evidence
from teamops.model.budget import TEAM, BudgetHold, Cause
from teamops.model.clock import Stamp
from teamops.model.events import (
    BeatsSeen,
    Event,
    GrowthSeen,
    OutputSeen,
    PaneDied,
    PanesSeen,
    ProcessesSeen,
    ProcessRow,
    ScreenSeen,
    StatusSeen,
    Ticked,
    UsageSeen,
)
from teamops.model.pane import Pane, Screen
from teamops.model.role import Role
from teamops.model.snapshot import SupervisorView
from teamops.model.tail import Position
from teamops.supervisor.book import Book
from teamops.supervisor.view import view

WALL = 1_774_000_000.0
AT = Position("f", 1, 1, 1)


def book_of(roles: Sequence[Role]) -> Book:
    """Return the book of a team whose agents all live."""
    folder = Path("/p")
    team = tuple(
        RoleSettings(
            role=role, name="", profile=None, session=role.lower(), client="sdk" if place % 2 else "claude",
            command=("bot",), cwd=folder,
        )
        for place, role in enumerate(roles)
    )  # fmt: skip
    settings = Settings(root=folder, project="p", handoff=folder / "current.md", roles=team)
    book = Book(settings, Stamp(100.0, WALL), SupervisorView(pid=1, acting=True, since_wall=None))
    panes = tuple((role, pane_of(role, place)) for place, role in enumerate(roles))
    book.take(PanesSeen(Stamp(100.0, WALL), panes, server_up=True))
    book.judge(100.0)
    return book


def pane_of(role: Role, place: int) -> Pane:
    return Pane(session=role.lower(), pane_id=f"%{place}", pid=1000 + place, tty=f"/dev/pts/{place}")


def beat_of(role: Role, stamp: Stamp) -> BeatsSeen:
    return BeatsSeen(stamp, (Beat(role=role, wall=stamp.wall, tokens=10, interval_s=60.0),), AT)


def test_a_beat_has_one_agent_judged_and_shown_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = [Role(f"AGENT-{number:03d}") for number in range(200)]
    book = book_of(roles)
    before = view(book, 1, ready=True)
    judged: list[int | None] = []
    judge = health.judge

    def counted(facts: health.Facts, now: float, limits: Limits) -> tuple[AgentState, Evidence]:
        judged.append(facts.pid)
        return judge(facts, now, limits)

    monkeypatch.setattr(health, "judge", counted)
    book.stamp = Stamp(100.5, WALL + 0.5)
    book.take(beat_of(roles[7], book.stamp))
    assert [page.role for page in book.judge_news(100.5)] == [roles[7]]
    after = view(book, 2, ready=True)
    assert judged == [1007]
    assert [place for place in range(200) if after.agents[place] is not before.agents[place]] == [7]
    book.tick(Ticked(Stamp(101.0, WALL + 1)))
    book.judge_news(101.0)
    assert len(judged) == 201, "everyone with a round of the clock: time passes for all"


def test_an_agent_that_told_nothing_is_shown_with_what_was_decided_of_it() -> None:
    roles = [Role("A"), Role("B"), Role("C")]
    book = book_of(roles)
    view(book, 1, ready=True)
    book.agent(roles[1]).hold = BudgetHold(
        scope=TEAM, cause=Cause.PERSON, day="2026-03-20", wall=WALL, why="stopped by a person"
    )
    book.agent(roles[2]).keeping = Keeping(held=Hold.HUMAN, held_at=100.0)
    book.agent(roles[0]).cost_today += Decimal("0.25")
    book.judge_news(100.0)
    shown = {agent.role: agent for agent in view(book, 2, ready=True).agents}
    assert (shown[roles[0]].cost_today_usd, shown[roles[1]].held) == (Decimal("0.25"), "stopped by a person")


def events(roles: Sequence[Role]) -> st.SearchStrategy[Event]:
    """Return what may be told of agents at one moment."""
    stamp = Stamp(101.0, WALL + 1)
    role = st.sampled_from(roles)
    pid = st.sampled_from([1000, 1001, 1002])
    kinds = st.sampled_from([BeatKind.BEAT, BeatKind.CYCLE_BEGIN, BeatKind.SHUTDOWN, BeatKind.ERROR, BeatKind.HOOK])
    hooks = st.sampled_from(["Stop", "UserPromptSubmit", "SessionEnd", "Notification"])
    beats = st.builds(
        lambda role, kind, hook, tokens, age: BeatsSeen(
            stamp, (Beat(role=role, wall=WALL - age, kind=kind, hook=hook, tokens=tokens, grace_s=9.0),), AT
        ),
        role, kinds, hooks, st.integers(0, 5), st.integers(0, 200),
    )  # fmt: skip
    return st.one_of(
        beats,
        st.builds(lambda role, grew: UsageSeen(stamp, role, (), AT, grew, live=True), role, st.booleans()),
        st.builds(lambda role, status: StatusSeen(stamp, role, status), role, st.sampled_from([None, *ClientStatus])),
        st.builds(lambda role, pid, status: PaneDied(stamp, role, pid, status, None), role, pid, st.integers(0, 2)),
        st.builds(lambda role, pid: GrowthSeen(stamp, role, pid), role, pid),
        st.builds(lambda role, pid, seen: ScreenSeen(stamp, role, pid, seen), role, pid, st.sampled_from(Screen)),
        st.builds(lambda role: OutputSeen(stamp, role), role),
        st.builds(
            lambda role, pid, count, stopped: ProcessesSeen(
                stamp, (ProcessRow(role, pid, 10, 1.0, count, bare_shell=count == 1, stopped=stopped),)
            ),
            role, pid, st.integers(1, 3), st.booleans(),
        ),
        st.builds(
            lambda kept, up: PanesSeen(
                stamp, tuple((role, pane_of(role, place)) for place, role in enumerate(roles) if role in kept), up
            ),
            st.sets(role), st.booleans(),
        ),
        st.just(Ticked(stamp)),
    )  # fmt: skip


TRIO = (Role("A"), Role("B"), Role("C"))


@given(st.lists(st.lists(events(TRIO), max_size=3), max_size=6))
def test_judging_the_news_says_what_judging_everyone_says(rounds: list[list[Event]]) -> None:
    book, twin = book_of(TRIO), book_of(TRIO)
    for one in (book, twin):
        one.stamp = Stamp(101.0, WALL + 1)
        one.judge(101.0)
    for number, told in enumerate(rounds):
        for event in told:
            for one in (book, twin):
                if isinstance(event, Ticked):
                    one.tick(event)
                else:
                    one.take(event)
        news, everyone = book.judge_news(101.0), twin.judge(101.0)
        assert [page.role for page in news] == [page.role for page in everyone]
        for page in twin.agents.values():
            page.view = None
        assert view(book, number, ready=True) == view(twin, number, ready=True)
