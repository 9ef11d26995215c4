from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from teamops.ledger import boundaries
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.agent import Beat, BeatKind
from teamops.model.boundary import Decision, Verdict
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen
from teamops.model.role import CODER, REVIEWER, Role
from teamops.model.tail import Position

WALL = 1_800_000_000.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger.sqlite3")
    yield opened
    opened.close()


def told(wall: float = 0.0, verdict: Verdict = Verdict.DENY, role: Role = CODER, about: str = "a.py") -> Decision:
    rule = "" if verdict is Verdict.ALLOW else 'write.deny "*.py"'
    return Decision(role=role, wall=WALL + wall, verdict=verdict, rule=rule, about=about, why="not yours")


def seen(offset: int, *decisions: Decision) -> BeatsSeen:
    beats = tuple(Beat(role=one.role, wall=one.wall, kind=BeatKind.HOOK, decision=one) for one in decisions)
    return BeatsSeen(Stamp(0.0, WALL), beats, Position("/spool", 1, 7, offset, 0))


def stored(ledger: Ledger) -> list[tuple[object, ...]]:
    return ledger._connection.execute("SELECT role, verdict, about FROM decision ORDER BY id").fetchall()


def test_all_decisions_are_kept_with_the_place_they_were_read_up_to_and_once(ledger: Ledger) -> None:
    told_of = Decision(role=CODER, wall=WALL, verdict=Verdict.WARN, rule="named", about="b.py", why="note it")
    first = seen(10, told(1, Verdict.ALLOW), told(2), told_of)
    ledger.add_beats(first)
    ledger.add_beats(first)
    ledger.add_beats(BeatsSeen(Stamp(0.0, WALL), (Beat(role=CODER, wall=WALL),), Position("/spool", 1, 7, 20, 0)))
    assert stored(ledger) == [("CODER", "allow", "a.py"), ("CODER", "deny", "a.py"), ("CODER", "warn", "b.py")]


def test_the_refused_are_told_newest_first_and_the_same_within_ten_minutes_once(ledger: Ledger) -> None:
    ledger.add_beats(seen(10, told(-4000), told(0), told(5, about="b.py"), told(9), told(8, Verdict.ALLOW)))
    ledger.add_beats(seen(20, told(7, role=REVIEWER)))
    refused = ledger.boundaries.refused(None, 10)
    assert [(one.role, one.about, one.wall - WALL, one.times) for one in refused] == [
        (CODER, "a.py", 9, 2),
        (REVIEWER, "a.py", 7, 1),
        (CODER, "b.py", 5, 1),
        (CODER, "a.py", -4000, 1),
    ]
    assert [one.role for one in ledger.boundaries.refused(REVIEWER, 10)] == [REVIEWER]
    assert len(ledger.boundaries.refused(None, 2)) == 2


def test_how_often_each_was_refused_since_a_moment(ledger: Ledger) -> None:
    ledger.add_beats(seen(10, told(-1), told(0), told(1), told(2, Verdict.ALLOW), told(3, role=REVIEWER)))
    assert ledger.boundaries.blocked_since(WALL) == {CODER: 2, REVIEWER: 1}
    assert [one.wall - WALL for one in ledger.boundaries.denied_since(CODER, WALL - 1, 2)] == [0, 1]


def test_a_flood_is_bounded_and_crowds_out_nobody(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundaries, "KEPT", 100)
    ledger.add_beats(seen(10, told(0, role=REVIEWER), told(1)))
    for step in range(4):
        flood = [told(step, Verdict.ALLOW, about=f"{step}.{place}") for place in range(600)]
        ledger.add_beats(seen(1000 * (step + 1), *flood))
    rows = stored(ledger)
    assert 100 <= len(rows) < 800
    assert rows[:2] == [("REVIEWER", "deny", "a.py"), ("CODER", "deny", "a.py")]
    assert rows[-1] == ("CODER", "allow", "3.599")
