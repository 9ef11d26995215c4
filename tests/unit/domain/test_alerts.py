from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.alerts import Key, acknowledge, step
from teamops.model.alert import Alert, AlertState, Finding
from teamops.model.handoff import Severity

P, F, A, R = AlertState.PENDING, AlertState.FIRING, AlertState.ACKED, AlertState.RESOLVED


def finding(code: str = "c", subject: str = "s", message: str = "m", rounds: int = 2) -> Finding:
    return Finding(
        code=code, severity=Severity.WARNING, subject=subject, message=message, do="d", rounds=rounds, notify=True
    )


def play(script: str, rounds: int = 2) -> list[str]:
    """Play rounds: ``x`` cause seen on a tick, ``b`` seen in a burst between ticks, ``.`` not seen, ``a`` acknowledged.

    Returns for each round the state's first letter (``-`` none), in upper case where it fired in that round.
    """
    alerts: Mapping[Key, Alert] = {}
    out = []
    for index, letter in enumerate(script):
        if letter == "a":
            alerts = {key: acknowledge(alert, index) for key, alert in alerts.items()}
            out.append("".join(alert.state[0] for alert in alerts.values()) or "-")
            continue
        seen = [] if letter == "." else [finding(rounds=rounds)]
        result = step(alerts, seen, float(index), counts=letter in "x.")
        alerts = result.alerts
        word = "".join(alert.state[0] for alert in alerts.values()) or "-"
        out.append(word.upper() if result.fired else word)
    return out


@pytest.mark.parametrize(
    ("script", "rounds", "states"),
    [
        pytest.param("xx", 2, "pF", id="two rounds make it fire"),
        pytest.param("x.", 2, "p-", id="one round makes nothing"),
        pytest.param("x.xx", 2, "p-pF", id="rounds are in a row"),
        pytest.param("bbbb", 2, "pppp", id="a burst of events is no round"),
        pytest.param("bx", 2, "pp", id="a burst does not count as a first round"),
        pytest.param("x", 1, "F", id="at once where one round is enough"),
        pytest.param("b", 1, "F", id="at once also between ticks"),
        pytest.param("xxx", 2, "pFf", id="fires once"),
        pytest.param("xx.", 2, "pFr", id="resolves by itself"),
        pytest.param("xx.xx", 2, "pFrpF", id="fires again after it was over"),
        pytest.param("xxax", 2, "pFaa", id="acknowledged stays so while the cause lasts"),
        pytest.param("xxax.", 2, "pFaar", id="acknowledged resolves"),
        pytest.param("xax", 2, "ppF", id="a pending one can't be acknowledged"),
        pytest.param("xx.a", 2, "pFrr", id="a resolved one can't be acknowledged"),
        pytest.param("..", 2, "--", id="nothing"),
    ],
)
def test_life(script: str, rounds: int, states: str) -> None:
    assert "".join(play(script, rounds)) == states


def test_a_new_text_is_stored_but_fires_no_second_time() -> None:
    first = step({}, [finding(rounds=1)], 1.0, counts=True)
    same = step(first.alerts, [finding(rounds=1)], 2.0, counts=True)
    assert (same.changed, same.fired) == ((), ())
    other = step(first.alerts, [finding(message="14 min", rounds=1)], 2.0, counts=True)
    assert [alert.message for alert in other.changed] == ["14 min"]
    assert other.fired == ()
    assert other.changed[0].since_wall == 1.0


def test_pending_ones_are_not_stored() -> None:
    result = step({}, [finding()], 1.0, counts=True)
    assert result.changed == ()
    assert [alert.state for alert in result.alerts.values()] == [P]


def test_after_a_restart_a_firing_alert_fires_no_second_time() -> None:
    fired = step({}, [finding(rounds=1)], 1.0, counts=True)
    kept = {alert.key: replace(alert, rounds=0) for alert in fired.changed}
    again = step(kept, [finding(rounds=1)], 2.0, counts=True)
    assert again.fired == ()


@given(st.lists(st.sampled_from("xb.a"), max_size=40), st.integers(1, 4))
def test_only_legal_moves(script: list[str], rounds: int) -> None:
    legal = {"-": "-pF", "p": "-pF", "f": "faR r".replace(" ", ""), "a": "ar", "r": "rpF"}
    before = "-"
    ticks = 0
    for letter, after in zip(script, play("".join(script), rounds), strict=True):
        assert after in legal[before.lower()], (before, after)
        ticks = ticks + 1 if letter == "x" else (0 if letter == "." else ticks)
        if after == "F":
            assert rounds <= 1 or ticks >= rounds
        before = after
