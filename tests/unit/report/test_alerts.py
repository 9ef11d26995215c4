"""Alerts as lines and as JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.report.alerts import alert_json, waits

HELD = Alert(
    code="agent-dead", subject="CODER", severity=Severity.CRITICAL, state=AlertState.FIRING, message="CODER is dead",
    do="restart it", agent=None, since_wall=1000.0, changed_wall=1000.0, notify=True, held_wall=1300.0,
)  # fmt: skip


def test_what_the_cap_holds_back_says_until_when() -> None:
    until = datetime.fromtimestamp(1300.0).astimezone()
    assert waits(HELD, 1010.0) == [f"held by the cap until {until:%H:%M:%S}"]
    assert alert_json(HELD, 1010.0)["held_until"] == until.isoformat(timespec="seconds")
    silenced = replace(HELD, silence=Silence(1005.0, None))
    assert waits(silenced, 1010.0) == ["silenced until its cause is gone"]
    for other in (replace(HELD, state=AlertState.ACKED), replace(HELD, held_wall=None), replace(HELD, hidden_by="x")):
        assert waits(other, 1010.0) == []
        assert alert_json(other, 1010.0)["held_until"] is None
    assert waits(HELD, 1300.0) == []
