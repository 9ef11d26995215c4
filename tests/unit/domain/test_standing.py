from __future__ import annotations

from dataclasses import replace

import pytest

from teamops.domain.standing import may_be_taken_away, stands
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition

ALERT = Alert(
    code="human-turn", subject="t", severity=Severity.WARNING, state=AlertState.FIRING, agent=None, message="",
    do="", since_wall=0.0, changed_wall=0.0, notify=True,
)  # fmt: skip
OTHER = replace(ALERT, subject="u")
PAGE = Page(
    id="1", transition=Transition.FIRED, keys=(ALERT.key, OTHER.key), thread="t", severity=Severity.WARNING,
    project="p", title="t", body="", do="", wall=0.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("alerts", "so"),
    [
        pytest.param([], False, id="none is known any more"),
        pytest.param([ALERT], True, id="one fires"),
        pytest.param([replace(ALERT, state=AlertState.ACKED), OTHER], True, id="the other fires"),
        pytest.param([replace(ALERT, state=AlertState.ACKED)], False, id="acknowledged"),
        pytest.param([replace(ALERT, state=AlertState.RESOLVED)], False, id="over"),
        pytest.param([replace(ALERT, state=AlertState.PENDING)], False, id="pending again"),
        pytest.param([replace(ALERT, silence=Silence(0.0, 20.0))], False, id="silenced"),
        pytest.param([replace(ALERT, silence=Silence(0.0, 5.0))], True, id="silenced before"),
    ],
)
def test_a_page_stands_as_long_as_somebody_is_needed(alerts: list[Alert], *, so: bool) -> None:
    assert stands(PAGE, {alert.key: alert for alert in alerts}, 10.0) is so


def test_what_calls_nobody_goes_by_itself() -> None:
    away = {transition for transition in Transition if may_be_taken_away(replace(PAGE, transition=transition))}
    assert away == {Transition.FIRED, Transition.REPEATED, Transition.ESCALATED}
