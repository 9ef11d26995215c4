"""Restarts by rule, on a real ledger: the clock, the panes and what a restart does to them are the test's."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from teamops.domain.limits import Limits, RestartPolicy, RestartWhen
from teamops.domain.restart import Hold
from teamops.ledger.store import LedgerError, open_ledger
from teamops.model.actions import Action, By, Outcome, Poke, Restart, Stop
from teamops.model.agent import AgentState, Beat, BeatKind
from teamops.model.agent_report import Launch
from teamops.model.events import BeatsSeen, PanesSeen, ScreenSeen, Ticked
from teamops.model.handoff import Severity
from teamops.model.pane import Pane, Screen
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.snapshot import RestartRole, StopRole
from teamops.model.tail import Position
from teamops.sources.clock import Clock
from teamops.supervisor import core
from teamops.tmux.ending import born_of
from tests.unit.supervisor.life import START, TEAM, Hands, Life, block


class Team(Hands):
    """The panes of a team, and what a restart does to them."""

    def __init__(self, life: Life) -> None:
        super().__init__(life.handoff)
        self.life = life
        self.rows: dict[Role, Pane] = {role: life.pane(role) for role in TEAM}
        self.pid = 4_100_000
        self.gate: asyncio.Event | None = None
        """A restart or stop waits for it."""
        self.works = True
        """A restart brings the agent back."""
        self.under_way = 0
        self.most = 0
        """Restarts that were under way at once."""

    async def run(self, action: Action, check: Callable[[bytes], None] | None = None) -> Outcome:
        if not isinstance(action, Restart | Stop):
            return await super().run(action, check)
        self.done.append(action)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.under_way -= 1
        if isinstance(action, Stop):
            return self.answer
        if not self.works:
            return Outcome(ok=False, message="its command ended at once with status 127")
        self.pid += 1
        pane = replace(self.life.pane(action.role), pid=self.pid)
        self.rows[action.role] = pane
        self.show()
        return Outcome(ok=True, message="started again", evidence=f"pane {pane.pane_id} pid {pane.pid}")

    @property
    def restarts(self) -> list[Restart]:
        return [action for action in self.done if isinstance(action, Restart)]

    def show(self) -> None:
        """Say what tmux says now."""
        self.life.core.emit(PanesSeen(self.life.clock.stamp(), tuple(self.rows.items()), server_up=True))

    def die(self, role: Role, status: int | None = 37, signal: int | None = None, *, gone: bool = False) -> None:
        """Let an agent end; ``gone``: its session with it."""
        if gone:
            self.rows.pop(role)
        else:
            self.rows[role] = replace(self.rows[role], dead=True, exit_status=status, exit_signal=signal)
        self.show()

    def become(self, role: Role, pid: int) -> None:
        """Let another process run in its pane."""
        self.rows[role] = replace(self.life.pane(role), pid=pid)
        self.show()

    def beat(self, role: Role, **words: object) -> None:
        """Let an agent beat now."""
        beat = Beat(role=role, wall=self.life.wall, **words)  # type: ignore[arg-type]  # passed through
        stamp = self.life.clock.stamp()
        self.life.core.emit(BeatsSeen(stamp, (beat,), Position(f"/spool/{role}", 1, 1, int(self.life.wall))))


class World:
    """The lives of a supervisor over one team."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lives: list[Life] = []
        self.rows: dict[Role, Pane] = {}
        self.pid = 0
        self.dead: tuple[Role, ...] = ()
        """Whose panes are dead when teamops looks for the first time."""

    async def begin(self, *, text: str = "", **kind: object) -> Team:
        """Begin a life; the panes are those that the one before left."""
        start = self.lives[-1].wall + 5 if self.lives else START
        life = Life(self.folder, start=start, **kind)  # type: ignore[arg-type]  # passed through
        if not life.handoff.exists():
            life.handoff.write_text(text or block(DIRECTOR, CODER), encoding="utf-8")
        self.lives.append(life)
        team = Team(life)
        if self.pid:
            team.rows, team.pid = dict(self.rows), self.pid
        for role in self.dead:
            team.rows[role] = replace(team.rows[role], dead=True, exit_status=3)
        life.core.acts.effects = team  # type: ignore[assignment]  # all that the core uses of it
        life.core.acts.recover()
        life.core.begin_running()
        team.show()
        life.read()
        life.core.say_ready()
        await life.ticks(3)
        return team

    async def killed(self, team: Team) -> None:
        """End a life in the middle of whatever it does."""
        self.rows, self.pid = team.rows, team.pid
        await team.life.end()
        for task in tuple(team.life.core._tasks):
            task.cancel()
        self.lives[-1] = team.life

    async def end(self) -> None:
        for life in self.lives:
            await life.end()


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(core, "PUBLISH_S", 0.0)
    world = World(tmp_path / "p")
    yield world
    await world.end()


def state(team: Team, role: Role) -> AgentState:
    return team.life.core.book.agent(role).state


async def seconds(team: Team, count: int) -> None:
    """Let so many seconds go by, one round each."""
    for _ in range(count):
        await team.life.ticks(1)
        await team.life.until(lambda: team.under_way > 0 or not _looks(team), "a look before a restart ends")
        await team.life.core.next_round()


def _looks(team: Team) -> bool:
    """Whether something is kept of an agent that is about to be restarted."""
    return any(task.get_name().startswith("restart of") for task in team.life.core._tasks)


async def later(team: Team, count: int) -> None:
    """Let so many seconds go by at once: teamops ran, and nothing happened."""
    for _ in range(count):
        team.life.now += 1.0
        team.life.wall += 1.0
        team.life.clock.stamp()  # somebody asks: no gap
    await seconds(team, 3)


async def test_a_dead_agent_is_restarted_by_rule_and_what_stood_there_is_kept(world: World) -> None:
    team = await world.begin()
    team.die(CODER)
    await seconds(team, 1)
    assert team.restarts == []
    await seconds(team, 2)
    (restart,) = team.restarts
    assert (restart.role, restart.by) == (CODER, By.RULE)
    assert "exit status 37; 1 of 2" in restart.reason
    await seconds(team, 1)
    (record,) = team.life.ledger.keeping.restarts(CODER, 9)
    assert (record.attempt, record.ok, record.ending) == (1, True, "exit status 37")
    assert "handoff file: parses" in record.notes
    assert state(team, CODER) is AgentState.STARTING
    launch = team.life.ledger.launches.get(CODER)
    assert launch is not None
    assert (launch.pid, launch.adopted) == (team.rows[CODER].pid, False)


async def test_twice_and_then_a_person_is_called(world: World) -> None:
    team = await world.begin()
    for attempt in (1, 2):
        team.die(CODER)
        await seconds(team, 4)
        assert len(team.restarts) == attempt
        team.die(CODER)
        await seconds(team, 3)
        assert state(team, CODER) is AgentState.BACKING_OFF
        assert f"restart {attempt} of 2" in team.life.core.book.agent(CODER).evidence.detail
        await later(team, 290)
        assert len(team.restarts) == attempt
        team.rows[CODER] = replace(team.rows[CODER], dead=False)
        team.become(CODER, team.rows[CODER].pid + 50)
        await later(team, 20)
    team.die(CODER)
    await seconds(team, 4)
    assert len(team.restarts) == 2
    assert state(team, CODER) is AgentState.GIVEN_UP
    (alert,) = team.life.alerts("agent-given-up")
    assert (alert.severity, alert.notify) == (Severity.CRITICAL, True)
    await later(team, 7200)
    assert len(team.restarts) == 2

    team.life.core.wish(RestartRole(CODER))
    await seconds(team, 4)
    assert [restart.by for restart in team.restarts] == [By.RULE, By.RULE, By.PERSON]
    assert team.life.core.book.agent(CODER).keeping is None or team.life.core.book.agent(CODER).keeping.attempts == 0  # type: ignore[union-attr]
    assert team.life.alerts("agent-given-up") == []
    assert [record.attempt for record in team.life.ledger.keeping.restarts(CODER, 9)] == [0, 2, 1]
    team.die(CODER)
    await seconds(team, 4)
    assert team.restarts[-1].by is By.RULE, "the count begins anew"


@pytest.mark.parametrize(
    ("status", "signal", "gone", "light"),
    [
        pytest.param(0, None, False, DIRECTOR, id="ended in good order, with nothing to do"),
        pytest.param(None, None, True, CODER, id="its session was closed by hand"),
    ],
)
async def test_what_a_person_did_is_not_undone(
    world: World, status: int | None, signal: int | None, *, gone: bool, light: Role
) -> None:
    team = await world.begin(text=block(REVIEWER, light))
    team.die(CODER, status, signal, gone=gone)
    await later(team, 60)
    await seconds(team, 5)
    assert team.restarts == []
    assert state(team, CODER) is AgentState.DEAD
    assert len(team.life.alerts("agent-dead")) == 1


async def test_one_that_ended_in_good_order_with_work_to_do_is_restarted(world: World) -> None:
    team = await world.begin(text=block(REVIEWER, CODER))
    team.die(CODER, 0)
    await seconds(team, 4)
    assert len(team.restarts) == 1


@pytest.mark.parametrize("when", [RestartWhen.NEVER, RestartWhen.ON_DEATH])
async def test_the_policy_says_when(world: World, when: RestartWhen) -> None:
    team = await world.begin(restart=RestartPolicy(when=when))
    team.die(CODER)
    await seconds(team, 10)
    assert len(team.restarts) == (0 if when is RestartWhen.NEVER else 1)


async def test_a_dead_pane_that_nobody_ever_saw_alive_is_left_as_it_is(world: World) -> None:
    world.dead = (CODER,)
    team = await world.begin()
    await seconds(team, 10)
    assert state(team, CODER) is AgentState.DEAD
    assert team.restarts == []


async def test_one_that_died_while_teamops_was_away_is_restarted(world: World) -> None:
    team = await world.begin()
    await world.killed(team)
    world.rows[CODER] = replace(world.rows[CODER], dead=True, exit_signal=9)
    team = await world.begin()
    await seconds(team, 4)
    assert len(team.restarts) == 1


@pytest.mark.parametrize("ours", [True, False])
async def test_a_living_process_is_ended_by_rule_only_where_teamops_started_it(world: World, *, ours: bool) -> None:
    """The silent one runs in this test's own process: it lives, and its birth can be looked up."""
    team = await world.begin()
    pid = os.getpid()
    launch = Launch(
        role=CODER,
        session="shop-coder",
        pane_id="%1",
        pid=pid,
        born=born_of(pid) if ours else "another process's",
        client="sdk",
        client_session="",
        wall=START,
        adopted=False,
    )
    team.life.ledger.launches.save(launch)
    team.become(CODER, pid)
    await seconds(team, 2)
    team.beat(CODER, kind=BeatKind.CYCLE_BEGIN)
    await seconds(team, 2)
    await later(team, 130)
    await seconds(team, 3)
    assert len(team.restarts) == (1 if ours else 0)
    assert [alert.code for alert in team.life.alerts("agent-left-alone")] == ([] if ours else ["agent-left-alone"])
    if not ours:
        assert state(team, CODER) is AgentState.SILENT
        team.beat(CODER)
        await seconds(team, 4)
        assert team.life.alerts("agent-left-alone") == []


async def test_one_at_a_time_and_the_next_when_it_is_ready(world: World) -> None:
    team = await world.begin()
    for role in TEAM:
        team.die(role)
    await seconds(team, 8)
    assert len(team.restarts) == 1
    first = team.restarts[0].role
    team.beat(first)
    await seconds(team, 4)
    assert len(team.restarts) == 2, "one that beats is ready"
    await later(team, 12)
    await seconds(team, 3)
    assert len(team.restarts) == 3, "a program without signs of life is, when it has lived for 10 s"
    assert {restart.role for restart in team.restarts} == set(TEAM)
    assert team.most == 1


async def test_the_next_waits_while_a_person_restarts_another(world: World) -> None:
    team = await world.begin()
    team.gate = asyncio.Event()
    team.life.core.wish(RestartRole(DIRECTOR))
    await seconds(team, 1)
    team.die(CODER)
    await seconds(team, 6)
    assert [restart.role for restart in team.restarts] == [DIRECTOR]
    team.gate.set()
    await seconds(team, 1)
    team.beat(DIRECTOR)
    await seconds(team, 4)
    assert [restart.role for restart in team.restarts] == [DIRECTOR, CODER]


async def test_a_restarted_agent_is_told_of_its_light_when_it_is_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await world.begin()
    told: list[Role] = []
    monkeypatch.setattr(team.life.core.announcer, "after_restart", lambda _, role, __: told.append(role), raising=False)
    team.die(CODER)
    await seconds(team, 5)
    assert len(team.restarts) == 1
    assert told == []
    team.beat(CODER)
    await seconds(team, 5)
    assert told == [CODER]


async def test_killed_in_the_middle_it_is_neither_restarted_twice_nor_forgotten(world: World) -> None:
    team = await world.begin()
    team.gate = asyncio.Event()
    team.die(CODER)
    await seconds(team, 4)
    assert len(team.restarts) == 1
    await world.killed(team)  # the old process is gone, and the new one was not begun

    team = await world.begin()
    await seconds(team, 10)
    assert state(team, CODER) is AgentState.BACKING_OFF
    assert team.restarts == [], "restarted twice"
    await later(team, 290)
    await seconds(team, 3)
    assert len(team.restarts) == 1, "forgotten"
    assert team.restarts[0].reason.endswith("2 of 2")
    (new, old) = team.life.ledger.keeping.restarts(CODER, 9)
    assert (new.attempt, old.attempt, old.ok) == (2, 1, False)
    assert "cut off" in old.message


async def test_killed_before_its_agent_was_told_the_next_life_tells_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await world.begin()
    team.die(CODER)
    await seconds(team, 5)
    assert len(team.restarts) == 1
    await world.killed(team)
    team = await world.begin()
    told: list[Role] = []
    monkeypatch.setattr(team.life.core.announcer, "after_restart", lambda _, role, __: told.append(role), raising=False)
    team.beat(CODER)
    await seconds(team, 3)
    assert told == [CODER]
    assert team.restarts == []


async def test_counts_cooldowns_and_give_ups_survive(world: World) -> None:
    team = await world.begin(restart=RestartPolicy(attempts=1))
    team.die(CODER)
    await seconds(team, 4)
    team.die(CODER)
    await seconds(team, 2)
    for _ in range(3):
        await world.killed(team)
        team = await world.begin(restart=RestartPolicy(attempts=1))
        await seconds(team, 3)
        assert state(team, CODER) is AgentState.BACKING_OFF
        assert team.restarts == []
    await later(team, 300)
    assert state(team, CODER) is AgentState.GIVEN_UP
    for _ in range(2):
        await world.killed(team)
        team = await world.begin(restart=RestartPolicy(attempts=1))
        await seconds(team, 3)
        assert state(team, CODER) is AgentState.GIVEN_UP
        assert len(team.life.alerts("agent-given-up")) == 1
        assert team.restarts == []


async def test_a_viewer_shows_the_same(world: World) -> None:
    team = await world.begin()
    team.die(CODER)
    await seconds(team, 4)
    team.die(CODER)
    await seconds(team, 2)
    world.rows, world.pid = team.rows, team.pid
    viewer = await world.begin(acting=False, followed=True)
    await seconds(viewer, 2)
    assert state(viewer, CODER) is AgentState.BACKING_OFF
    assert viewer.restarts == []


async def test_a_persons_restart_in_another_process_clears_what_was_kept(world: World) -> None:
    team = await world.begin(restart=RestartPolicy(attempts=0))
    team.die(CODER)
    await seconds(team, 3)
    assert state(team, CODER) is AgentState.GIVEN_UP
    world.rows, world.pid = team.rows, team.pid
    visitor = await world.begin(acting=False, followed=True)
    visitor.life.core.wish(RestartRole(CODER))
    await seconds(visitor, 3)
    assert len(visitor.restarts) == 1
    team.become(CODER, visitor.rows[CODER].pid)
    await seconds(team, 2)
    assert state(team, CODER) is AgentState.STARTING
    assert team.life.core.book.agent(CODER).keeping is None
    assert CODER in team.life.core.restarter._awaited, "it is told of its light by the one that acts"


async def test_the_rule_waits_while_another_process_restarts_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    team = await world.begin()
    monkeypatch.setattr(team.life.core.memory, "busy_elsewhere", lambda _: True)
    team.die(CODER)
    await seconds(team, 6)
    assert team.restarts == []
    monkeypatch.undo()
    monkeypatch.setattr(core, "PUBLISH_S", 0.0)
    await seconds(team, 2)
    assert len(team.restarts) == 1


async def test_another_living_process_that_acts_is_known_by_the_ledger(world: World) -> None:
    team = await world.begin()
    memory, book = team.life.core.memory, team.life.core.book
    own = team.life.ledger.begin_action(Restart(role=CODER, by=By.PERSON), START)
    assert not memory.busy_elsewhere(book)
    child = await asyncio.create_subprocess_exec("sleep", "60")
    other = open_ledger(world.folder / "state" / "ledger.sqlite3")
    other._connection.execute("UPDATE action SET pid = ? WHERE id = ?", (child.pid, own))
    assert memory.busy_elsewhere(book)
    child.kill()
    await child.wait()
    assert not memory.busy_elsewhere(book)
    other.close()


async def test_what_cannot_be_stored_is_not_done_by_rule(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    team = await world.begin()

    def full(*_: object) -> None:
        raise LedgerError("the disk is full", "free disk space")

    with monkeypatch.context() as broken:
        broken.setattr(team.life.ledger.keeping, "save", full)
        team.die(CODER)
        await seconds(team, 6)
        assert team.restarts == []
    await seconds(team, 3)
    assert len(team.restarts) == 1


async def test_one_that_a_person_stopped_stays_stopped_until_a_person_starts_it(world: World) -> None:
    team = await world.begin()
    team.life.core.wish(StopRole(CODER))
    await seconds(team, 1)
    team.die(CODER, None, 15)
    await seconds(team, 6)
    assert team.restarts == []
    assert state(team, CODER) is AgentState.HELD
    assert team.life.alerts("agent-held") == []
    await world.killed(team)
    team = await world.begin()
    await seconds(team, 6)
    assert state(team, CODER) is AgentState.HELD
    assert team.restarts == []
    team.life.core.wish(RestartRole(CODER))
    await seconds(team, 3)
    assert state(team, CODER) is AgentState.STARTING
    team.die(CODER)
    await seconds(team, 4)
    assert team.restarts[-1].by is By.RULE


async def test_a_stop_from_another_shell_is_expected_as_long_as_its_grace(world: World) -> None:
    team = await world.begin()
    visitor = await world.begin(acting=False, followed=True)
    visitor.gate = asyncio.Event()  # the agent takes its time
    visitor.life.core.wish(StopRole(CODER, 120.0))
    await seconds(visitor, 1)
    team.beat(CODER, interval_s=1.0)
    await seconds(team, 2)
    assert state(team, CODER) is AgentState.SHUTTING_DOWN
    until = team.life.core.book.agent(CODER).shutdown_until
    assert until is not None
    assert 120 <= until - team.life.now <= 131
    await later(team, 110)
    assert state(team, CODER) is AgentState.SHUTTING_DOWN
    for code in ("agent-silent", "agent-zombie", "agent-dead", "agent-held"):
        assert team.life.alerts(code) == []
    await later(team, 40)
    assert state(team, CODER) is not AgentState.SHUTTING_DOWN  # it lives on, and is told of again
    visitor.gate.set()


@pytest.mark.parametrize("stopped", [TEAM, TEAM[1:]], ids=["all were stopped", "one was not"])
async def test_a_tmux_server_that_went_with_the_last_agent_is_an_alert_if_nobody_stopped_it(
    world: World, stopped: tuple[Role, ...]
) -> None:
    team = await world.begin()
    for role in stopped:
        team.life.core.wish(StopRole(role))
    await seconds(team, 1)
    team.life.core.emit(PanesSeen(team.life.clock.stamp(), (), server_up=False))
    await seconds(team, 6)
    assert bool(team.life.alerts("tmux-down")) == (stopped != TEAM)


@pytest.mark.parametrize(("after_s", "told"), [(1, "tmux-down"), (20, "agent-dead")])
async def test_a_tmux_server_that_answers_without_sessions_before_it_goes_went_with_its_agents(
    world: World, after_s: int, told: str
) -> None:
    team = await world.begin()
    team.life.core.emit(PanesSeen(team.life.clock.stamp(), (), server_up=True))
    await seconds(team, after_s)
    team.life.core.emit(PanesSeen(team.life.clock.stamp(), (), server_up=False))
    await seconds(team, 6)
    both = {code for code in ("tmux-down", "agent-dead") if team.life.alerts(code)}
    assert both == {told}


async def test_an_agent_that_says_it_shuts_down_is_silent_until_its_deadline(world: World) -> None:
    team = await world.begin(limits=Limits(beat_interval_s=5.0))
    team.beat(CODER, interval_s=1.0)
    team.beat(CODER, kind=BeatKind.SHUTDOWN, grace_s=60.0)
    await seconds(team, 1)
    await later(team, 50)
    assert state(team, CODER) is AgentState.SHUTTING_DOWN
    assert team.life.alerts("agent-silent") == []
    await later(team, 30)
    assert team.life.alerts("agent-silent") != []


async def test_a_stop_that_was_refused_holds_nothing(world: World) -> None:
    team = await world.begin()
    team.answer = Outcome(ok=False, message="teamops did not start it")
    team.life.core.wish(StopRole(CODER))
    await seconds(team, 2)
    assert team.life.core.book.agent(CODER).keeping is None
    team.die(CODER)
    await seconds(team, 4)
    assert len(team.restarts) == 1


async def test_a_refused_account_is_held_and_told(world: World) -> None:
    team = await world.begin(client="claude")
    pid = team.rows[CODER].pid
    team.life.core.emit(ScreenSeen(team.life.clock.stamp(), CODER, pid, Screen.FAILED, auth=True))
    await seconds(team, 3)
    assert state(team, CODER) is AgentState.HELD
    (alert,) = team.life.alerts("agent-held")
    assert alert.notify
    team.die(CODER)
    await later(team, 400)
    assert team.restarts == []
    keeping = team.life.core.book.agent(CODER).keeping
    assert keeping is not None
    assert keeping.held is Hold.AUTH


async def test_nothing_is_restarted_where_teamops_only_watches(world: World) -> None:
    team = await world.begin()
    object.__setattr__(team.life.settings, "source", None)
    team.die(CODER)
    await seconds(team, 10)
    assert team.restarts == []


async def test_no_false_restart_in_500_suspends(  # noqa: C901 - one story
    world: World,
) -> None:
    """The figure. Three bots work and beat each minute; the machine sleeps, teamops is stopped, the clock jumps."""
    team = await world.begin(limits=Limits(zombie_s=90.0))
    life, dice = team.life, random.Random(4)  # noqa: S311 - a test's dice
    own = os.getpid()
    for role in TEAM:
        launch = Launch(
            role=role,
            session="",
            pane_id="%1",
            pid=own,
            born=born_of(own),
            client="sdk",
            client_session="",
            wall=START,
            adopted=False,
        )
        life.ledger.launches.save(launch)
        team.become(role, own)
    observed, wall = life.now, life.wall
    life.clock = Clock(lambda: observed, lambda: wall)
    life.core._clock = life.clock

    async def second() -> None:
        nonlocal observed, wall
        observed, wall = observed + 1.0, wall + 1.0
        stamp = life.clock.stamp()
        life.core.emit(Ticked(stamp, life.clock.take_gap()))
        await life.core.next_round()

    def beat(role: Role) -> None:
        life.wall = wall
        team.beat(role, kind=BeatKind.CYCLE_BEGIN, tokens=5)

    for count in range(500):
        for role in TEAM:
            beat(role)
        for _ in range(dice.randint(1, 4)):
            await second()
        length = dice.choice((5.0, 61.0, 130.0, 1000.0, 40_000.0))
        match count % 4:
            case 0:  # suspended: only the wall clock goes on
                wall += length
            case 1:  # stopped, and gone on: both do
                observed, wall = observed + length, wall + length
            case 2:  # the wall clock is set
                wall += dice.choice((-1, 1)) * length
            case 3:  # suspended twice in a moment
                observed, wall = observed + length, wall + length
                await second()
                observed, wall = observed + length, wall + length
        for _ in range(dice.randint(2, 5)):  # the agents need a moment to come back
            await second()
    assert team.restarts == []
    assert all(life.core.book.agent(role).keeping is None for role in TEAM)

    for _ in range(4):  # and it is no rule that sleeps
        observed, wall = observed + 2.5, wall + 2.5
        await second()
    for _ in range(130):
        await second()
    await life.until(lambda: len(team.restarts) > 0, "a bot that is silent indeed is restarted")


async def test_who_works_after_its_restart_is_not_told_of_its_light_by_the_next_life(world: World) -> None:
    team = await world.begin()
    team.die(CODER)
    await seconds(team, 5)
    assert len(team.restarts) == 1
    team.beat(CODER, tokens=9)
    await seconds(team, 5)
    assert state(team, CODER) is AgentState.WORKING
    assert not any(isinstance(action, Poke) for action in team.done), "nor in this one"
    await world.killed(team)

    team = await world.begin()
    await seconds(team, 20)
    assert state(team, CODER) is AgentState.IDLE, "its beats were not read again"
    assert not any(isinstance(action, Poke) for action in team.done)


async def test_a_light_that_was_worked_on_before_teamops_ended_is_no_older_for_that(world: World) -> None:
    limits, never = Limits(waiting_s=20.0, stale_s=40.0), RestartPolicy(when=RestartWhen.NEVER)
    team = await world.begin(limits=limits, restart=never)
    await later(team, 60)
    team.beat(CODER, tokens=9)
    await seconds(team, 2)
    assert not team.life.alerts("handoff-stale")
    team.die(CODER)
    await seconds(team, 2)
    await world.killed(team)

    world.dead = (CODER,)
    team = await world.begin(limits=limits, restart=never)
    await seconds(team, 5)
    assert state(team, CODER) is AgentState.DEAD
    assert not team.life.alerts("handoff-stale"), "it has shown work some seconds ago"
    await later(team, 40)
    (alert,) = team.life.alerts("handoff-stale")
    assert "has shown no sign of work" in alert.message
