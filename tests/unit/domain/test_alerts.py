from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.alert_rules import RULES, at_once, rule_of
from teamops.domain.alerts import acknowledge, heard, remember, silence, speak, step
from teamops.model.alert import Alert, AlertState, Finding, Silence
from teamops.model.handoff import Severity
from tests.unit.domain.alert_series import Play, rule

P, F, A, R = AlertState.PENDING, AlertState.FIRING, AlertState.ACKED, AlertState.RESOLVED


@pytest.mark.parametrize(
    ("series", "acts", "for_s", "keep_s", "states"),
    [
        pytest.param("x*2", {}, 1, 0, "pf", id="fires when its cause was there for so long"),
        pytest.param("x .", {}, 1, 0, "p-", id="a moment is nothing"),
        pytest.param("x . x*2", {}, 1, 0, "p-pf", id="without a break"),
        pytest.param("x*6", {}, 5, 0, "pppppf", id="five seconds"),
        pytest.param("x", {}, 0, 0, "f", id="at once where nothing is to be waited for"),
        pytest.param("x*2 .", {}, 1, 0, "pfr", id="resolves by itself"),
        pytest.param("x*2 . x*2", {}, 1, 0, "pfrpf", id="fires again after it was over"),
        pytest.param("x*3", {2: ["ack c s"]}, 1, 0, "pfa", id="acknowledged stays so while the cause lasts"),
        pytest.param("x*3 .", {2: ["ack c s"]}, 1, 0, "pfar", id="acknowledged resolves"),
        pytest.param("x*3", {1: ["ack c s"]}, 2, 0, "ppf", id="a pending one can't be acknowledged"),
        pytest.param("x*2 . .", {3: ["ack c s"]}, 1, 0, "pfrr", id="a resolved one can't be acknowledged"),
        pytest.param(". .", {}, 1, 0, "--", id="nothing"),
        pytest.param("x*2 .*2 x .*4", {}, 1, 3, "pfffffffr", id="what flaps goes on firing"),
        pytest.param("x*2 .*3 .", {}, 1, 3, "pffffr", id="and is over when it was gone for so long"),
        pytest.param("x*3 .*2 x", {2: ["ack c s"]}, 1, 3, "pfaaaa", id="acknowledged also while it flaps"),
        pytest.param("x*4", {1: ["gap 9"], 2: ["gap 9"]}, 1, 0, "pppf", id="a gap lets it wait anew"),
        pytest.param("x*2 . .", {2: ["gap 9"]}, 1, 0, "pffr", id="in a gap nothing is over"),
        pytest.param("x", {0: ["gap 9"]}, 0, 0, "f", id="what waits for nothing waits for no gap"),
    ],
)
def test_life(series: str, acts: dict[int, list[str]], for_s: float, keep_s: float, states: str) -> None:
    rules = {"c": rule("c", for_s=float(for_s), keep_firing_s=float(keep_s))}
    play = Play({"c s": series}, acts, rules=rules).run()
    assert play.states["c s"] == states


def test_what_flaps_fires_once() -> None:
    play = Play({"agent-silent CODER": "x*5 .*5 x*5 .*25 x*5 .*40"}).run()
    assert play.fired == [(1, "agent-silent CODER")]
    assert [at for at, _ in play.resolved] == [75]


def test_a_question_after_an_answer_is_not_seen_because_the_one_before_it_was() -> None:
    play = Play({"agent-needs-you CODER": "x*6 .*3 x*6 . x*3"}, {4: ["ack agent-needs-you CODER"]}).run()
    assert play.states["agent-needs-you CODER"] == "pfffaaarrpfffffffff"
    assert play.fired == [(1, "agent-needs-you CODER"), (10, "agent-needs-you CODER")]


def test_an_eight_hour_suspend_makes_nothing_fire() -> None:
    play = Play({"agent-dead CODER": "x .*5", "budget-unpriced CODER m": "x*8"}, {1: ["gap 28800"]}).run()
    assert play.fired == []


@pytest.mark.parametrize(
    ("cause", "hidden", "hides"),
    [
        pytest.param("agent-dead CODER", "agent-silent CODER", True, id="dead hides silent"),
        pytest.param("agent-dead CODER", "agent-silent REVIEWER", False, id="another's death hides nothing"),
        pytest.param("tmux-down server", "agent-dead CODER", True, id="the server's end hides its agents' deaths"),
        pytest.param("agent-needs-you CODER", "agent-zombie CODER", True, id="who waits for you is no zombie"),
        pytest.param("agent-silent CODER", "agent-dead CODER", False, id="silent hides no death"),
    ],
)
def test_what_is_a_consequence_is_hidden(cause: str, hidden: str, *, hides: bool) -> None:
    play = Play({cause: "x*8", hidden: "x*8"}, notify={cause: True}).run()
    assert play.states[hidden][-1] == ("F" if hides else "f")


def test_held_hides_stale() -> None:
    play = Play({"agent-held CODER": ".*3 x*5 .*3", "handoff-stale CODER#t": "x*11"})
    play.run()
    assert play.states["handoff-stale CODER#t"] == "pfffFFFFfff"
    stale = play.alerts["handoff-stale", "CODER#t"]
    assert stale.hidden_by == ""


def test_what_calls_nobody_hides_nothing_that_calls() -> None:
    both = {"agent-dead CODER": "x*8", "handoff-stale CODER#t": "x*8"}
    assert Play(both, notify={"agent-dead CODER": False}).run().states["handoff-stale CODER#t"][-1] == "f"
    assert Play(both, notify={"agent-dead CODER": True}).run().states["handoff-stale CODER#t"][-1] == "F"


def test_what_is_less_grave_hides_no_critical_one() -> None:
    both = {"agent-needs-you CODER": "x*400", "poke-unproven CODER": "x*400"}
    assert Play(both, notify={"agent-needs-you CODER": True}).run().states["poke-unproven CODER"][-1] == "f"


@pytest.mark.parametrize(
    ("now", "then", "fires"),
    [
        pytest.param((Severity.WARNING, False), (Severity.CRITICAL, True), True, id="it got the light"),
        pytest.param((Severity.WARNING, True), (Severity.CRITICAL, True), True, id="graver"),
        pytest.param((Severity.WARNING, False), (Severity.WARNING, True), True, id="it calls now"),
        pytest.param((Severity.CRITICAL, True), (Severity.WARNING, False), False, id="less grave"),
        pytest.param((Severity.WARNING, True), (Severity.WARNING, True), False, id="as it was"),
    ],
)
def test_seen_is_what_it_was_and_not_what_it_becomes(
    now: tuple[Severity, bool], then: tuple[Severity, bool], *, fires: bool
) -> None:
    def say(severity: Severity, notify: bool) -> Finding:
        return replace(finding(), severity=severity, notify=notify)

    rules = at_once(RULES)
    first = step({}, [say(*now)], 1.0, 1.0, rules=rules)
    ((key, alert),) = first.alerts.items()
    told = replace(acknowledge(alert, 2.0), paged_wall=1.0, escalated=1)
    (after,) = step({key: told}, [say(*then)], 9.0, 9.0, rules=rules).alerts.values()
    assert (after.state is F) == fires
    assert (after.paged_wall, after.since_wall) == ((None, 9.0) if fires else (1.0, 1.0))


def test_the_consequence_of_a_consequence_is_hidden_too() -> None:
    play = Play(
        {"tmux-down server": "x*8", "agent-dead CODER": "x*8", "agent-silent CODER": "x*8"},
        notify={"agent-dead CODER": True},
    ).run()
    assert [said[-1] for said in play.states.values()] == ["f", "F", "F"]


ALERT = Alert(
    code="agent-dead", subject="CODER", severity=Severity.WARNING, state=F, message="m", do="d", agent=None,
    since_wall=10.0, changed_wall=10.0, notify=True,
)  # fmt: skip


def test_a_silence_holds_for_its_time() -> None:
    quiet = silence(ALERT, 100.0, 900.0)
    assert [quiet.silenced(wall) for wall in (99.0, 100.0, 999.9, 1000.0)] == [False, True, True, False]
    assert silence(ALERT, 100.0, None).silenced(1e9)
    assert not speak(quiet).silenced(100.0)
    assert not ALERT.silenced(100.0)


@pytest.mark.parametrize(
    ("act", "holds"),
    [
        pytest.param("silence 900 agent-errored CODER", True, id="a timed one outlives its alert"),
        pytest.param("silence 3 agent-errored CODER", False, id="one that is over does not"),
        pytest.param("silence agent-errored CODER", False, id="until resolved ends with it"),
    ],
)
def test_a_silence_and_the_next_time(act: str, *, holds: bool) -> None:
    play = Play({"agent-errored CODER": "x*4 .*40 x*4"}, {3: [act]}).run()
    alert = play.alerts["agent-errored", "CODER"]
    assert alert.state is F
    assert (alert.silence is not None) is holds


def finding(message: str = "m") -> Finding:
    return Finding(code="budget-hour", subject="s", message=message, do="d")


def test_a_new_text_is_stored_but_fires_no_second_time() -> None:
    first = step({}, [finding()], 1.0, 1.0)
    assert [alert.state for alert in first.fired] == [F]
    same = step(first.alerts, [finding()], 2.0, 2.0)
    assert (same.changed, same.fired) == ((), ())
    other = step(first.alerts, [finding("14 min")], 2.0, 2.0)
    assert [alert.message for alert in other.changed] == ["14 min"]
    assert other.fired == ()
    assert other.changed[0].since_wall == 1.0


def test_pending_ones_are_not_stored() -> None:
    result = step({}, [replace(finding(), code="human-turn")], 1.0, 1.0)
    assert result.changed == ()
    assert [alert.state for alert in result.alerts.values()] == [P]


def test_one_look_waits_for_nothing() -> None:
    result = step({}, [replace(finding(), code="human-turn")], 1.0, 1.0, rules=at_once(RULES))
    assert [alert.state for alert in result.fired] == [F]


def test_a_finding_may_be_graver_than_its_rule() -> None:
    result = step({}, [replace(finding(), severity=Severity.CRITICAL, notify=False)], 1.0, 1.0)
    (alert,) = result.alerts.values()
    assert (alert.severity, alert.notify) == (Severity.CRITICAL, False)
    (alert,) = step({}, [finding()], 1.0, 1.0).alerts.values()
    assert (alert.severity, alert.notify) == (Severity.WARNING, True)


def test_a_code_that_only_another_version_knows_calls_nobody() -> None:
    assert (rule_of("of-tomorrow").page, rule_of("of-tomorrow").code) == (False, "of-tomorrow")


def test_an_earlier_life_is_remembered_with_its_times() -> None:
    kept = remember(replace(ALERT, paged_wall=40.0), now=500.0, wall=100.0)
    assert (kept.since, kept.paged) == (410.0, 440.0)
    unpaged = remember(ALERT, now=500.0, wall=5.0)
    assert (unpaged.since, unpaged.paged) == (500.0, 500.0), "a clock that was set back: from now on"
    again = step({kept.key: kept}, [replace(finding(), code="agent-dead", subject="CODER")], 500.0, 100.0)
    assert again.fired == ()


def test_what_a_person_did_in_another_process_is_taken() -> None:
    acked = acknowledge(ALERT, 50.0)
    assert heard(ALERT, acked, 60.0).state is A
    assert heard(ALERT, replace(acked, since_wall=1.0), 60.0).state is F, "of an earlier time"
    quiet = silence(ALERT, 50.0, 900.0)
    assert heard(ALERT, quiet, 60.0).silence == Silence(50.0, 950.0)
    assert heard(quiet, ALERT, 60.0).silence is None, "ended by them"
    assert heard(ALERT, quiet, 2000.0).silence is None, "what is over is no news"


@given(st.lists(st.sampled_from("x.ag"), max_size=40), st.integers(0, 4), st.integers(0, 4))
def test_only_legal_moves(script: list[str], for_s: int, keep_s: int) -> None:
    """``a``: seen and acknowledged, ``g``: seen after a gap."""
    legal = {"-": "-pf", "p": "-pf", "f": "far", "a": "ar", "r": "rpf"}
    rules = {"c": rule("c", for_s=float(for_s), keep_firing_s=float(keep_s))}
    play = Play({"c s": " ".join("." if word == "." else "x" for word in script)}, rules=rules)
    play.lost = 0.0
    before, seen_for = "-", 0
    for second, word in enumerate(script):
        if word == "a" and play.alerts:
            play.alerts = {key: acknowledge(alert, second) for key, alert in play.alerts.items()}
            before = "a" if before == "f" else before
        play.round(second, [] if word == "." else ["c s"], gap=word == "g")
        seen_for = 0 if word in ".g" else seen_for + 1
        alert = play.alerts.get(("c", "s"))
        after = "-" if alert is None else alert.state[0]
        assert after in legal[before], (second, before, after)
        if after == "f" and before in "-pr" and for_s:
            assert seen_for >= for_s
        before = after
