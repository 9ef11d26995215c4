"""The outbox alone: what is kept of a page and its attempts, and what older ledgers had instead."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from teamops.domain.sending import Course
from teamops.ledger.migrations import STEPS, migrate
from teamops.ledger.outbox import CUT_OFF
from teamops.ledger.store import Ledger, LedgerError, open_ledger
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.model.page import Button, Page, Receipt, Transition
from teamops.model.role import CODER

PAGE = Page(
    id="p1", transition=Transition.ESCALATED, keys=(("agent-dead", "CODER"), ("x", 'a "b" c')), thread="agent-dead",
    severity=Severity.CRITICAL, project="shop", title="shop: agent-dead", body="CODER is dead.", do="restart it",
    role=CODER, buttons=(Button.ACK, Button.RESTART), wall=100.0,
)  # fmt: skip
ALERT = Alert(
    code="agent-dead", subject="CODER", severity=Severity.CRITICAL, state=AlertState.FIRING, message="CODER is dead",
    do="restart it", agent=CODER, since_wall=90.0, changed_wall=90.0, notify=True, silence=Silence(91.0, None),
    hidden_by="tmux-down", paged_wall=100.0, escalated=1, thread="agent-dead CODER",
    held_wall=700.0,
)  # fmt: skip
DONE = Receipt(ok=True, message="shown", evidence="taken by dunst")
DOWN = Receipt(ok=False, message="down", hint="mend it", retry=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(tmp_path / "ledger.sqlite3")
    yield ledger
    ledger.close()


def test_a_page_and_its_alert_come_back_as_they_were(ledger: Ledger) -> None:
    ledger.save_alerts([ALERT], [(PAGE, 1)])
    assert ledger.alerts() == [ALERT]
    (left,) = ledger.outbox.waiting()
    assert (left.page, left.first, left.course) == (PAGE, 1, Course())
    assert ledger.outbox.page("p1") == PAGE
    assert ledger.outbox.page("p2") is None
    ledger.save_alerts([], [(PAGE, 0)])
    assert [one.first for one in ledger.outbox.waiting()] == [1], "the same page is stored once"


def test_an_attempt_without_an_end_is_known_as_cut_off(ledger: Ledger) -> None:
    ledger.save_alerts([], [(PAGE, 0)])
    first = ledger.outbox.begin(PAGE, "phone", 101.0)
    ledger.outbox.end(PAGE, first, DOWN, 102.0)
    ledger.outbox.begin(PAGE, "desktop", 103.0)
    (left,) = ledger.outbox.waiting()
    assert left.course.cut_off == "desktop"
    ledger.outbox.close_cut_off(104.0)
    (left,) = ledger.outbox.waiting()
    assert left.course.cut_off == ""
    assert [(last.channel, last.receipt.message, last.receipt.hint) for last in ledger.outbox.last_tries()] == [
        ("phone", "down", "mend it")
    ], "nobody knows how the other one ended"
    assert [line.text for line in ledger.log(9)] == [
        f"could not tell you by desktop: shop: agent-dead ({CUT_OFF})",
        "could not tell you by phone: shop: agent-dead (down)",
    ]


def test_a_page_is_done_with_by_its_first_good_end(ledger: Ledger) -> None:
    ledger.save_alerts([], [(PAGE, 0)])
    ledger.outbox.end(PAGE, ledger.outbox.begin(PAGE, "desktop", 101.0), DONE, 102.0)
    assert ledger.outbox.waiting() == []
    ledger.outbox.drop(PAGE, "late", 103.0)
    row = ledger._connection.execute("SELECT over_wall, over FROM page").fetchone()
    assert row == (102.0, "delivered")
    (line,) = ledger.log(9)
    assert (line.kind, line.role, line.ok, line.wall) == ("page", CODER, True, 102.0)


def test_an_attempt_whose_begin_could_not_be_stored_is_on_record_all_the_same(ledger: Ledger) -> None:
    ledger.save_alerts([], [(PAGE, 0)])
    ledger.outbox.end(PAGE, 0, DONE, 102.0, channel="phone")
    assert [(last.channel, last.receipt.ok) for last in ledger.outbox.last_tries()] == [("phone", True)]
    assert ledger.outbox.waiting() == []


def test_what_nobody_needs_any_more_is_dropped(ledger: Ledger) -> None:
    ledger.save_alerts([], [(PAGE, 0)])
    ledger.outbox.drop(PAGE, "over", 103.0)
    assert ledger.outbox.waiting() == []


def test_where_a_page_goes_on_and_what_of_it_is_done_with_come_back(ledger: Ledger) -> None:
    ledger.save_alerts([], [(PAGE, 0)])
    down = structs.replace(DOWN, parts=(("0-abcd", True), ("1-ef01", False)))
    course = Course(channel="phone", tries=2, laps=1, due_wall=140.0)
    ledger.outbox.end(PAGE, ledger.outbox.begin(PAGE, "phone", 101.0), down, 102.0, course)
    later = structs.replace(DOWN, parts=(("2-2345", True),))
    ledger.outbox.end(PAGE, ledger.outbox.begin(PAGE, "phone", 103.0), later, 104.0)
    ledger.outbox.begin(PAGE, "desktop", 105.0)
    (left,) = ledger.outbox.waiting()
    parts = {"phone": (("0-abcd", True), ("1-ef01", False), ("2-2345", True))}
    assert left.course == replace(course, cut_off="desktop", parts=parts)


def test_what_is_not_sent_and_what_is_still_to_be_told_by_that_are_stored_together(ledger: Ledger) -> None:
    told = replace(ALERT, silence=None)
    ledger.save_alerts([told], [(PAGE, 0)])
    ledger.outbox.drop(PAGE, "the hour is quiet", 103.0, [replace(told, paged_wall=None)])
    assert ledger.outbox.waiting() == []
    assert ledger.alerts()[0].paged_wall is None
    (line,) = (line for line in ledger.log(9) if line.kind == "page")
    assert (line.text, line.ok, line.wall) == ("not sent: shop: agent-dead (the hour is quiet)", False, 103.0)
    again = replace(PAGE, id="p2")
    ledger.save_alerts([], [(again, 0)])
    with pytest.raises(LedgerError):
        ledger.outbox.drop(again, "why", 104.0, [replace(told, answered=2**70)])
    assert [left.page.id for left in ledger.outbox.waiting()] == ["p2"]


def test_a_test_of_the_channels_is_stored_wholly_or_not_at_all(ledger: Ledger) -> None:
    tried = replace(PAGE, transition=Transition.TRIED, keys=())
    with pytest.raises(UnicodeEncodeError):  # after the first of them
        ledger.outbox.tried(tried, [("desktop", DONE), ("phone", structs.replace(DOWN, message="\udcff"))], 101.0)
    assert (ledger.outbox.page("p1"), ledger.outbox.last_tries()) == (None, [])
    ledger.outbox.tried(tried, [("desktop", DONE), ("phone", DOWN)], 101.0)
    assert ledger.outbox.waiting() == []
    assert {last.channel: last.receipt.ok for last in ledger.outbox.last_tries()} == {"desktop": True, "phone": False}
    assert not any("not sent" in line.text for line in ledger.log(9))


def test_a_channel_that_is_not_there_makes_no_line_in_the_log(ledger: Ledger) -> None:
    ledger.save_alerts([], [(PAGE, 0)])
    absent = Receipt(ok=False, message="no desktop", absent=True)
    ledger.outbox.end(PAGE, ledger.outbox.begin(PAGE, "desktop", 101.0), absent, 102.0)
    assert ledger.log(9) == []
    assert [last.receipt.absent for last in ledger.outbox.last_tries()] == [True]


def test_pages_are_counted_for_the_cap(ledger: Ledger) -> None:
    ledger.save_alerts([], [(PAGE, 0)])
    assert (ledger.outbox.decided(99.0, 100.0), ledger.outbox.decided(100.0, 200.0)) == ([100.0], [])
    assert ledger.outbox.decided(0.0, 99.0) == [], "decided in the future: the clock was set back"
    assert ledger.outbox.decided(99.0, 100.0, firsts=True) == [], "it was told before"
    first = replace(PAGE, id="p2", transition=Transition.FIRED)
    ledger.save_alerts([], [(first, 0), (replace(first, id="p3", severity=Severity.WARNING), 0)])
    assert ledger.outbox.decided(99.0, 100.0, firsts=True) == [100.0]
    for page_id in ("p2", "p3"):
        ledger.outbox.drop(replace(first, id=page_id), "over", 101.0)
    ledger.outbox.drop(PAGE, "over", 101.0)
    assert ledger.outbox.decided(99.0, 100.0) == [], "nobody was sent it"


def test_what_a_person_acknowledged_in_another_process_stays_so(ledger: Ledger, tmp_path: Path) -> None:
    ledger.save_alerts([ALERT])
    ledger.save_alerts([replace(ALERT, state=AlertState.ACKED, changed_wall=95.0)])
    ledger.save_alerts([replace(ALERT, message="still dead")])
    (kept,) = ledger.alerts()
    assert (kept.state, kept.changed_wall, kept.message) == (AlertState.ACKED, 95.0, "still dead")
    ledger.save_alerts([replace(ALERT, since_wall=200.0, changed_wall=200.0)])
    assert ledger.alerts()[0].state is AlertState.FIRING, "it fires anew"


def test_an_answer_to_what_is_over_changes_nothing_and_says_so(ledger: Ledger, tmp_path: Path) -> None:
    firing = replace(ALERT, silence=None)
    ledger.save_alerts([firing])
    over = replace(firing, state=AlertState.RESOLVED, changed_wall=120.0)
    again = replace(firing, since_wall=130.0, changed_wall=130.0, paged_wall=None)
    with closing(open_ledger(tmp_path / "ledger.sqlite3")) as theirs:
        (read,) = theirs.alerts()
        for now in (over, again):
            ledger.save_alerts([now])
            assert not theirs.answer_alert(read, replace(read, state=AlertState.ACKED, changed_wall=140.0))
            assert not theirs.answer_alert(read, replace(read, silence=Silence(140.0, None)))
            assert ledger.alerts() == [now]
        assert not theirs.answer_alert(replace(read, code="x"), replace(read, code="x", state=AlertState.ACKED))


def test_an_answer_touches_nothing_else_and_is_not_undone_by_who_has_not_heard_of_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    firing = replace(ALERT, silence=None)
    ledger.save_alerts([firing])
    with closing(open_ledger(tmp_path / "ledger.sqlite3")) as theirs:
        (read,) = theirs.alerts()
        worse = replace(firing, message="worse", paged_wall=150.0, escalated=2)
        ledger.save_alerts([worse])
        quiet = Silence(160.0, None)
        assert theirs.answer_alert(read, replace(read, silence=quiet))
        assert theirs.answer_alert(read, replace(read, state=AlertState.ACKED, changed_wall=170.0))
        acked = replace(worse, silence=quiet, state=AlertState.ACKED, changed_wall=170.0, answered=2)
        assert ledger.alerts() == [acked]
        ledger.save_alerts([replace(worse, message="worst")])
        assert ledger.alerts() == [replace(acked, message="worst")]
        assert theirs.answer_alert(read, replace(read, state=AlertState.ACKED, changed_wall=180.0))
        assert ledger.alerts()[0].changed_wall == 170.0, "it was acknowledged before"
        ledger.save_alerts([replace(worse, state=AlertState.RESOLVED, changed_wall=190.0)])
        assert ledger.alerts()[0].state is AlertState.RESOLVED
    edges = ledger._connection.execute("SELECT state, wall FROM alert_edge ORDER BY id").fetchall()
    assert edges == [("firing", 90.0), ("acked", 170.0), ("resolved", 190.0)]


def test_an_older_ledger_s_notices_are_pages_and_its_open_alerts_were_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    old = sqlite3.connect(path, isolation_level=None)
    before = next(number for number, step in enumerate(STEPS) if "CREATE TABLE page(" in step)
    migrate(old, STEPS[:before])
    old.execute(
        "INSERT INTO action(wall, kind, role, text, title, critical, decided_by, reason, ended_wall, ok, message, hint,"
        " evidence) VALUES(5, 'notify', 'CODER', 'CODER is dead', 'shop: agent-dead', 1, 'rule', 'agent-dead CODER', 6,"
        " 1, 'terminal bell rung', '', 'bell'), (7, 'poke', 'CODER', 'go', '', 0, 'rule', '', 8, 1, 'typed', '', '')"
    )
    old.execute("INSERT INTO alert VALUES('agent-dead', 'CODER', 'error', 'firing', 'm', 'd', 'CODER', 4, 4, 2, 1)")
    old.close()
    ledger = open_ledger(path)
    assert [(line.kind, line.text) for line in ledger.log(9)] == [
        ("action", "poke: typed"),
        ("page", "told you by terminal: shop: agent-dead (terminal bell rung)"),
    ]
    assert ledger.outbox.waiting() == []
    (alert,) = ledger.alerts()
    assert (alert.paged_wall, alert.silence, alert.hidden_by) == (4.0, None, "")
    ledger.close()
