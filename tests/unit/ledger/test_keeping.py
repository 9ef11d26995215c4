"""Restarts, holds and give-ups on a real SQLite file, across processes' connections."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from teamops.domain.restart import Kept
from teamops.ledger.store import open_ledger
from teamops.model.actions import By, Outcome, Restart
from teamops.model.agent_report import RestartRecord
from teamops.model.role import CODER, DIRECTOR, Role

RECORD = RestartRecord(
    action_id=0,
    role=CODER,
    wall=100.0,
    by=By.RULE,
    cause="dead: exit status 37",
    ending="exit status 37",
    attempt=1,
    screen="out of luck — 37",
    notes=("the handoff file parses", "work tree: 3 changed files"),
    session="1b2c",
)


@pytest.mark.parametrize(
    "kept",
    [
        Kept(attempts=1, last_wall=99.5, changed_wall=100.0),
        Kept(attempts=2, last_wall=99.5, given_up_wall=101.0, held_why="unwell again after 2 restarts"),
        Kept(held="auth", held_why="401", changed_wall=7.0),
    ],
)
def test_what_is_kept_comes_back_in_the_next_life(tmp_path: Path, kept: Kept) -> None:
    ledger = open_ledger(tmp_path / "l")
    ledger.keeping.save(CODER, Kept(attempts=7))
    ledger.keeping.save(CODER, kept)
    ledger.keeping.save(DIRECTOR, Kept())
    ledger.close()
    again = open_ledger(tmp_path / "l")
    assert again.keeping.all() == {CODER: kept, DIRECTOR: Kept()}
    again.close()


def test_a_restart_has_its_actions_end(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    begun = [ledger.begin_action(Restart(role=CODER, by=By.RULE), wall) for wall in (100.0, 500.0)]
    first, second = (
        replace(RECORD, action_id=number, wall=wall) for number, wall in zip(begun, (100.0, 500.0), strict=True)
    )
    ledger.keeping.add_restart(first)
    ledger.keeping.add_restart(replace(second, notes=()))
    ledger.keeping.add_restart(second)
    ledger.finish_action(begun[0], Outcome(ok=False, message="its command ended at once"), 101.0)
    assert ledger.keeping.restarts(CODER, 9) == [second, replace(first, ok=False, message="its command ended at once")]
    assert ledger.keeping.restarts(CODER, 1) == [second]
    assert ledger.keeping.restarts(DIRECTOR, 9) == []
    ledger.close()


def test_only_what_the_rule_did_is_counted(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    for number, (wall, by) in enumerate(((10.0, By.RULE), (20.0, By.PERSON), (30.0, By.RULE), (40.0, By.RULE)), 1):
        ledger.keeping.add_restart(replace(RECORD, action_id=number, wall=wall, by=by))
    ledger.keeping.add_restart(replace(RECORD, action_id=9, wall=50.0, role=DIRECTOR))
    assert ledger.keeping.rule_restarts_since(CODER, 15.0) == [30.0, 40.0]
    ledger.close()


def test_one_sees_what_another_process_kept(tmp_path: Path) -> None:
    mine, other = open_ledger(tmp_path / "l"), open_ledger(tmp_path / "l")
    mine.keeping.changed()
    mine.keeping.save(CODER, Kept(attempts=1))
    assert not mine.keeping.changed()
    other.keeping.save(CODER, Kept())
    assert mine.keeping.changed()
    assert not mine.keeping.changed()
    assert mine.keeping.all() == {CODER: Kept()}
    mine.close()
    other.close()


@pytest.mark.parametrize(("states", "seen"), [((), False), (("unknown", "dead"), False), (("idle", "dead"), True)])
def test_an_agent_was_seen_alive_in_some_life(tmp_path: Path, states: tuple[str, ...], *, seen: bool) -> None:
    ledger = open_ledger(tmp_path / "l")
    for state in states:
        ledger.state_edge(Role("CODER"), state, "", 1.0)
    ledger.state_edge(DIRECTOR, "working", "", 1.0)
    assert ledger.keeping.seen_alive(CODER) is seen
    ledger.close()
