"""Whatever happens to a team, and however often teamops itself ends in between: the restart policy is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from teamops.domain import restart
from teamops.domain.limits import RestartPolicy, RestartWhen
from teamops.domain.restart import Hold, Keeping
from teamops.domain.restart_step import (
    READY_S,
    WINDOW_S,
    GiveUp,
    HoldBack,
    LetGo,
    Reading,
    Reset,
    Restart,
    Slot,
    step,
)
from teamops.model.agent import AgentState
from teamops.model.clock import Stamp
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role

TEAM = (DIRECTOR, CODER, REVIEWER)
EXAMPLES, STEPS = 500, 60

LEGAL = {
    "well": {"well", "trying", "held", "given up"},
    "trying": {"trying", "well", "held", "given up"},
    "held": {"held", "well"},
    "given up": {"given up", "well", "held"},
}
"""Where a round of the clock may lead; a person may lead anywhere."""


def phase(keeping: Keeping) -> str:
    if keeping.held is not None:
        return "held"
    return "given up" if keeping.given_up is not None else "trying" if keeping.attempts else "well"


@dataclass
class Agent:
    """One agent, as the world has it and as teamops keeps it."""

    keeping: Keeping = field(default_factory=Keeping)
    state: AgentState = AgentState.IDLE
    ours: bool = True
    worked: float | None = None
    born: float | None = None
    sign: str = ""
    spared: str = ""
    kept: restart.Kept = field(default_factory=restart.Kept)
    """As it was last stored."""
    walls: list[float] = field(default_factory=list)
    """Its restarts by rule, as the ledger dates them."""
    restarts: list[float] = field(default_factory=list)
    """The same, in time as it really went by."""
    streak: list[float] = field(default_factory=list)
    """Of these, those since a person acted, or the count began anew."""


class Team(RuleBasedStateMachine):
    """Three agents, one slot, one clock that is observed and one on the wall that jumps."""

    rounds: ClassVar[int] = 0
    moves: ClassVar[set[type]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.now, self.wall, self.true = 1000.0, 1_775_000_000.0, 0.0
        self.agents = {role: Agent() for role in TEAM}
        self.slot = Slot()
        self.policy = RestartPolicy()

    @initialize(
        attempts=st.integers(0, 3),
        when=st.sampled_from(RestartWhen),
        cooldown=st.sampled_from((1.0, 60.0, 300.0)),
        reset=st.sampled_from((60.0, 600.0)),
    )
    def configure(self, attempts: int, when: RestartWhen, cooldown: float, reset: float) -> None:
        self.policy = RestartPolicy(when=when, attempts=attempts, cooldown_s=cooldown, reset_s=reset)

    # the world

    @rule(role=st.sampled_from(TEAM), state=st.sampled_from(AgentState), ours=st.booleans())
    def changes(self, role: Role, state: AgentState, ours: bool) -> None:
        agent = self.agents[role]
        agent.state, agent.ours = state, ours

    @rule()
    def all_fall_ill(self) -> None:
        for agent in self.agents.values():
            agent.state, agent.ours, agent.spared, agent.sign = AgentState.DEAD, True, "", ""

    @rule(role=st.sampled_from(TEAM), seconds=st.integers(1, 1500))
    def works(self, role: Role, seconds: int) -> None:
        agent = self.agents[role]
        agent.state = AgentState.WORKING
        for _ in range(seconds // 50):
            self.go_on(50.0)
            agent.worked = self.now
            self.round()

    @rule(
        role=st.sampled_from(TEAM), times=st.integers(1, 6), lives=st.sampled_from((0, 1, 2, 13)), reloads=st.booleans()
    )
    def dies_again_and_again(self, role: Role, times: int, lives: int, reloads: bool) -> None:
        """It works for ``lives`` times 50 s, and ends; teamops, where it ``reloads``, too."""
        agent = self.agents[role]
        for _ in range(times):
            agent.state, agent.spared, agent.sign = AgentState.DEAD, "", ""
            for _ in range(3):
                self.go_on(1.0)
                self.round()
            self.slot = Slot()
            if reloads:
                self.teamops_ends_and_begins()
            if agent.state is AgentState.STARTING:
                self.works(role, 50 * lives)
            else:
                self.go_on(self.policy.cooldown_s)

    @rule(role=st.sampled_from(TEAM), sign=st.sampled_from(("", "", "401 Invalid API key")))
    def shows(self, role: Role, sign: str) -> None:
        self.agents[role].sign = sign

    @rule(role=st.sampled_from(TEAM), spared=st.sampled_from(("", "", "closed by hand")))
    def ends(self, role: Role, spared: str) -> None:
        self.agents[role].state, self.agents[role].spared = AgentState.DEAD, spared

    @rule(role=st.sampled_from(TEAM))
    def is_begun_in_tmux_by_hand(self, role: Role) -> None:
        agent = self.agents[role]
        self.go_on(1.0)
        agent.state, agent.born, agent.ours = AgentState.STARTING, self.now, False

    # time

    @rule(seconds=st.sampled_from((1.0, 5.0, 59.0, 61.0, 299.0, 301.0, 1200.0, 3600.0)), rounds=st.integers(1, 4))
    def goes_on(self, seconds: float, rounds: int) -> None:
        self.go_on(seconds)
        for _ in range(rounds):
            self.go_on(1.0)
            self.round()

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds
        self.true += seconds

    @rule(seconds=st.sampled_from((10.0, 290.0, 3000.0, 1e6)))
    def sleeps(self, seconds: float) -> None:
        """The machine is suspended."""
        self.wall += seconds
        self.true += seconds

    @rule(seconds=st.floats(-1e6, 0.0))
    def the_wall_clock_is_set_back(self, seconds: float) -> None:
        self.wall += seconds

    @rule()
    def teamops_ends_and_begins(self) -> None:
        """What was not stored is forgotten; observed seconds begin anywhere."""
        self.now += 7.0
        stamp = Stamp(self.now, self.wall)
        for agent in self.agents.values():
            recent = [wall for wall in agent.walls if wall >= stamp.wall - WINDOW_S]
            again = restart.from_kept(agent.kept, recent, stamp, self.policy)
            same = ("attempts", "held", "held_why", "why")
            assert [getattr(again, name) for name in same] == [getattr(agent.keeping, name) for name in same]
            assert (again.given_up is None) == (agent.keeping.given_up is None)
            if again.until is not None:
                assert again.until <= self.now + self.policy.cooldown_s
            agent.keeping = again
            agent.born = None
        self.slot = Slot()

    # a person

    @rule(role=st.sampled_from(TEAM))
    def a_person_restarts(self, role: Role) -> None:
        agent = self.agents[role]
        agent.keeping, agent.streak = restart.cleared(agent.keeping), []
        self.store(agent)
        agent.state, agent.born, agent.ours = AgentState.STARTING, self.now, True

    @rule(role=st.sampled_from(TEAM))
    def a_person_stops(self, role: Role) -> None:
        agent = self.agents[role]
        agent.keeping = restart.held(agent.keeping, Hold.HUMAN, "stopped by a person", self.now)
        agent.state, agent.streak = AgentState.DEAD, []
        self.store(agent)

    def store(self, agent: Agent) -> None:
        """Store it as teamops does: with each change of what outlives it."""
        agent.kept = restart.to_keep(agent.keeping, Stamp(self.now, self.wall))

    # the rule

    @rule(ready=st.booleans())
    def the_restarted_one_is_ready(self, ready: bool) -> None:
        if self.slot.role is not None and self.slot.ready_by is None:
            self.slot = Slot() if ready else replace(self.slot, ready_by=self.now + READY_S)

    def round(self) -> None:
        """One round of the clock that counts."""
        type(self).rounds += 1
        for role, agent in self.agents.items():
            reading = Reading(
                state=agent.state,
                cause=agent.state.value,
                spared=agent.spared,
                alive=agent.state not in {AgentState.DEAD, AgentState.UNKNOWN},
                may_end=agent.ours,
                worked=agent.worked,
                born=agent.born,
                sign=agent.sign,
                free=self.slot.free(self.now),
            )
            before = agent.keeping
            agent.keeping, move = step(before, reading, self.now, self.policy)
            type(self).moves.add(type(move))
            if move is not None:
                self.store(agent)
            self.check(role, before, reading, move)

    def check(self, role: Role, before: Keeping, reading: Reading, move: object) -> None:
        agent = self.agents[role]
        assert phase(agent.keeping) in LEGAL[phase(before)], (before, agent.keeping)
        match move:
            case Restart(attempt):
                assert phase(before) in {"well", "trying"}
                assert attempt == before.attempts + 1 <= self.policy.attempts
                assert self.policy.when is not RestartWhen.NEVER
                assert reading.state is AgentState.DEAD or self.policy.when is RestartWhen.ON_UNHEALTHY
                assert reading.state in restart.UNWELL
                assert not reading.spared
                assert not reading.sign
                assert not reading.alive or reading.may_end, "killed what it did not start"
                assert self.slot.free(self.now), "two at once"
                assert before.unwell + 1 >= 2, "unwell for one round only"
                if agent.streak:
                    assert self.true - agent.streak[-1] >= self.policy.cooldown_s - 1e-3
                agent.restarts.append(self.true)
                agent.streak.append(self.true)
                agent.walls.append(self.wall)
                agent.state, agent.born, agent.ours = AgentState.STARTING, self.now, True
                self.slot = Slot(role)
            case GiveUp():
                assert before.attempts >= self.policy.attempts or len(before.recent) > self.policy.attempts
                assert agent.keeping.given_up == self.now
            case HoldBack():
                assert agent.keeping.held is Hold.AUTH
            case LetGo():
                assert phase(before) in {"held", "given up"}
                assert reading.alive, "let go of an agent that nobody has set going"
                agent.streak = []
            case Reset():
                assert phase(before) == "trying"
                assert self.true - agent.streak[-1] >= self.policy.reset_s, "the count began anew without enough work"
                agent.streak = []
            case None:
                assert agent.keeping.attempts == before.attempts
                assert agent.keeping.held is before.held

    @invariant()
    def never_more_than_the_budget_in_any_window(self) -> None:
        for agent in self.agents.values():
            for first, last in zip(agent.restarts, agent.restarts[self.policy.attempts + 1 :], strict=False):
                assert last - first >= WINDOW_S - 1e-3, agent.restarts
            assert len(agent.streak) <= self.policy.attempts

    @invariant()
    def what_is_shown_has_its_words(self) -> None:
        for agent in self.agents.values():
            assert bool(restart.words(agent.keeping, Stamp(self.now, self.wall))) == (phase(agent.keeping) != "well")


def test_the_policy_is_kept_whatever_happens() -> None:
    Team.rounds, Team.moves = 0, set()
    run_state_machine_as_test(
        Team,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert Team.rounds >= 10_000
    assert {Restart, GiveUp, HoldBack, LetGo, Reset} <= Team.moves
