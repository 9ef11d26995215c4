from __future__ import annotations

from dataclasses import replace

import pytest

from teamops.domain.paging import Moment, PagingPolicy, Quiet
from teamops.domain.sending import Sending
from teamops.domain.worth import OLD_S, REPORT_S, Judged, Worth, judge, taken_back
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition

NOON, NIGHT = 12 * 60, 23 * 60
POLICY = PagingPolicy(quiet=Quiet(22 * 60, 7 * 60))
PAGE = Page(
    id="1", transition=Transition.FIRED, keys=(("c", "s"), ("d", "s")), thread="c s", severity=Severity.WARNING,
    project="shop", title="t", body="b", do="d", wall=1000.0,
)  # fmt: skip
CRITICAL = replace(PAGE, severity=Severity.CRITICAL)
TOLD = Alert(
    code="c", subject="s", severity=Severity.WARNING, state=AlertState.FIRING, message="m", do="d", agent=None,
    since_wall=990.0, changed_wall=990.0, notify=True, paged_wall=1000.0, asked_wall=1000.0,
)  # fmt: skip


def fate(
    page: Page = PAGE, *alerts: Alert, minute: int = NOON, age: float = 1.0, laps: int = 0, left: bool = False
) -> Judged:
    one = Sending(page=page, channels=("a", "b"), laps=laps, due=0.0, left=left)
    return judge(one, {alert.key: alert for alert in alerts}, Moment(5.0, page.wall + age, minute), POLICY)


def test_one_of_this_life_is_tried_once_in_any_case() -> None:
    assert fate().worth is Worth.SEND
    assert fate(age=1e6).worth is Worth.SEND


@pytest.mark.parametrize(("laps", "left"), [(1, False), (0, True)])
def test_what_was_tried_or_left_is_sent_only_while_somebody_is_needed(laps: int, *, left: bool) -> None:
    def word(*alerts: Alert) -> Worth:
        return fate(PAGE, *alerts, laps=laps, left=left).worth

    other = replace(TOLD, code="d")
    assert word(TOLD) is Worth.SEND
    assert word() is Worth.NEVER
    assert word(replace(TOLD, state=AlertState.ACKED)) is Worth.NEVER
    assert word(replace(TOLD, state=AlertState.RESOLVED)) is Worth.NEVER
    assert word(replace(TOLD, since_wall=1001.0, paged_wall=None)) is Worth.NEVER, "that is another firing"
    assert word(replace(TOLD, state=AlertState.ACKED), other) is Worth.SEND
    silent = replace(TOLD, silence=Silence(1000.5, None))
    assert word(silent) is Worth.ANEW
    assert word(replace(TOLD, hidden_by="x")) is Worth.ANEW
    assert word(silent, other) is Worth.SEND
    assert word(replace(TOLD, paged_wall=1002.0)) is Worth.NEVER, "a later page tells of it"
    assert word(replace(TOLD, paged_wall=1002.0), other) is Worth.SEND


def test_what_an_earlier_life_left_waits_while_its_cause_seems_to_be_gone() -> None:
    going = replace(TOLD, clear=4.0)
    assert fate(PAGE, going, left=True) == Judged(Worth.WAIT, wait_s=1.0)
    assert fate(PAGE, going, replace(TOLD, code="d"), left=True).worth is Worth.SEND
    assert fate(PAGE, going, laps=1).worth is Worth.SEND, "who looks on knows it already"


def test_what_an_earlier_life_left_long_ago_is_told_in_words_of_now() -> None:
    assert fate(PAGE, TOLD, left=True, age=OLD_S).worth is Worth.SEND
    assert fate(PAGE, TOLD, left=True, age=OLD_S + 1).worth is Worth.ANEW
    assert fate(CRITICAL, TOLD, left=True, age=OLD_S + 1).worth is Worth.ANEW
    assert fate(PAGE, TOLD, laps=3, age=OLD_S + 1).worth is Worth.SEND


@pytest.mark.parametrize(("laps", "left"), [(0, False), (1, False), (0, True)])
def test_the_quiet_hours_are_asked_before_each_try(laps: int, *, left: bool) -> None:
    assert fate(PAGE, TOLD, minute=NIGHT, laps=laps, left=left).worth is Worth.ANEW
    assert fate(CRITICAL, TOLD, minute=NIGHT, laps=laps, left=left).worth is Worth.SEND
    loud = Moment(5.0, 1001.0, NIGHT)
    one = Sending(page=PAGE, channels=("a",), laps=laps, due=0.0, left=left)
    assert judge(one, {TOLD.key: TOLD}, loud, PagingPolicy()).worth is Worth.SEND


def test_what_is_over_is_news_for_a_while() -> None:
    over = replace(PAGE, transition=Transition.RESOLVED)
    assert fate(over).worth is Worth.SEND
    assert fate(over, left=True).worth is Worth.SEND
    assert fate(over, laps=1).worth is Worth.NEVER
    assert fate(over, left=True, age=601.0).worth is Worth.NEVER
    assert fate(over, minute=NIGHT).worth is Worth.NEVER


def test_a_report_waits_for_the_morning() -> None:
    report = replace(PAGE, transition=Transition.REPORT, keys=())
    assert fate(report).worth is Worth.SEND
    assert fate(report, left=True).worth is Worth.SEND
    assert fate(report, minute=NIGHT) == Judged(Worth.WAIT, wait_s=8 * 3600.0)
    assert fate(report, laps=1).worth is Worth.NEVER
    assert fate(report, left=True, age=REPORT_S + 1).worth is Worth.NEVER


def test_a_try_by_hand_is_no_later_life_s() -> None:
    tried = replace(PAGE, transition=Transition.TRIED, keys=())
    assert fate(tried, minute=NIGHT).worth is Worth.SEND
    assert fate(tried, left=True).worth is Worth.NEVER


def test_what_is_not_sent_is_still_to_be_told() -> None:
    later = replace(TOLD, subject="s", code="d", paged_wall=1002.0)
    assert taken_back([later], PAGE) == ()
    others = [replace(TOLD, code="e"), replace(TOLD, code="d", state=AlertState.ACKED)]
    assert taken_back([replace(TOLD, escalated=1), *others], PAGE) == (
        replace(TOLD, paged_wall=None, asked_wall=None),
    )  # fmt: skip
    again = replace(PAGE, transition=Transition.ESCALATED)
    told = replace(TOLD, escalated=1)
    assert taken_back([told], again) == (replace(told, owed=True),)
