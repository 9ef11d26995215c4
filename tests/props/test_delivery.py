"""Whatever an agent shows, and however often teamops itself ends in between: pokes keep their rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace

from teamops.domain import delivery as step
from teamops.domain import telling
from teamops.domain.delivery import Sign, Way
from teamops.domain.limits import Limits
from teamops.domain.telling import AT_REST, Holder, Move
from teamops.model.actions import By
from teamops.model.agent import AgentState
from teamops.model.agent_report import Delivery, DeliveryStage
from teamops.model.clock import Stamp
from teamops.model.role import CODER

EXAMPLES, STEPS = 500, 60
LIMITS = Limits(waiting_s=30.0, pokes_per_light=3)
LIGHTS = ("light a#1", "light b#2")
D, R, T, A, W, U = (
    DeliveryStage.DECIDED,
    DeliveryStage.REFUSED,
    DeliveryStage.TYPED,
    DeliveryStage.ACCEPTED,
    DeliveryStage.WORKING,
    DeliveryStage.UNPROVEN,
)
LEGAL = {
    D: {D, R, T, A},
    T: {T, A, U, W},
    A: {A, W},
    U: {U, A, W},
    R: {R, A},
    W: {W},
}
"""Where a line may come to in one step; from refused only what was half typed, by a proof that names it."""
SPACES = st.floats(0.5, 8.0)


@dataclass
class Line:
    """One line, with all stages it went through."""

    way: Way
    stored: Delivery
    seen: list[DeliveryStage] = field(default_factory=list)


class Pokes(RuleBasedStateMachine):
    """One agent, two lights, lives of teamops that are cut off at any moment."""

    rounds: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.now, self.wall = 100.0, 1_775_000_000.0
        self.state = AgentState.IDLE
        self.worked: float | None = None
        self.lines: list[Line] = []
        self.begun: dict[str, int] = dict.fromkeys(LIGHTS, 0)
        """Lines that were begun and not purely refused, by light."""
        self.again = False
        self.refusal = ""

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.now, self.wall)

    def keep(self, line: Line, way: Way) -> None:
        line.way = way
        stage = way.delivery.stage
        if line.seen[-1] is not stage:
            self.rounds[f"{line.seen[-1]} → {stage}"] += 1
        line.seen.append(stage)
        line.stored = way.delivery

    def about(self, light: str) -> list[Line]:
        return [line for line in self.lines if line.way.delivery.light == light]

    def open(self) -> list[Line]:
        return [line for line in self.lines if line.way.pending]

    # what the rule does

    @rule(light=st.sampled_from(LIGHTS))
    def ask_in_vain(self, light: str) -> None:
        self.ask(light, able=False)

    def ask(self, light: str, *, able: bool) -> None:
        ways = [line.way for line in self.about(light)]
        told = [line.way.since for line in self.lines if line.way.was_typed]
        heard = [100.0, *told] if self.worked is None else [100.0, *told, self.worked]
        holder = Holder(state=self.state, able=able, free=not self.open(), heard=max(heard), again=self.again)
        move = telling.next_move(ways, holder, self.now, LIMITS, None)
        if move is None:
            return
        self.rounds[move] += 1
        assert able
        assert self.state in AT_REST
        assert not self.open(), "never two on their way"
        assert telling.lines_typed(ways) < LIMITS.pokes_per_light
        if move is Move.REMIND:
            assert self.now - max(heard) >= LIMITS.waiting_s
            assert not any(telling.reminds(way.delivery) and way.was_typed for way in ways)
        self.again = False
        self.begin(light, telling.REMINDER + "go" if move is Move.REMIND else "go", By.RULE)

    @rule()
    def person_pokes(self) -> None:
        self.begin("", "how is it", By.PERSON)

    def begin(self, light: str, text: str, by: By) -> None:
        for line in self.lines:
            if by is By.RULE and line.way.delivery.by is By.RULE:
                self.keep(line, step.ended(line.way))
        row = Delivery(
            action_id=len(self.lines), role=CODER, text=text, by=by, light=light, attempt=1, decided_wall=self.wall
        )
        way = Way(
            delivery=row,
            line=text,
            begun=self.now,
            since=self.now,
            busy=self.state is AgentState.WORKING,
        )
        self.lines.append(Line(way, row, [row.stage]))

    # how typing ends

    @precondition(lambda self: any(line.way.delivery.stage is D for line in self.lines))
    @rule(ok=st.sampled_from([True, True, True, False]), touched=st.booleans())
    def typing_ends(self, ok: bool, touched: bool) -> None:
        for line in self.lines:
            if line.way.delivery.stage is D:
                stamp = self.stamp
                way = step.typed(line.way, stamp) if ok else step.refused(line.way, "no", stamp, touched=touched)
                self.keep(line, way)

    # what the agent shows

    @rule(state=st.sampled_from([*[AgentState.IDLE] * 4, AgentState.WORKING, AgentState.WAITING, AgentState.HELD]))
    def turns(self, state: AgentState) -> None:
        self.state = state

    @rule(text=st.sampled_from(["go", "Reminder: go", "how is it", "x"]), named=st.booleans(), sure=st.booleans())
    def shows(self, text: str, named: bool, sure: bool) -> None:
        sign = Sign(self.now, "sign", text if named else None, sure)
        for line in self.lines:
            before = line.way
            if step.proven_by(before, sign):
                assert named or sure or not before.busy
                self.keep(line, step.accepted(before, sign, self.stamp))
                if named:
                    return

    @rule()
    def works(self) -> None:
        self.worked = self.now

    # time

    @rule(rounds=st.integers(1, 12), seconds=SPACES)
    def goes_by(self, rounds: int, seconds: float) -> None:
        for _ in range(rounds):
            self.a_round(seconds)
            for light in LIGHTS:
                self.ask(light, able=True)

    def a_round(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds
        for line in self.lines:
            if not line.way.delivery.over:
                before = line.way
                way = step.working(before, self.worked, self.stamp)
                way = step.waited(way, self.now, LIMITS.accept_s, busy=self.state is AgentState.WORKING)
                self.keep(line, way)
                if way.delivery.stage is U and before.delivery.stage is T:
                    assert self.now - before.since >= LIMITS.accept_s
                    assert self.state is not AgentState.WORKING

    @rule(seconds=st.floats(1.0, 90_000.0))
    def sleeps(self, seconds: float) -> None:
        """Suspend: the wall clock goes on, the observed one stands still."""
        self.wall += seconds
        waiting = self.open()
        for line in waiting:
            if self.now - line.way.since < LIMITS.accept_s:
                assert step.waited(line.way, self.now, LIMITS.accept_s, busy=False).pending, "nothing came nearer"

    @rule(seconds=st.floats(0.0, 1000.0))
    def is_killed(self, seconds: float) -> None:
        """Only what was stored is there in the next life; proofs are waited for anew."""
        self.wall += seconds
        for line in self.lines:
            row = line.stored
            accepted = None if row.accepted_wall is None else self.now
            line.way = Way(delivery=row, line=row.text, begun=line.way.begun, since=self.now, accepted=accepted)

    @rule()
    def is_restarted(self) -> None:
        self.again = True
        for line in self.lines:
            self.keep(line, step.ended(line.way))

    # what holds

    @invariant()
    def only_legal_steps(self) -> None:
        for line in self.lines:
            for before, after in zip(line.seen, line.seen[1:], strict=False):
                assert after in LEGAL[before], (before, after)

    @invariant()
    def never_more_lines_than_the_limit(self) -> None:
        for light in LIGHTS:
            about = self.about(light)
            assert telling.lines_typed(line.way for line in about) <= LIMITS.pokes_per_light
            reminders = [line for line in about if telling.reminds(line.way.delivery) and line.way.was_typed]
            assert len(reminders) <= 1

    @invariant()
    def never_two_on_their_way_by_rule(self) -> None:
        assert sum(line.way.delivery.by is By.RULE for line in self.open()) <= 1

    @invariant()
    def times_are_in_order(self) -> None:
        for line in self.lines:
            row = line.way.delivery
            assert row.working_wall is None or row.accepted_wall is not None, "working never before accepted"
            walls = [row.decided_wall, row.typed_wall, row.accepted_wall, row.working_wall]
            known = [wall for wall in walls if wall is not None]
            assert known == sorted(known)
            assert bool(row.proof) == (row.accepted_wall is not None)

    @invariant()
    def who_is_given_up_gets_no_more(self) -> None:
        for light in LIGHTS:
            ways = [line.way for line in self.about(light)]
            holder = replace(Holder(state=AgentState.IDLE), heard=0.0)
            if telling.given_up(ways, LIMITS):
                assert telling.next_move(ways, holder, 1e9, LIMITS, None) is None


def test_pokes_keep_their_rules() -> None:
    Pokes.rounds.clear()
    run_state_machine_as_test(
        Pokes,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
    wanted = {*Move, "decided → typed", "typed → accepted", "accepted → working", "typed → unproven"}
    assert wanted <= set(Pokes.rounds), Pokes.rounds
