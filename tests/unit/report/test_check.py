"""One line for a monitor: its state, its words, its figures."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from teamops.model.alert import Alert, AlertState
from teamops.model.handoff import Severity
from teamops.model.role import CODER
from teamops.report.check import HANGS, NO_SUPERVISOR, Facts, State, check, check_json, check_line


def alert(severity: Severity, message: str = "it is", state: AlertState = AlertState.FIRING, code: str = "c") -> Alert:
    return Alert(
        code=code,
        subject="s",
        severity=severity,
        state=state,
        message=message,
        do="mend it",
        agent=CODER,
        since_wall=0.0,
        changed_wall=0.0,
    )


def facts(*alerts: Alert, **known: Any) -> Facts:
    return Facts(**{"project": "shop", "pid": 7, "since_wall": 1.0, "round_age_s": 0.5, "alerts": alerts, **known})


def test_all_well() -> None:
    checked = check(facts())
    assert checked.state is State.OK
    assert check_line(checked) == (
        "TEAMOPS OK - shop: supervised by pid 7, 0 open alerts |"
        " critical=0;;0 warning=0;0 acked=0 supervisor=1 round_age=0.5s;;20"
    )


@pytest.mark.parametrize(
    ("severity", "state"),
    [
        (Severity.INFO, State.OK),
        (Severity.WARNING, State.WARNING),
        (Severity.ERROR, State.CRITICAL),
        (Severity.CRITICAL, State.CRITICAL),
    ],
)
def test_an_alert_counts_by_its_severity(severity: Severity, state: State) -> None:
    checked = check(facts(alert(severity)))
    assert checked.state is state
    assert ("it is" in check_line(checked)) == (state is not State.OK)
    assert check_json(checked)["exit"] == int(state)


def test_the_gravest_comes_first_and_what_is_too_much_is_counted() -> None:
    many = [alert(Severity.WARNING, f"w{number}") for number in range(9)]
    line = check_line(check(facts(*many, alert(Severity.ERROR, "grave"))))
    assert line.startswith("TEAMOPS CRITICAL - shop: grave; w0; w1; w2; w3; and 5 more |")
    assert "critical=1;;0 warning=9;0" in line


def test_no_supervisor_is_critical_unless_it_is_said_otherwise() -> None:
    nobody = facts(pid=None, since_wall=None, round_age_s=None)
    assert check(nobody).state is State.CRITICAL
    assert "no supervisor runs" in check_line(check(nobody))
    assert check(nobody, {NO_SUPERVISOR}).state is State.WARNING
    assert "supervisor=0" in check_line(check(nobody))
    assert "round_age" not in check_line(check(nobody))


def test_one_that_hangs_is_critical_too() -> None:
    hung = facts(round_age_s=34.2)
    assert check(hung).state is State.CRITICAL
    assert "hangs: no round for 34 s" in check_line(check(hung))
    assert check(hung, {HANGS}).state is State.WARNING
    assert check(facts(round_age_s=None)).state is State.OK


def test_what_can_t_be_known_is_unknown_but_what_is_known_to_be_critical_stays() -> None:
    assert check(facts(trouble="damaged")).state is State.UNKNOWN
    assert "damaged" in check_line(check(facts(trouble="damaged")))
    assert check(facts(alert(Severity.WARNING), trouble="damaged")).state is State.UNKNOWN
    assert check(facts(alert(Severity.ERROR), trouble="damaged")).state is State.CRITICAL
    assert check(facts(pid=None, trouble="damaged")).state is State.CRITICAL


def test_codes_that_are_to_be_warnings_are() -> None:
    assert check(facts(alert(Severity.CRITICAL)), {"c"}).state is State.WARNING
    assert check(facts(alert(Severity.CRITICAL)), {"d"}).state is State.CRITICAL
    assert check(facts(alert(Severity.INFO)), {"c"}).state is State.OK


def test_what_is_mailed_holds_no_key() -> None:
    key = "sk-" + "proj-Zb3kQ9wX7vLm2NpR5tYc8dFg1hJs4aTe"
    told = check(facts(alert(Severity.CRITICAL, message=f"401 for {key}")))
    assert "[secret]" in check_line(told)
    assert key not in check_line(told) + json.dumps(check_json(told))


def test_what_the_person_knows_of_counts_only_when_asked() -> None:
    known = facts(alert(Severity.CRITICAL, state=AlertState.ACKED), alert(Severity.CRITICAL, state=AlertState.PENDING))
    assert check(known).state is State.OK
    assert "acked=1" in check_line(check(known))
    assert check(known, acked=True).state is State.CRITICAL
    assert len(check(known, acked=True).causes) == 1
    hidden = facts(replace(alert(Severity.CRITICAL), hidden_by="tmux-down"))
    assert check(hidden).state is State.OK, "what stands for it is what counts"


@example("a|b", "c | d=1;2")
@given(st.text(), st.text())
def test_whatever_agents_say_it_is_one_line_with_one_bar(project: str, message: str) -> None:
    line = check_line(check(facts(alert(Severity.ERROR, message), project=project)))
    assert line.splitlines() == [line]
    assert line.count("|") == 1
    assert "\x1b" not in line
    assert len(line.partition(" | ")[0]) < 700
