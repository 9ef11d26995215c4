from __future__ import annotations

import pytest
from msgspec.structs import replace

from teamops.domain.alert_rules import pages, severity_of
from teamops.domain.light import Light
from teamops.domain.protocol_alerts import (
    NEWS_S,
    broken_findings,
    human_findings,
    live_findings,
    tamper_findings,
    unannounced_findings,
)
from teamops.model.handoff import Severity, Stage, Task
from teamops.model.protocol import KnownBlock, ProtocolFinding, Tamper
from teamops.model.role import CODER, HUMAN, NONE, Role

NOW = 1_000_000.0
LIGHT = Light(
    task="Login", role=CODER, tier=3, stage=Stage.IMPLEMENT, since=1.0, since_wall=991.0, line=12, digest="d3"
)


def task(*, turn: Role = CODER, since: int = 3, blocks: int = 5) -> Task:
    return Task(
        task="Login",
        turn=turn,
        tier=3,
        stage=Stage.IMPLEMENT,
        since_line=12,
        since_index=since,
        since_digest=f"d{since}",
        rounds=0,
        open=turn != NONE,
        blocks=tuple(range(blocks)),
    )


def finding(
    index: int, code: str = "not-holder", severity: Severity = Severity.ERROR, *, name: str = "login", line: int = 0
) -> ProtocolFinding:
    return ProtocolFinding(
        code=code,
        severity=severity,
        line=line or index * 4 + 1,
        message="it is wrong",
        hint="mend it",
        task=name,
        index=index,
        digest=f"d{index}",
        role=CODER,
    )


@pytest.mark.parametrize(
    ("found", "of", "lives"),
    [
        pytest.param(finding(3), task(), True, id="the block that gave the light"),
        pytest.param(finding(4), task(), True, id="one after it"),
        pytest.param(finding(2), task(), False, id="one before it is history"),
        pytest.param(finding(4), task(turn=NONE, since=4), True, id="the last block of a closed task"),
        pytest.param(finding(3), task(turn=NONE, since=3), False, id="an earlier one of a closed task"),
        pytest.param(finding(4, severity=Severity.WARNING), task(), False, id="a warning"),
        pytest.param(finding(4, "forged-sign-off", Severity.CRITICAL), task(), False, id="has an alert of its own"),
        pytest.param(replace(finding(4, "block-rewritten"), tamper=7), task(), False, id="a rewrite has its own too"),
        pytest.param(finding(4, name="other"), task(), False, id="of a task that is not there"),
    ],
)
def test_what_may_matter_now(found: ProtocolFinding, of: Task, *, lives: bool) -> None:
    assert bool(live_findings([found], {"login": of}).broken) is lives


def test_a_rule_that_one_block_breaks_at_many_points_is_one_alert() -> None:
    found = [finding(4, "challenge-unanswered", line=line) for line in (20, 21, 22)]
    (one,) = live_findings(found, {"login": task()}).broken
    assert one.line == 20


@pytest.mark.parametrize(
    ("walls", "fires"),
    [
        pytest.param({"d4": NOW - 5}, True, id="news"),
        pytest.param({"d4": NOW - NEWS_S - 1}, False, id="a day old"),
        pytest.param({}, False, id="stood when teamops came"),
    ],
)
def test_a_broken_rule_is_an_alert_while_it_is_news(walls: dict[str, float], *, fires: bool) -> None:
    live = live_findings([finding(4)], {"login": task()})
    found = broken_findings(live, walls, NOW)
    assert [(row.code, row.subject, row.agent) for row in found] == [
        ("protocol-broken", "not-holder login#d4", CODER)
    ] * fires


@pytest.mark.parametrize(("code", "told"), [("code-review-skipped", True), ("no-challenges", False)])
def test_a_review_passed_over_is_told_away_from_the_screen(code: str, *, told: bool) -> None:
    (found,) = broken_findings(live_findings([finding(4, code)], {"login": task()}), {"d4": NOW}, NOW)
    assert found.notify is told


def test_forged_sign_offs_are_one_critical_alert_and_a_new_one_when_another_comes() -> None:
    forged = [finding(index, "forged-sign-off", Severity.CRITICAL) for index in (1, 4)]
    (both,) = broken_findings(live_findings(forged, {"login": task()}), {"d4": NOW}, NOW)
    (first,) = broken_findings(live_findings(forged[:1], {"login": task()}), {}, NOW)
    assert (both.code, severity_of(both), both.notify) == ("forged-sign-off", Severity.CRITICAL, True)
    assert both.message.endswith("(and 1 more)")
    assert both.subject != first.subject
    assert not first.notify, "it stood when teamops came"


def tamper(number: int, wall: float, kind: str = "vanished", *, accepted: str = "") -> Tamper:
    before = KnownBlock(
        id=number, digest=f"d{number}", role=CODER, task="t", heading="### [CODER] 10:00", wall=1.0, adopted=False
    )
    return Tamper(
        id=number,
        wall=wall,
        kind=kind,
        before=None if kind == "inserted" else before,
        after="" if kind == "vanished" else "x",
        accepted=accepted,
    )


def test_all_that_one_edit_did_is_one_alert() -> None:
    found = tamper_findings([*(tamper(number, 5.0) for number in range(10_000)), tamper(10_001, 9.0, "rewritten")])
    more = " (and 9999 more blocks of the same edit)"
    assert [row.message for row in found] == [
        f'the block "### [CODER] 10:00" is gone from the file after it was handed on{more}',
        'the block "### [CODER] 10:00" was rewritten after it was handed on',
    ]
    assert len({row.subject for row in found}) == 2
    assert all(pages(row) and severity_of(row) is Severity.WARNING for row in found)


@pytest.mark.parametrize(
    ("kinds", "more"),
    [
        (("vanished", "vanished"), "1 more block of"),
        (("vanished", "vanished", "vanished"), "2 more blocks of"),
        (("vanished", "inserted"), "1 more change of"),
        (("vanished", "inserted", "rewritten"), "2 more changes of"),
    ],
)
def test_one_more_is_counted_as_one(kinds: tuple[str, ...], more: str) -> None:
    (found,) = tamper_findings([tamper(number, 5.0, kind) for number, kind in enumerate(kinds)])
    assert f"(and {more} the same edit)" in found.message


def test_an_accepted_change_is_none() -> None:
    assert tamper_findings([tamper(1, 5.0, accepted="me")]) == []
    (left,) = tamper_findings([tamper(1, 5.0, accepted="me"), tamper(2, 5.0, "inserted")])
    assert left.message == "a block was put in between"


@pytest.mark.parametrize(
    ("stage", "words", "do"),
    [(Stage.SIGN_OFF, "waits for your sign-off of Login", "(A)"), (Stage.DESIGN, "gives you the light", "answer")],
)
def test_a_persons_light(stage: Stage, words: str, do: str) -> None:
    lights = [LIGHT, replace(LIGHT, role=HUMAN, stage=stage, digest="d9")]
    (found,) = human_findings(lights)
    assert (found.code, found.subject, pages(found)) == ("human-turn", "Login#d9", True)
    assert words in found.message
    assert do in found.do
    assert "line 12" in found.do


def test_an_unannounced_light_says_why() -> None:
    (found,) = unannounced_findings([(LIGHT, "a dialog is open")])
    assert (found.code, pages(found), found.agent) == ("handoff-unannounced", False, CODER)
    assert found.message == "CODER was not told that it holds the light of Login: a dialog is open"


def test_what_is_older_than_the_news_is_not_even_looked_at() -> None:
    found = [finding(3), finding(4)]
    assert [one.index for one in live_findings(found, {"login": task()}, 4).broken] == [4]
    assert [one.index for one in live_findings(found, {"login": task()}).broken] == [3, 4]
