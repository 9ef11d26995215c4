from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from teamops.domain.paging import Lately, Moment, PagingPolicy, Quiet, decide, taken, unsent
from teamops.model.alert import Alert, AlertState
from teamops.model.handoff import Severity
from teamops.model.page import Button, Page, Transition
from teamops.model.role import CODER, Role
from tests.unit.domain.alert_series import WALL, Play, rule

SOON = PagingPolicy(group_wait_s=0.0, group_interval_s=0.0)
NIGHT = PagingPolicy(group_wait_s=2.0, quiet=Quiet(22 * 60, 7 * 60))


def told(play: Play) -> list[tuple[int, str, str]]:
    return [(second, transition, what) for second, transition, what, _ in play.run().told()]


@pytest.mark.parametrize(
    ("series", "acts", "pages"),
    [
        pytest.param("x*8", {}, [(3, "fired")], id="after the wait for its group"),
        pytest.param("x . x .*3", {}, [], id="what does not fire"),
        pytest.param("x*3 .*3", {}, [], id="what was over before the wait was"),
        pytest.param("x*4000", {}, [(3, "fired"), (603, "escalated")], id="two channels"),
        pytest.param("x*9000", {600: ["ack human-turn t"]}, [(3, "fired")], id="acknowledged: no more"),
        pytest.param("x*20 .*60 x*20", {}, [(3, "fired"), (83, "fired")], id="each time it fires"),
    ],
)
def test_one_alert(series: str, acts: dict[int, list[str]], pages: list[tuple[int, str]]) -> None:
    rules = {"human-turn": rule("human-turn", escalates=True, repeat_s=None)}
    play = Play({"human-turn t": series}, acts, rules=rules)
    assert [(second, transition) for second, transition, _ in told(play)] == pages


def test_it_is_repeated_until_somebody_acknowledges_it() -> None:
    rules = {"human-turn": rule("human-turn", repeat_s=100.0)}
    play = Play({"human-turn t": "x*400"}, {250: ["ack human-turn t"]}, rules=rules)
    assert told(play) == [
        (3, "fired", "human-turn t"), (103, "repeated", "human-turn t"), (203, "repeated", "human-turn t"),
    ]  # fmt: skip
    threads = {page.thread for _, page, _ in play.pages}
    assert len(threads) == 1, "a channel that can, replaces the earlier by the later"
    assert len({page.id for _, page, _ in play.pages}) == 3
    assert play.pages[1][1].title == "shop: still: human-turn"


def test_what_is_critical_goes_from_channel_to_channel() -> None:
    play = Play({"tmux-down server": "x*2500"}, channels=3).run()
    assert [(second, transition, rank) for second, transition, _, rank in play.told()] == [
        (3, "fired", 0), (603, "escalated", 1), (1203, "escalated", 2),
    ]  # fmt: skip
    alone = Play({"tmux-down server": "x*2500"}, channels=1).run()
    assert len(alone.pages) == 1
    nobody = Play({"tmux-down server": "x*2500"}, channels=0).run()
    assert nobody.pages == []


def test_a_warning_is_not_escalated_unless_its_rule_says_so() -> None:
    assert len(Play({"human-turn t": "x*2000"}).run().pages) == 1
    assert len(Play({"agent-needs-you CODER": "x*2000"}).run().pages) == 2


def test_a_repeat_goes_to_where_it_was_escalated_to() -> None:
    play = Play({"tmux-down server": "x*4300"}).run()
    assert [(transition, rank) for _, transition, _, rank in play.told()] == [
        ("fired", 0), ("escalated", 1), ("repeated", 1),
    ]  # fmt: skip


def test_a_repeat_holds_up_no_escalation() -> None:
    rules = {"tmux-down": rule("tmux-down", severity=Severity.CRITICAL, repeat_s=400.0)}
    play = Play({"tmux-down server": "x*1700"}, rules=rules, channels=3).run()
    assert [(second, transition, rank) for second, transition, _, rank in play.told()] == [
        (3, "fired", 0), (403, "repeated", 0), (603, "escalated", 1), (1003, "repeated", 1), (1203, "escalated", 2),
        (1603, "repeated", 2),
    ]  # fmt: skip


def test_the_last_channel_is_told_again_as_the_rule_says_and_no_other_is_escalated_to() -> None:
    rules = {"tmux-down": rule("tmux-down", severity=Severity.CRITICAL, repeat_s=2000.0)}
    play = Play({"tmux-down server": "x*5000"}, rules=rules).run()
    assert [(second, transition, rank) for second, transition, _, rank in play.told()] == [
        (3, "fired", 0), (603, "escalated", 1), (2603, "repeated", 1), (4603, "repeated", 1),
    ]  # fmt: skip


def test_who_silenced_it_is_asked_anew_when_that_is_over_and_then_others_are() -> None:
    play = Play({"tmux-down server": "x*1700"}, {10: ["silence 900 tmux-down server"]}).run()
    assert [(second, transition, rank) for second, transition, _, rank in play.told()] == [
        (3, "fired", 0), (910, "repeated", 0), (1510, "escalated", 1),
    ]  # fmt: skip


def test_what_another_channel_took_is_told_by_the_next_one_after_that() -> None:
    play = Play({"tmux-down server": "x*700"}, {20: ["taken 1 tmux-down server"]}, channels=3).run()
    assert [(second, transition, rank) for second, transition, _, rank in play.told()] == [
        (3, "fired", 0), (603, "escalated", 2),
    ]  # fmt: skip


def test_what_was_taken_says_nothing_of_other_alerts_nor_of_other_times() -> None:
    page, at = page_of(ALERT), Moment(50.0, 15.0, 0)
    told = replace(ALERT, paged_wall=10.0)
    asked = replace(told, escalated=1, asked_wall=15.0, asked=50.0, paged_wall=15.0, paged=50.0)
    assert taken([told], page, 1, at) == (asked,)
    half = replace(told, escalated=1, asked_wall=15.0, asked=50.0)
    assert taken([told], page, 1, at, whole=False) == (half,), "its page goes on, and is still the one that tells of it"
    assert taken([asked], page, 1, at) == ()
    assert taken([asked], page, 2, replace(at, wall=99.0)) == (replace(asked, escalated=2),)
    assert taken([replace(asked, escalated=2)], page, 1, at) == ()
    assert taken([replace(told, subject="REVIEWER")], page, 1, at) == ()
    assert taken([replace(told, since_wall=11.0, paged_wall=20.0)], page, 1, at) == (), "it fires anew"
    assert taken([replace(told, since_wall=11.0)], page, 1, at) != (), "the clock was set back"
    assert taken([ALERT, replace(told, state=AlertState.RESOLVED)], page, 1, at) == ()


def test_what_no_channel_has_taken_is_neither_escalated_nor_repeated() -> None:
    play = Play({"tmux-down server": "x*9000"}, {7000: ["taken 0 tmux-down server"]}, delivered=False).run()
    assert [(second, transition, rank) for second, transition, _, rank in play.told()] == [
        (3, "fired", 0), (7600, "escalated", 1),
    ]  # fmt: skip


def test_hidden_ones_are_told_when_what_hid_them_is_over() -> None:
    series = {"tmux-down server": "x*10 .*20", "agent-dead CODER": "x*30"}
    assert told(Play(series, notify={"agent-dead CODER": True})) == [
        (3, "fired", "tmux-down server"), (10, "fired", "agent-dead CODER"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "pages"),
    [
        pytest.param("silence 900 human-turn t", [(3, "fired"), (910, "repeated")], id="15 minutes"),
        pytest.param("silence human-turn t", [(3, "fired")], id="until resolved"),
    ],
)
def test_silence(act: str, pages: list[tuple[int, str]]) -> None:
    play = Play({"human-turn t": "x*2000"}, {10: [act]})
    assert [(second, transition) for second, transition, _ in told(play)] == pages


def test_silenced_before_it_was_told_it_is_told_when_the_silence_ends() -> None:
    play = Play({"human-turn t": "x*200"}, {2: ["silence 60 human-turn t"]})
    assert told(play) == [(62, "fired", "human-turn t")]


def test_a_silence_that_the_person_ends_says_nothing_at_once() -> None:
    play = Play({"human-turn t": "x*200"}, {10: ["silence 60 human-turn t"], 20: ["speak human-turn t"]})
    assert told(play) == [(3, "fired", "human-turn t")]


# quiet hours


def test_quiet_hours_hold_back_all_but_what_is_critical_and_tell_the_rest_in_the_morning() -> None:
    series = {
        "human-turn t": "x*400",
        "agent-needs-you CODER": ".*5 x*395",
        "handoff-rewritten e": ".*5 x*50 .*345",
        "tmux-down server": ".*60 x*100 .*240",
    }
    play = Play(series, policy=NIGHT, minute=6 * 60 + 55)
    assert told(play) == [
        (63, "fired", "tmux-down server"),
        (300, "fired", "human-turn t +1"),
    ]
    assert play.pages[1][1].title == "shop: human-turn and 1 more"


@pytest.mark.parametrize(
    ("start", "end", "minute", "holds"),
    [
        (22 * 60, 7 * 60, 23 * 60, True), (22 * 60, 7 * 60, 0, True), (22 * 60, 7 * 60, 7 * 60, False),
        (22 * 60, 7 * 60, 22 * 60, True), (12 * 60, 13 * 60, 12 * 60, True), (12 * 60, 13 * 60, 13 * 60, False),
        (12 * 60, 13 * 60, 0, False), (0, 0, 77, True),
    ],
)  # fmt: skip
def test_quiet(start: int, end: int, minute: int, *, holds: bool) -> None:
    assert Quiet(start, end).holds(minute) is holds


# many at once


def test_those_that_fire_together_are_one_page() -> None:
    series = {f"agent-dead A{n}": f".*{n % 3} x*60" for n in range(200)}
    play = Play(series, notify=dict.fromkeys(series, True), severity=dict.fromkeys(series, Severity.CRITICAL)).run()
    assert len(play.pages) <= 3
    (page,) = [page for second, page, _ in play.pages if second < 30]
    assert len(page.keys) == 200
    assert page.title == "shop: agent-dead (200)"
    assert page.body.splitlines()[-1] == "and 197 more"
    assert page.role is None
    assert page.buttons == (Button.ACK, Button.SILENCE_1H)


def test_those_that_were_told_shortly_after_each_other_are_told_again_together() -> None:
    series = {"tmux-down a": "x*700", "tmux-down b": ".*20 x*680"}
    assert told(Play(series)) == [
        (3, "fired", "tmux-down a"), (33, "fired", "tmux-down b"), (603, "escalated", "tmux-down a +1"),
    ]  # fmt: skip


def test_the_next_of_a_group_wait_for_its_interval() -> None:
    series = {"human-turn a": "x*90", "human-turn b": ".*8 x*82", "human-turn c": ".*9 x*81"}
    assert told(Play(series)) == [(3, "fired", "human-turn a"), (33, "fired", "human-turn b +1")]


def test_the_cap_folds_the_rest_into_one_page_when_there_is_room_again() -> None:
    codes = [f"c{n:02}" for n in range(20)]
    rules = {code: rule(code, repeat_s=None) for code in codes}
    series = {f"{code} s": f".*{10 * n} x*{1000 - 10 * n}" for n, code in enumerate(codes)}
    play = Play(series, rules=rules)
    pages = told(play)
    assert [what for _, _, what in pages[:5]] == ["c00 s", "c01 s", "c02 s", "c03 s", "c04 s"]
    assert pages[5] == (603, "fired", "c05 s +14")
    assert len(pages) == 6
    assert play.pages[5][1].title == "shop: c05 and 14 more"


def test_what_nobody_was_sent_takes_no_place_of_the_cap() -> None:
    page = replace(page_of(ALERT), wall=100.0)
    at = Moment(50.0, 130.0, 0)
    lately = Lately((5.0, 19.5, 20.2, 40.0), quiet=True)
    assert unsent(lately, page, at) == replace(lately, pages=(5.0, 19.5, 40.0))
    both = Lately((5.0, 19.5, 20.2, 40.0), firsts=(5.0, 20.2))
    assert unsent(both, page, at) == Lately((5.0, 19.5, 40.0), firsts=(5.0,))
    assert unsent(both, replace(page, transition=Transition.ESCALATED), at).firsts == both.firsts
    assert unsent(Lately((20.2,)), page, at) == Lately()
    assert unsent(Lately((5.0,)), page, at) == Lately((5.0,)), "it is not of this window"
    assert unsent(Lately(), page, at) == Lately()


def test_at_once_the_last_place_takes_all_the_rest() -> None:
    codes = [f"c{n:02}" for n in range(20)]
    play = Play({f"{code} s": "x*30" for code in codes}, rules={code: rule(code) for code in codes})
    assert [what for _, _, what in told(play)] == ["c00 s", "c01 s", "c02 s", "c03 s", "c04 s +15"]


def test_one_place_is_kept_for_what_is_critical() -> None:
    codes = [f"c{n:02}" for n in range(10)]
    rules = {code: rule(code) for code in codes} | {"worst": rule("worst", severity=Severity.CRITICAL)}
    series = {f"{code} s": "x*60" for code in codes} | {"worst s": ".*20 x*40"}
    pages = told(Play(series, rules=rules))
    assert pages[-1] == (23, "fired", "worst s")
    assert len(pages) == 6


def test_what_is_critical_and_new_is_told_whatever_has_used_up_the_cap() -> None:
    codes = ["a", "b", "c"]
    rules = {code: rule(code, severity=Severity.CRITICAL, repeat_s=40.0) for code in codes} | {
        "d": rule("d"), "worst": rule("worst", severity=Severity.CRITICAL),
    }  # fmt: skip
    series = {f"{code} s": "x*300" for code in codes} | {"d s": ".*90 x*210", "worst s": ".*100 x*200"}
    play = Play(series, rules=rules)
    assert told(play) == [
        (3, "fired", "a s"), (3, "fired", "b s"), (3, "fired", "c s"),
        (43, "repeated", "a s"), (43, "repeated", "b s"), (43, "repeated", "c s"),
        (103, "fired", "worst s +4"),
    ]  # fmt: skip
    assert play.pages[-1][1].body.splitlines()[-1] == "and 2 more", "what was held back is told with it"


def test_what_is_critical_and_new_has_a_cap_of_its_own() -> None:
    codes = [f"c{n:02}" for n in range(12)]
    rules = {code: rule(code, severity=Severity.CRITICAL, repeat_s=None) for code in codes}
    series = {f"{code} s": f".*{10 * n} x*{700 - 10 * n}" for n, code in enumerate(codes)}
    play = Play(series, rules=rules, channels=1)
    assert told(play)[5:] == [(53, "fired", "c05 s"), (603, "fired", "c06 s +5")]


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.CRITICAL])
def test_what_the_cap_holds_back_says_until_when(severity: Severity) -> None:
    codes = [f"c{n}" for n in range(8)]
    rules = {code: rule(code, severity=severity, repeat_s=None) for code in codes}
    series = {f"{code} s": f".*{10 * n} x*{650 - 10 * n}" for n, code in enumerate(codes)}
    series |= {"c6 s": ".*60 x*60 .*530"}
    play = Play(series, rules=rules, channels=1)
    held: dict[tuple[str, float], list[int]] = {}
    step = play.round

    def watched(second: int, seen: Sequence[str], *, gap: bool = False) -> None:
        step(second, seen, gap=gap)
        for alert in play.alerts.values():
            if alert.held_wall is not None and alert.held(WALL + second):
                held.setdefault((alert.code, alert.held_wall - WALL), []).append(second)

    play.round = watched  # type: ignore[method-assign]
    play.run()
    wanted = {("c6", 603.0): list(range(63, 120)), ("c7", 603.0): list(range(73, 603))}
    warned = {("c5", 603.0): list(range(53, 603))} if severity is Severity.WARNING else {}
    assert held == wanted | warned
    assert all(alert.held_wall is None for alert in play.alerts.values()), "told, or over"


def test_an_escalation_that_the_cap_holds_back_waits_for_the_place_that_is_kept_for_it() -> None:
    at, told_of = Moment(700.0, 1000.0, 0), replace(ALERT, paged_wall=300.0, asked_wall=300.0, asked=0.0)
    lately = Lately(tuple(110.0 + n for n in range(6)))
    held = decide([told_of], lately, at, SOON, project="shop", channels=2)
    assert held.pages == ()
    (alert,) = held.alerts
    assert alert.held_wall == 1000.0 + (110.0 + 600.0 - 700.0)
    assert decide([alert], lately, replace(at, now=701.0, wall=1001.3), SOON, project="shop", channels=2).alerts == ()
    (late,) = decide([alert], lately, replace(at, now=701.0, wall=1100.0), SOON, project="shop", channels=2).alerts
    assert late.held_wall == 1109.0, "the clock was set"
    (free,) = decide([replace(alert, state=AlertState.ACKED)], lately, at, SOON, project="shop", channels=2).alerts
    assert free.held_wall is None


def test_a_first_word_waits_only_for_other_first_words() -> None:
    at, firsts = Moment(700.0, 1000.0, 0), tuple(110.0 + n for n in range(6))
    lately = Lately((*firsts, *(200.0 + n for n in range(6))), firsts=firsts)
    held = decide([ALERT], lately, at, SOON, project="shop", channels=1)
    (alert,) = held.alerts
    assert (held.pages, alert.held_wall) == ((), 1000.0 + 10.0)
    told_of = decide([alert], lately, Moment(710.0, 1010.0, 0), SOON, project="shop", channels=1)
    assert len(told_of.pages) == 1
    assert [(one.paged_wall, one.held_wall) for one in told_of.alerts] == [(1010.0, None)]


def test_a_cap_of_one_keeps_nothing_back() -> None:
    rules = {"a": rule("a"), "b": rule("b", severity=Severity.CRITICAL)}
    play = Play({"a s": "x*30", "b s": "x*30"}, rules=rules, policy=PagingPolicy(group_wait_s=2.0, cap=1))
    assert told(play) == [(3, "fired", "b s +1")]


def test_what_is_critical_again_and_again_keeps_nothing_else_from_being_told() -> None:
    rules = {"a": rule("a"), "b": rule("b", severity=Severity.CRITICAL, repeat_s=8.0)}
    play = Play(
        {"a s": ".*5 x*40", "b s": "x*45"}, rules=rules, policy=PagingPolicy(cap=1, cap_window_s=10.0), channels=1
    )
    assert [what for _, _, what in told(play)][1] == "b s +1"


def test_the_worst_comes_first() -> None:
    rules = {
        "a": rule("a", severity=Severity.INFO), "b": rule("b"), "c": rule("c", severity=Severity.CRITICAL),
    }  # fmt: skip
    pages = told(Play({f"{code} s": "x*9" for code in rules}, rules=rules))
    assert [what for _, _, what in pages] == ["c s", "b s", "a s"]


# over


def test_what_is_over_is_told_only_where_that_is_wanted() -> None:
    series = {"human-turn t": "x*10 .*20", "handoff-rewritten e": "x*2 .*28"}
    assert [transition for _, transition, _ in told(Play(series))] == ["fired"]
    play = Play(series, policy=PagingPolicy(group_wait_s=2.0, resolved=True))
    assert told(play) == [(3, "fired", "human-turn t"), (10, "resolved", "human-turn t")]
    page = play.pages[1][1]
    assert (page.title, page.do, page.buttons, page.thread) == (
        "shop: over: human-turn", "", (), play.pages[0][1].thread,
    )  # fmt: skip


def test_what_is_over_never_takes_a_place_from_what_is_not() -> None:
    codes = [f"c{n}" for n in range(5)]
    rules = {code: rule(code) for code in codes}
    series = {f"{code} s": "x*10 .*20" for code in codes[:4]} | {"c4 s": ".*7 x*23"}
    play = Play(series, rules=rules, policy=PagingPolicy(group_wait_s=2.0, resolved=True, cap=6))
    assert [(transition, what) for _, transition, what in told(play)][4:] == [("fired", "c4 s")]


# the page itself

ALERT = Alert(
    code="agent-dead", subject="CODER", severity=Severity.CRITICAL, state=AlertState.FIRING, message="CODER is dead",
    do="restart it", agent=CODER, since_wall=5.0, changed_wall=5.0, notify=True,
)  # fmt: skip


def page_of(*alerts: Alert) -> Page:
    decided = decide(alerts, Lately(), Moment(10.0, 10.0, 0), SOON, project="shop", channels=1)
    ((page, rank),) = decided.pages
    assert rank == 0
    assert {alert.key for alert in decided.alerts} == {alert.key for alert in alerts}
    assert {alert.paged_wall for alert in decided.alerts} == {10.0}
    return page


def test_a_page_says_why_and_what_to_do() -> None:
    page = page_of(ALERT)
    assert (page.title, page.body, page.do) == ("shop: agent-dead", "CODER is dead.", "restart it")
    assert (page.role, page.severity, page.critical) == (CODER, Severity.CRITICAL, True)
    assert page.buttons == (Button.ACK, Button.RESTART, Button.SILENCE_1H), "nobody would read a line"
    assert page.keys == (ALERT.key,)
    assert page == page_of(ALERT), "the same of the same"


def test_a_page_of_two_names_the_graver_first() -> None:
    other = replace(ALERT, subject="REVIEWER", agent=Role("REVIEWER"), since=-5.0, severity=Severity.WARNING)
    page = page_of(other, ALERT)
    assert page.keys == (ALERT.key, other.key)
    assert page.body == "CODER is dead.\nCODER is dead."
    assert page.role is None


@pytest.mark.parametrize(
    ("start", "end", "minute", "left"),
    [
        (22 * 60, 7 * 60, 23 * 60, 480),
        (22 * 60, 7 * 60, 419, 1),
        (22 * 60, 7 * 60, 420, 0),
        (60, 120, 60, 60),
        (0, 0, 5, 1435),
    ],
)
def test_how_long_it_stays_quiet(start: int, end: int, minute: int, left: int) -> None:
    assert Quiet(start, end).left(minute) == left
