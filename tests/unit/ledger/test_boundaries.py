"""Violations in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.ledger.store import Ledger, open_ledger
from teamops.model.boundary import ChangeKind, OwnWrite, Violation, ViolationState
from teamops.model.role import CODER, REVIEWER

ONE = Violation(
    id=0,
    wall=1000.0,
    path="src/a.py",
    change=ChangeKind.CHANGED,
    roles=(REVIEWER, CODER),
    rule="write.allow",
    why="it is not among what REVIEWER may change",
    evidence=("REVIEWER holds the light", "é\n"),
    added=1,
    removed=None,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(open_ledger(tmp_path / "ledger.sqlite3")) as made:
        yield made


def test_a_violation_comes_back_as_it_was(ledger: Ledger, tmp_path: Path) -> None:
    row = ledger.boundaries.add(ONE, "ab.diff")
    assert ledger.boundaries.violation(row) == replace(ONE, id=row)
    assert ledger.boundaries.patch_of(row) == "ab.diff"
    assert ledger.boundaries.violation(row + 1) is None
    assert ledger.boundaries.patch_of(row + 1) == ""
    with closing(open_ledger(tmp_path / "ledger.sqlite3")) as other:
        assert other.boundaries.violations(0.0, 9) == [replace(ONE, id=row)]


def test_open_ones_come_first_and_old_ones_only_while_they_are_open(ledger: Ledger) -> None:
    rows = [ledger.boundaries.add(replace(ONE, wall=float(wall))) for wall in (10, 20, 30)]
    ledger.boundaries.settle(rows[0], ViolationState.ACCEPTED, "", 99.0)
    ledger.boundaries.settle(rows[2], ViolationState.GONE, "", 99.0)
    assert [one.id for one in ledger.boundaries.violations(15.0, 9)] == [rows[1], rows[2]]
    assert [one.id for one in ledger.boundaries.violations(0.0, 2)] == [rows[1], rows[2]]


def test_it_is_settled_only_from_where_it_is_thought_to_be(ledger: Ledger) -> None:
    row = ledger.boundaries.add(ONE)
    assert ledger.boundaries.settle(row, ViolationState.QUARANTINED, "by rule", 5.0)
    assert not ledger.boundaries.settle(row, ViolationState.GONE, "late", 6.0, ViolationState.OPEN)
    now = ledger.boundaries.violation(row)
    assert now is not None
    assert (now.state, now.note, now.changed_wall) == (ViolationState.QUARANTINED, "by rule", 5.0)
    assert ledger.boundaries.settle(row, ViolationState.RESTORED, "", 7.0, ViolationState.QUARANTINED)


def test_many_are_stored_and_settled_at_once(ledger: Ledger) -> None:
    rows = ledger.boundaries.add_all((replace(ONE, wall=float(wall)), f"{wall}.diff") for wall in (10, 20, 30))
    assert [ledger.boundaries.patch_of(row) for row in rows] == ["10.diff", "20.diff", "30.diff"]
    assert ledger.boundaries.patches_of(rows[1:]) == {rows[1]: "20.diff", rows[2]: "30.diff"}
    assert ledger.boundaries.settle(rows[0], ViolationState.ACCEPTED, "", 5.0)
    notes = {rows[0]: "late", rows[1]: "one", rows[2]: "two"}
    assert ledger.boundaries.settle_all(notes, ViolationState.GONE, 60.0, ViolationState.OPEN) == 2
    assert [(one.id, one.note) for one in ledger.boundaries.news(rows[1], 60.0)] == [(rows[1], "one"), (rows[2], "two")]
    assert [one.id for one in ledger.boundaries.news(rows[2], 5.0)] == rows
    assert ledger.boundaries.news(rows[2], 61.0) == []


def test_whatever_is_new_is_seen_by_the_mark(ledger: Ledger) -> None:
    marks = [ledger.boundaries.mark()]
    row = ledger.boundaries.add(ONE)
    marks.append(ledger.boundaries.mark())
    for state, wall in ((ViolationState.ACCEPTED, 5.0), (ViolationState.QUARANTINED, 6.0)):
        ledger.boundaries.settle(row, state, "", wall)
        marks.append(ledger.boundaries.mark())
    assert len(set(marks)) == len(marks)
    assert ledger.boundaries.mark() == marks[-1]


def test_how_sure_it_is_comes_back_and_nothing_is_sure_that_nobody_said(ledger: Ledger) -> None:
    for direct, sure in ((False, False), (True, False), (False, True), (True, True)):
        one = replace(ONE, direct=direct, sure=sure)
        row = ledger.boundaries.add(one)
        assert ledger.boundaries.violation(row) == replace(one, id=row)


def test_what_teamops_wrote_for_the_person_is_known_since_when(ledger: Ledger) -> None:
    ledger.boundaries.add_own("/p/a", "d1", "init", 10.0)
    ledger.boundaries.add_own("/p/b", "d2", "init", 20.0, "d0")
    assert ledger.boundaries.own_writes(15.0) == (OwnWrite("/p/b", "d2", "d0", 20.0),)
    assert [one.path for one in ledger.boundaries.own_writes(10.0)] == ["/p/a", "/p/b"]
