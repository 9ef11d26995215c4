"""The restart policy, one thing at a time; tests/props/test_restart.py has all of it at random."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from teamops.domain import restart
from teamops.domain.limits import RestartPolicy, RestartWhen
from teamops.domain.restart import Hold, Keeping, Kept
from teamops.domain.restart_step import (
    READY_S,
    GiveUp,
    HoldBack,
    LetGo,
    Move,
    Reading,
    Reset,
    Restart,
    Slot,
    spared,
    step,
)
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.clock import Stamp
from teamops.model.role import CODER

POLICY = RestartPolicy()
DEAD = Reading(state=AgentState.DEAD, cause="dead: exit status 37", alive=False)
WELL = Reading(state=AgentState.WORKING, may_end=True)
ZOMBIE = Reading(state=AgentState.ZOMBIE, cause="zombie", may_end=True)
EVIDENCE = Evidence(EvidenceKind.PROCESS, 1.0, "exit status 37")


def run(
    keeping: Keeping, reading: Reading, start: float, seconds: int, policy: RestartPolicy = POLICY
) -> tuple[Keeping, list[tuple[float, Move]]]:
    """Let a round go by each second; return the moves with their moments."""
    moves = []
    for second in range(seconds):
        keeping, move = step(keeping, reading, start + second, policy)
        if move is not None:
            moves.append((start + second, move))
    return keeping, moves


def test_an_agent_that_dies_at_45_s_is_restarted_twice_and_given_up() -> None:
    """The figure: at most 3 restarts per hour. And the third time a person is called."""
    keeping, moves = Keeping(), []
    ends = 0.0  # when it dies
    for second in range(4 * 3600):
        reading = DEAD if second >= ends else replace(WELL, worked=float(second))
        keeping, move = step(keeping, reading, float(second), POLICY)
        if move is not None:
            moves.append((second, move))
        if isinstance(move, Restart):
            ends = second + 45.0
    assert [type(move) for _, move in moves] == [Restart, Restart, GiveUp]
    assert [move.attempt for _, move in moves if isinstance(move, Restart)] == [1, 2]
    first, second, third = (at for at, _ in moves)
    assert (second - first, third - second) == (300, 300)
    assert keeping.given_up == third


def test_one_that_works_long_enough_each_time_is_held_to_the_hour() -> None:
    """The count begins anew after 10 min of work; three restarts in an hour are the most even so."""
    keeping, restarts, ends = Keeping(), [], 0.0
    for second in range(2 * 3600):
        reading = DEAD if second >= ends else replace(WELL, worked=float(second))
        keeping, move = step(keeping, reading, float(second), POLICY)
        if isinstance(move, Restart):
            restarts.append(second)
            ends = second + 700.0
    assert len(restarts) == 3
    assert keeping.given_up is not None
    assert "3 restarts within an hour" in keeping.why


@pytest.mark.parametrize(
    ("when", "reading", "restarted"),
    [
        (RestartWhen.NEVER, DEAD, False),
        (RestartWhen.ON_DEATH, DEAD, True),
        (RestartWhen.ON_UNHEALTHY, DEAD, True),
        (RestartWhen.ON_DEATH, ZOMBIE, False),
        (RestartWhen.ON_UNHEALTHY, ZOMBIE, True),
        (RestartWhen.ON_UNHEALTHY, replace(ZOMBIE, state=AgentState.SILENT), True),
        (RestartWhen.ON_UNHEALTHY, replace(ZOMBIE, may_end=False), False),
        (RestartWhen.ON_UNHEALTHY, replace(ZOMBIE, spared="runs elsewhere"), False),
        (RestartWhen.ON_UNHEALTHY, replace(DEAD, spared="closed by hand"), False),
        (RestartWhen.ON_UNHEALTHY, replace(DEAD, free=False), False),
        *(
            (RestartWhen.ON_UNHEALTHY, replace(WELL, state=state), False)
            for state in AgentState
            if state not in restart.UNWELL
        ),
    ],
)
def test_what_is_restarted(when: RestartWhen, reading: Reading, *, restarted: bool) -> None:
    _, moves = run(Keeping(), reading, 0.0, 5, RestartPolicy(when=when))
    assert [type(move) for _, move in moves] == ([Restart] if restarted else [])


def test_unwell_for_one_round_is_not_enough() -> None:
    keeping = Keeping()
    for second in range(100):
        keeping, move = step(keeping, ZOMBIE if second % 2 else WELL, float(second), POLICY)
        assert move is None


def test_it_waits_for_its_turn() -> None:
    keeping, moves = run(Keeping(), replace(DEAD, free=False), 0.0, 50)
    assert moves == []
    assert step(keeping, DEAD, 50.0, POLICY)[1] == Restart(1, DEAD.cause)


@pytest.mark.parametrize(
    ("signs", "counts"),
    [
        (range(0, 650, 30), True),
        (range(0, 550, 30), False),
        ((0, 900), False),  # one sign, and one after a long pause: no progress in between
        ((650,), False),
    ],
)
def test_the_count_begins_anew_only_after_work_that_goes_on(signs: range | tuple[int, ...], *, counts: bool) -> None:
    keeping, _ = run(Keeping(), DEAD, 0.0, 2)
    assert keeping.attempts == 1
    worked, moves = None, []
    for second in range(2, 1000):
        worked = float(second) if second - 2 in signs else worked
        keeping, move = step(keeping, replace(WELL, worked=worked), float(second), POLICY)
        moves += [move] if move else []
    assert moves == ([Reset()] if counts else [])
    assert keeping.attempts == (0 if counts else 1)


def test_work_before_the_restart_is_no_progress_after_it() -> None:
    keeping, _ = run(Keeping(), DEAD, 10_000.0, 2)
    keeping, moves = run(keeping, replace(WELL, worked=9_000.0), 10_002.0, 2000)
    assert (keeping.progress, moves) == (0.0, [])


def test_a_failing_authentication_holds_until_a_person_has_mended_it() -> None:
    shows = replace(DEAD, sign="Invalid API key")
    keeping, moves = run(Keeping(), shows, 0.0, 20)
    assert moves == [(0.0, HoldBack(Hold.AUTH, "Invalid API key"))]
    keeping, moves = run(keeping, DEAD, 20.0, 1000)
    assert moves == []
    working = replace(WELL, worked=1025.0)
    keeping, moves = run(keeping, working, 1025.0, 5)
    assert moves == [(1025.0, LetGo())]
    assert keeping.held is None


def test_its_own_failing_answer_is_no_sign_that_it_is_mended() -> None:
    """The failure itself stands in the transcript, which grows by it."""
    keeping, _ = run(Keeping(), replace(WELL, sign="401", worked=3.0), 0.0, 5)
    keeping, moves = run(keeping, replace(WELL, state=AgentState.IDLE, worked=5.0), 5.0, 100)
    assert (keeping.held, moves) == (Hold.AUTH, [])


@pytest.mark.parametrize(
    "kept", [Keeping(given_up=5.0, attempts=2), restart.held(Keeping(), Hold.HUMAN, "stopped", 5.0)]
)
def test_one_that_a_person_has_begun_by_hand_is_let_go(kept: Keeping) -> None:
    assert run(kept, replace(WELL, born=4.0, worked=90.0), 90.0, 9)[1] == []
    assert run(kept, replace(DEAD, born=80.0), 90.0, 9)[1] == []
    keeping, moves = run(kept, replace(WELL, born=80.0), 90.0, 9)
    assert moves == [(90.0, LetGo())]
    assert keeping.blank


def test_nothing_is_restarted_where_no_attempt_is_allowed() -> None:
    _, moves = run(Keeping(), DEAD, 0.0, 9, RestartPolicy(attempts=0))
    assert [type(move) for _, move in moves] == [GiveUp]


SPARED = {
    "in_pane": True,
    "ours": True,
    "exit_status": 37,
    "exit_signal": None,
    "holds_light": True,
    "known": True,
    "startable": True,
    "announced": False,
}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"exit_status": 0}, ""),
        ({"exit_status": 0, "holds_light": False}, "nothing to do"),
        ({"exit_status": 37, "holds_light": False}, ""),
        ({"exit_status": None, "exit_signal": 9}, ""),
        ({"exit_status": None, "exit_signal": 9, "in_pane": False}, "by hand"),
        ({"exit_status": None, "exit_signal": 9, "in_pane": False, "ours": False}, ""),
        ({"exit_status": None, "exit_signal": 1, "in_pane": False, "ours": False}, "by hand"),
        ({"exit_status": 129, "in_pane": False, "ours": False}, "by hand"),
        ({"exit_status": None, "in_pane": False, "ours": False}, "by hand"),
        ({"exit_status": None, "exit_signal": 1}, ""),
        ({"announced": True}, ""),
        ({"announced": True, "exit_status": 0}, "as it had said"),
        ({"announced": True, "exit_status": None, "exit_signal": 15}, "as it had said"),
        ({"known": False}, "never seen alive"),
        ({"startable": False}, "nothing to start it with"),
    ],
)
def test_a_death_that_calls_for_no_restart(change: dict[str, object], why: str) -> None:
    said = spared(AgentState.DEAD, **{**SPARED, **change})  # type: ignore[arg-type]  # a table
    assert (why in said) if why else said == ""


def test_one_that_runs_elsewhere_is_left_alone() -> None:
    assert "no session" in spared(AgentState.SILENT, **{**SPARED, "in_pane": False})  # type: ignore[arg-type]
    assert spared(AgentState.SILENT, **SPARED) == ""  # type: ignore[arg-type]


# what is shown


@pytest.mark.parametrize(
    ("keeping", "state", "worked", "shown"),
    [
        (None, AgentState.DEAD, None, AgentState.DEAD),
        (Keeping(), AgentState.DEAD, None, AgentState.DEAD),
        (Keeping(attempts=1, last=0.0, until=300.0, unwell=1), AgentState.DEAD, None, AgentState.BACKING_OFF),
        (Keeping(attempts=1, last=0.0, until=300.0), AgentState.DEAD, None, AgentState.DEAD),
        (Keeping(attempts=1, last=0.0, until=300.0, unwell=1), AgentState.WORKING, 9.0, AgentState.WORKING),
        (Keeping(attempts=1, last=-300.0, until=9.0, unwell=4), AgentState.DEAD, None, AgentState.DEAD),
        (Keeping(given_up=5.0), AgentState.DEAD, 9.0, AgentState.GIVEN_UP),
        (Keeping(given_up=5.0), AgentState.ZOMBIE, 4.0, AgentState.GIVEN_UP),
        (Keeping(given_up=5.0), AgentState.WORKING, 9.0, AgentState.WORKING),
        (Keeping(given_up=5.0), AgentState.UNKNOWN, 9.0, AgentState.GIVEN_UP),
        (Keeping(held=Hold.AUTH, held_at=5.0), AgentState.IDLE, 4.0, AgentState.HELD),
        (Keeping(held=Hold.AUTH, held_at=5.0), AgentState.WORKING, 6.0, AgentState.WORKING),
        (Keeping(held=Hold.HUMAN, held_at=5.0), AgentState.DEAD, None, AgentState.HELD),
        (Keeping(held=Hold.HUMAN, held_at=5.0), AgentState.UNKNOWN, None, AgentState.HELD),
        (Keeping(held=Hold.HUMAN, held_at=5.0), AgentState.SHUTTING_DOWN, None, AgentState.SHUTTING_DOWN),
    ],
)
def test_what_teamops_does_lies_over_the_health(
    keeping: Keeping | None, state: AgentState, worked: float | None, shown: AgentState
) -> None:
    seen, evidence = restart.shown(keeping, state, EVIDENCE, worked=worked, now=10.0)
    assert seen is shown
    assert (evidence is EVIDENCE) == (seen is state)
    if seen is not state:
        assert evidence.kind is EvidenceKind.OWN


def test_backing_off_says_when_it_is_tried_again() -> None:
    keeping = Keeping(attempts=1, last=0.0, until=300.0, unwell=1)
    _, evidence = restart.shown(keeping, AgentState.DEAD, EVIDENCE, worked=None, now=10.0)
    assert evidence.detail == "dead after restart 1 of 2 (exit status 37); next in 4:50 min"


# what outlives teamops


def test_a_cooldown_is_never_longer_than_the_policy_says() -> None:
    """The wall clock was set back between two lives."""
    kept = Kept(attempts=1, last_wall=5000.0)
    keeping = restart.from_kept(kept, [5000.0], Stamp(7.0, 1000.0), POLICY)
    assert (keeping.until, keeping.recent) == (307.0, (7.0,))


def test_a_cooldown_that_ran_out_meanwhile_is_over() -> None:
    keeping = restart.from_kept(Kept(attempts=1, last_wall=1000.0), [], Stamp(7.0, 9000.0), POLICY)
    assert [type(move) for _, move in run(keeping, DEAD, 7.0, 5)[1]] == [Restart]


def test_a_hold_of_a_newer_version_holds() -> None:
    keeping = restart.from_kept(Kept(held="by-the-moon", held_why="full"), [], Stamp(7.0, 9.0), POLICY)
    assert run(keeping, DEAD, 7.0, 50)[1] == []
    assert restart.words(keeping, Stamp(7.0, 9.0)) == "held (human): full"


def test_only_one_at_a_time() -> None:
    assert Slot().free(5.0)
    assert not Slot(CODER).free(1e9)
    assert not Slot(CODER, ready_by=5.0 + READY_S).free(5.0)
    assert Slot(CODER, ready_by=5.0 + READY_S).free(5.0 + READY_S)
