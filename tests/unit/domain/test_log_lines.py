from __future__ import annotations

import pytest

from teamops.domain.log_lines import action_line, alert_line, alert_line_of, state_line, turn_line
from teamops.model.actions import Action, Append, By, Notify, Outcome, Poke, Restart
from teamops.model.alert import Alert, AlertState
from teamops.model.handoff import Severity
from teamops.model.role import CODER

DONE = Outcome(ok=True, message="typed and submitted", hint="never shown")
REFUSED = Outcome(ok=False, message="a dialog is open", hint="answer it first (a)")
POKE = Poke(role=CODER, text="hi", by=By.PERSON)


def test_turn() -> None:
    assert turn_line(1.0, CODER, "login").text == "has the light of login"
    assert turn_line(1.0, CODER, None).text == "has the light"


def test_state() -> None:
    assert state_line(1.0, CODER, "dead", "process: signal 9").text == "dead (process: signal 9)"
    assert state_line(1.0, CODER, "idle", "").text == "idle"


@pytest.mark.parametrize(
    ("state", "message", "text", "ok"),
    [
        pytest.param(AlertState.FIRING, "CODER is dead", "error: is dead", False, id="fires; the role has its column"),
        pytest.param(AlertState.RESOLVED, "CODER is dead", "over: is dead", True, id="over"),
        pytest.param(AlertState.ACKED, "the file is gone", "seen: the file is gone", True, id="seen"),
    ],
)
def test_alert(state: AlertState, message: str, text: str, ok: bool) -> None:
    line = alert_line(1.0, state, "error", message, CODER)
    assert (line.text, line.ok, line.role) == (text, ok, CODER)


def test_alert_of_nobody() -> None:
    alert = Alert(
        code="tmux-down", subject="s", severity=Severity.CRITICAL, state=AlertState.FIRING, message="gone", do="d",
        agent=None, since_wall=1.0, changed_wall=2.0,
    )  # fmt: skip
    line = alert_line_of(alert)
    assert (line.wall, line.text, line.role) == (2.0, "critical: gone", None)


@pytest.mark.parametrize(
    ("action", "outcome", "text", "ok"),
    [
        pytest.param(POKE, DONE, "poke: typed and submitted", True, id="done"),
        pytest.param(POKE, REFUSED, "poke: a dialog is open (answer it first (a))", False, id="refused"),
        pytest.param(Restart(role=CODER, by=By.RULE), None, "restart: under way", True, id="under way"),
        pytest.param(
            Notify(title="t", body="b", critical=False, role=CODER),
            DONE,
            "tell you: typed and submitted",
            True,
            id="told",
        ),
        pytest.param(
            Append(role=CODER, task="t", text="### [CODER]", by=By.PERSON),
            REFUSED,
            "append: a dialog is open (answer it first (a))",
            False,
            id="append refused",
        ),
    ],
)
def test_action(action: Action, outcome: Outcome | None, text: str, ok: bool) -> None:
    line = action_line(1.0, action, outcome)
    assert (line.text, line.ok, line.role) == (text, ok, CODER)
