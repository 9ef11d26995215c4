"""The stages of one line, and what is typed about a light: tables."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from teamops.domain import delivery as step
from teamops.domain import telling
from teamops.domain.alert_rules import pages
from teamops.domain.delivery import Sign, Way
from teamops.domain.light import Light
from teamops.domain.limits import Limits
from teamops.domain.telling import REMINDER, Holder, InVain, Move
from teamops.model.actions import By
from teamops.model.agent import AgentState
from teamops.model.agent_report import Delivery, DeliveryStage
from teamops.model.clock import Stamp
from teamops.model.handoff import Stage
from teamops.model.role import CODER

WALL = 1_775_000_000.0
LIMITS = Limits()


def at(now: float) -> Stamp:
    return Stamp(now, WALL + now)


def way(text: str = "do it", *, busy: bool = False, decided: float = 100.0) -> Way:
    row = Delivery(
        action_id=1, role=CODER, text=text, by=By.RULE, light="light a#1", attempt=1, decided_wall=WALL + decided
    )
    return Way(delivery=row, line=text, begun=decided, since=decided, busy=busy, pid=7)


TYPED = step.typed(way(), at(101))
ACCEPTED = step.accepted(TYPED, Sign(102, "status busy"), at(102))
UNPROVEN = step.waited(TYPED, 111, 10.0, busy=False)
REFUSED = step.refused(way(), "a dialog is open", at(101), touched=False)
HALF = step.refused(way(), "typed but not submitted", at(101), touched=True)
WORKING = step.working(ACCEPTED, 103, at(103))


def test_each_stage_has_its_time() -> None:
    assert [one.delivery.stage for one in (way(), TYPED, ACCEPTED, WORKING, UNPROVEN, REFUSED, HALF)] == [
        DeliveryStage.DECIDED,
        DeliveryStage.TYPED,
        DeliveryStage.ACCEPTED,
        DeliveryStage.WORKING,
        DeliveryStage.UNPROVEN,
        DeliveryStage.REFUSED,
        DeliveryStage.REFUSED,
    ]
    row = WORKING.delivery
    assert (row.typed_wall, row.accepted_wall, row.working_wall) == (WALL + 101, WALL + 102, WALL + 103)
    assert row.over


def test_a_step_is_taken_once() -> None:
    assert step.typed(TYPED, at(105)) is TYPED
    assert step.typed(REFUSED, at(105)) is REFUSED
    assert step.refused(ACCEPTED, "no", at(105), touched=True) is ACCEPTED
    assert step.refused(REFUSED, "no", at(105), touched=True) is REFUSED
    assert step.refused(way(), "", at(105), touched=False).delivery.refused == "refused"
    assert step.accepted(ACCEPTED, Sign(103, "x"), at(103)) is ACCEPTED
    assert step.working(WORKING, 109, at(109)) is WORKING
    assert step.ended(UNPROVEN) is UNPROVEN


def test_working_comes_after_accepted_alone() -> None:
    assert step.working(TYPED, 105, at(105)) is TYPED
    assert step.working(ACCEPTED, None, at(105)) is ACCEPTED
    assert step.working(ACCEPTED, 102, at(105)) is ACCEPTED, "the sign that proved it is no work of its own"
    lost = replace(ACCEPTED, delivery=replace(ACCEPTED.delivery, accepted_wall=None))
    assert step.working(lost, 109, at(109)) is lost


NAMED = Sign(104, "hook", "please  do it\nnow")
SIGNS: dict[str, tuple[Way, Sign, bool]] = {
    "of one at rest": (TYPED, Sign(104, "grew"), True),
    "from before": (TYPED, Sign(99.9, "grew"), False),
    "of one that was busy": (step.typed(way(busy=True), at(101)), Sign(104, "grew"), False),
    "sure, of one that was busy": (step.typed(way(busy=True), at(101)), Sign(104, "beat", sure=True), True),
    "naming it, of one that was busy": (step.typed(way(busy=True), at(101)), NAMED, True),
    "naming it, before the outcome": (way(), NAMED, True),
    "naming it, a moment before by its own clock": (TYPED, Sign(99.6, "hook", "do it"), True),
    "naming it, long before": (TYPED, Sign(98, "hook", "do it"), False),
    "naming another": (TYPED, Sign(104, "hook", "do that"), False),
    "naming it, too late": (UNPROVEN, NAMED, True),
    "too late": (UNPROVEN, Sign(112, "grew"), False),
    "naming what was half typed": (HALF, NAMED, True),
    "naming what was never typed": (REFUSED, NAMED, False),
}


@pytest.mark.parametrize("case", SIGNS)
def test_what_proves_that_it_was_taken(case: str) -> None:
    before, sign, proven = SIGNS[case]
    after = step.accepted(before, sign, at(sign.at))
    assert (after.delivery.stage is DeliveryStage.ACCEPTED) == proven
    assert (after is not before) == proven
    if proven:
        assert after.delivery.typed_wall is not None
        assert after.delivery.accepted_wall is not None
        assert after.delivery.typed_wall <= after.delivery.accepted_wall
        assert (after.delivery.proof, after.delivery.refused) == (sign.proof, "")


def test_time_goes_by_only_while_it_rests() -> None:
    assert step.waited(TYPED, 110.9, 10.0, busy=False) is TYPED
    later = step.waited(TYPED, 110.9, 10.0, busy=True)
    assert step.waited(later, 120, 10.0, busy=False).pending
    assert not step.waited(later, 121, 10.0, busy=False).pending
    queued = step.typed(way(busy=True), at(101))
    assert step.waited(queued, 200, 10.0, busy=True).busy
    assert not step.waited(queued, 200, 10.0, busy=False).busy


def test_one_that_was_taken_is_followed_for_a_while() -> None:
    assert step.waited(ACCEPTED, 102 + step.REST_S - 1, 10.0, busy=False) is ACCEPTED
    over = step.waited(ACCEPTED, 102 + step.REST_S, 10.0, busy=False)
    assert over.delivery.over
    assert over.delivery.stage is DeliveryStage.ACCEPTED
    assert step.waited(over, 999, 10.0, busy=False) is over


def test_what_two_processes_know_is_joined() -> None:
    both = step.joined(TYPED, ACCEPTED.delivery, 102.0)
    assert (both.delivery.stage, both.accepted) == (DeliveryStage.ACCEPTED, 102.0)
    assert step.joined(ACCEPTED, TYPED.delivery, None) == ACCEPTED
    assert step.joined(WORKING, UNPROVEN.delivery, None) == WORKING
    assert step.joined(HALF, ACCEPTED.delivery, 102.0).delivery.stage is DeliveryStage.ACCEPTED
    assert step.joined(TYPED, HALF.delivery, None).delivery.stage is DeliveryStage.REFUSED


@pytest.mark.parametrize(
    ("client", "interval", "wanted"), [("claude", 60.0, 10.0), ("sdk", None, 70.0), ("sdk", 5.0, 15.0)]
)
def test_how_long_a_proof_is_waited_for(client: str, interval: float | None, wanted: float) -> None:
    assert step.patience_s(client, interval, LIMITS) == wanted


# about a light

REST = Holder(state=AgentState.IDLE, heard=100.0)
LATE = 100.0 + LIMITS.waiting_s
REMINDED = step.accepted(step.typed(way(f"{REMINDER}do it"), at(101)), Sign(102, "x"), at(102))
LOST_REMINDER = step.waited(step.typed(way(f"{REMINDER}do it"), at(101)), 120, 10.0, busy=False)
MOVES: dict[str, tuple[list[Way], Holder, float, Move | None]] = {
    "nothing typed so far": ([], REST, 101, Move.TELL),
    "refused": ([REFUSED], REST, 101, Move.TELL),
    "unproven": ([UNPROVEN], REST, 120, Move.RETRY),
    "half typed": ([HALF], REST, 120, Move.RETRY),
    "unproven, then refused": ([UNPROVEN, REFUSED], REST, 120, Move.RETRY),
    "cut off": ([step.ended(way())], REST, 120, Move.RETRY),
    "taken": ([ACCEPTED], REST, 120, None),
    "taken, no answer": ([ACCEPTED], REST, LATE, Move.REMIND),
    "worked, no more": ([WORKING], REST, LATE, Move.REMIND),
    "unproven, then taken, no answer": ([UNPROVEN, ACCEPTED], REST, LATE, Move.REMIND),
    "taken, reminder refused": ([ACCEPTED, REFUSED], REST, LATE, Move.REMIND),
    "reminded": ([ACCEPTED, REMINDED], REST, 9 * LATE, None),
    "reminded in vain": ([ACCEPTED, LOST_REMINDER], REST, 9 * LATE, None),
    "restarted": ([ACCEPTED], replace(REST, again=True), 120, Move.TELL),
    "restarted, reminded": ([ACCEPTED, REMINDED], replace(REST, again=True), 120, Move.TELL),
    "restarted, and works by itself": ([UNPROVEN], replace(REST, resumed=True), 120, None),
    "restarted, has worked, no more": ([UNPROVEN], replace(REST, resumed=True), LATE, Move.REMIND),
    "at the limit": ([UNPROVEN] * 3, REST, 120, None),
    "refusals don't count": ([REFUSED] * 9, REST, 120, Move.TELL),
    "restarted at the limit": ([ACCEPTED] * 3, replace(REST, again=True), 120, None),
    "one on its way": ([UNPROVEN], replace(REST, free=False), 120, None),
    "it can't": ([UNPROVEN], replace(REST, able=False), 120, None),
}


@pytest.mark.parametrize("case", MOVES)
def test_what_is_typed_next(case: str) -> None:
    ways, holder, now, wanted = MOVES[case]
    assert telling.next_move(ways, holder, now, LIMITS, None) is wanted


@pytest.mark.parametrize("state", sorted(set(AgentState) - telling.AT_REST))
def test_nothing_is_typed_to_one_that_is_not_at_rest(state: AgentState) -> None:
    for ways, holder, _, _ in MOVES.values():
        assert telling.next_move(ways, replace(holder, state=state), 9 * LATE, LIMITS, None) is None


def test_the_reminder_keeps_its_tiers_limit() -> None:
    limits = Limits(waiting_by_tier={3: 30.0})
    assert telling.next_move([ACCEPTED], REST, 131, limits, 3) is Move.REMIND
    assert telling.next_move([ACCEPTED], REST, 131, limits, 2) is None


@pytest.mark.parametrize(
    ("ways", "wanted"),
    [
        ([], False),
        ([REFUSED], False),
        ([UNPROVEN] * 2, False),
        ([UNPROVEN] * 3, True),
        ([UNPROVEN] * 3 + [REFUSED], True),
        ([UNPROVEN] * 2 + [TYPED], False),
        ([UNPROVEN] * 2 + [ACCEPTED], False),
        ([ACCEPTED, LOST_REMINDER], True),
        ([ACCEPTED] * 2 + [UNPROVEN], True),
        ([UNPROVEN] * 2 + [ACCEPTED, REFUSED], False),
    ],
)
def test_when_it_is_given_up(ways: list[Way], wanted: bool) -> None:
    assert telling.given_up(ways, LIMITS) is wanted
    assert telling.given_up(ways, LIMITS, began=100.0) is wanted
    assert telling.given_up(ways, LIMITS, began=100.1) is False, "they were typed for a process that is gone"


def test_only_what_the_process_that_runs_did_not_take_was_typed_in_vain() -> None:
    old, new = UNPROVEN, replace(UNPROVEN, begun=200.0)
    assert telling.in_vain([old, REFUSED, new], None) == InVain((old, new))
    assert telling.in_vain([old, ACCEPTED, REFUSED, new], None) == InVain((new,), taken=True)
    assert telling.in_vain([old, ACCEPTED, new], 150.0) == InVain((new,)), "another one took that"
    assert telling.in_vain([ACCEPTED], None) == InVain((), taken=True)
    assert telling.given_up([ACCEPTED, old, new], LIMITS, 150.0)


def test_it_is_looked_less_and_less_often() -> None:
    assert [telling.probe_s(count) for count in (0, 1, 2, 3, 9, 99)] == [2, 2, 4, 8, 60, 60]
    assert telling.refusals([REFUSED, UNPROVEN, REFUSED, REFUSED]) == 2
    assert telling.refusals([REFUSED]) == 1
    assert telling.refusals([]) == 0


@pytest.mark.parametrize(("task", "words"), [("login", "the light of login"), (None, "the light")])
def test_the_words_of_the_alert(task: str | None, words: str) -> None:
    light = Light(task=task, role=CODER, tier=2, stage=Stage.IMPLEMENT, since=1.0, since_wall=WALL, line=3, digest="ab")
    found = telling.unproven_finding(light, InVain((UNPROVEN,)))
    assert found.message == (f"CODER holds {words}: 1 line was typed, and nothing shows that its client took one")
    assert (found.code, pages(found)) == ("poke-unproven", True)
    assert "2 lines were typed, and" in telling.unproven_finding(light, InVain((UNPROVEN, UNPROVEN))).message
    one, two = (telling.unproven_finding(light, InVain((UNPROVEN,) * count, taken=True)).message for count in (1, 2))
    since = "since the last one that its client took, and nothing shows that it took"
    assert one.endswith(f": 1 line was typed {since} that one")
    assert two.endswith(f": 2 lines were typed {since} one of these")
