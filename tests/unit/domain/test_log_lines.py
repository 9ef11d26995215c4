from __future__ import annotations

import pytest

from teamops.domain.log_lines import (
    accepted_line,
    action_line,
    alert_line,
    alert_line_of,
    approval_line,
    forced_line,
    gate_line,
    page_line,
    rotation_line,
    silence_words,
    state_line,
    tamper_line,
    turn_line,
)
from teamops.model.actions import Action, Append, By, Outcome, Poke, Restart
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.model.role import CODER, HUMAN, NONE

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
        pytest.param(AlertState.FIRING, "CODER or TUTOR: a", "error: CODER or TUTOR: a", False, id="two, it or"),
        pytest.param(AlertState.FIRING, "CODER and TUTOR: a", "error: CODER and TUTOR: a", False, id="two, it and"),
        pytest.param(AlertState.FIRING, "CODER: a was", "error: CODER: a was", False, id="named, and then told"),
        pytest.param(AlertState.FIRING, "CODER orders", "error: orders", False, id="a word that begins like one"),
    ],
)
def test_alert(state: AlertState, message: str, text: str, ok: bool) -> None:
    line = alert_line(1.0, state, "error", message, CODER)
    assert (line.text, line.ok, line.role) == (text, ok, CODER)


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (None, "silenced until its cause is gone"),
        (1000.0, "silenced for 15 min"),
        (101.0, "silenced for 1 min"),
        (100.0, "not silenced"),
    ],
)
def test_a_silence_in_words(until: float | None, words: str) -> None:
    assert silence_words(Silence(0.0, until), 100.0) == words
    assert silence_words(None, 100.0) == "not silenced"


@pytest.mark.parametrize(("ok", "lead"), [(True, "told you"), (False, "could not tell you")])
def test_a_page(ok: bool, lead: str) -> None:
    line = page_line(1.0, "shop: agent-dead", "desktop", "shown", CODER, ok=ok)
    assert (line.kind, line.text, line.ok) == ("page", f"{lead} by desktop: shop: agent-dead (shown)", ok)


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


@pytest.mark.parametrize(
    ("task", "verdict", "text"),
    [
        ("t", "signed off", "sign-off of t, by ann"),
        ("t", "sent back", "t sent back, by ann"),
        (None, "sent back", "sent back, by ann"),
        (None, "block", "block, by ann"),
        ("t", "recorded", "block of t recorded as their own, by ann"),
    ],
)
def test_the_person_s_word(task: str | None, verdict: str, text: str) -> None:
    line = approval_line(1.0, task, "ann", verdict)
    assert (line.text, line.kind, line.role, line.ok) == (text, "action", HUMAN, True)


@pytest.mark.parametrize(
    ("kind", "count", "text"),
    [
        ("rewritten", 1, 'handed-on block "### [CODER]" rewritten'),
        ("vanished", 1, 'handed-on block "### [CODER]" taken out'),
        ("inserted", 1, "a block put in between handed-on ones"),
        ("rewritten", 3, "3 handed-on blocks rewritten"),
        ("vanished", 3, "3 handed-on blocks taken out"),
        ("inserted", 3, "3 blocks put in between handed-on ones"),
        ("other", 2, "2 handed-on blocks changed"),
    ],
)
def test_what_was_changed_and_accepted(kind: str, count: int, text: str) -> None:
    line = tamper_line(1.0, kind, count, "### [CODER]", CODER)
    assert (line.text, line.kind, line.role, line.ok) == (text, "protocol", CODER if count == 1 else None, False)
    line = accepted_line(1.0, "ann", kind, count, "### [CODER]")
    assert (line.text, line.kind, line.role, line.ok) == (f"accepted by ann: {text}", "protocol", HUMAN, True)


def test_a_gate_and_a_forced_block() -> None:
    assert gate_line(1.0, "t", "runs", 12.4, ok=True).text == "gate runs of t: passed in 12 s"
    assert gate_line(1.0, None, "runs", 0.4, ok=False).text == "gate runs: failed in 0 s"
    assert forced_line(1.0, CODER, None, "x").text == "block appended by force, against x"


def test_a_closed_task_and_a_rotation() -> None:
    assert (turn_line(1.0, NONE, "t").text, turn_line(1.0, NONE, "t").role) == ("t is closed", None)
    assert turn_line(1.0, NONE, None).text == "the task without a name is closed"
    assert rotation_line(1.0, 1, 1).text == "1 block of a closed task moved to the archive"
    assert rotation_line(1.0, 5, 2).text == "5 blocks of 2 closed tasks moved to the archive"
