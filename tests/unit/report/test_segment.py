"""A team in one short segment: what is in it, what is left out where room is short, and that it is only text."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teamops.model.alert import AlertState, Silence
from teamops.model.role import HUMAN
from teamops.model.snapshot import LightState
from teamops.model.unrecorded import Unrecorded
from teamops.report.segment import FILE, SIGNS, Facts, age_words, facts_of, for_tmux, not_written, segment
from teamops.supervisor.segment_file import SegmentFile
from teamops.tui.believable import believable
from teamops.tui.words import LIGHTS

FACTS: Facts = {
    "at": 1000.0, "light": ["DEVELOPER", "working", 760.0], "more": 0, "alerts": 2, "cost": "3.10", "unpriced": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "● DEVELOPER 4m ⚠2 $3.10"),
        ({"light": ["HUMAN", "human", 1000.0], "alerts": 0}, "◆ HUMAN 0s $3.10"),
        ({"light": ["CODER", "stale", 1000.0 - 11520], "cost": ""}, "▲ CODER 3h12 ⚠2"),
        ({"more": 2, "alerts": 0, "cost": ""}, "● DEVELOPER 4m +2"),
        ({"light": None, "alerts": 0, "cost": "", "more": 0}, "○ no turn"),
        ({"unpriced": True}, "● DEVELOPER 4m ⚠2 $3.10+?"),
        ({"unpriced": True, "cost": "", "alerts": 0}, "● DEVELOPER 4m $?"),
        ({"at": 700.0}, "○ no news 5m"),
    ],
)
def test_what_it_says(changed: dict[str, object], said: str) -> None:
    assert segment(FACTS | changed, 1000.0) == said


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (23, "● DEVELOPER 4m ⚠2 $3.10"),
        (22, "● DEVELOPER 4m ⚠2"),
        (16, "● DEVELOPER ⚠2"),
        (13, "● DEVELOP… ⚠2"),
        (6, "● … ⚠2"),
        (4, "● D…"),
        (1, "…"),
    ],
)
def test_the_money_goes_first_where_room_is_short(width: int, said: str) -> None:
    assert segment(FACTS, 1000.0, width) == said


@pytest.mark.parametrize(("width", "said"), [(40, "✗ ledger can't be written ⚠3"), (20, "✗ ledger ⚠3"), (6, "✗ led…")])
def test_what_it_says_where_the_ledger_takes_nothing(width: int, said: str) -> None:
    alert = next(alert for alert in believable().alerts if alert.open)
    firing = replace(alert, state=AlertState.FIRING, silence=None, hidden_by="")
    quiet = (replace(firing, silence=Silence(1.0, None)), replace(firing, state=AlertState.ACKED))
    assert not_written(Unrecorded("full", (firing, *quiet), 2), 5.0, width) == said
    assert not_written(Unrecorded("full"), 5.0) == "✗ ledger can't be written"


@given(
    role=st.text(max_size=60),
    state=st.sampled_from(sorted(SIGNS)),
    numbers=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1e9)),
    width=st.integers(1, 80),
)
def test_it_is_never_wider_than_asked(role: str, state: str, numbers: tuple[int, int, float], width: int) -> None:
    facts = FACTS | {"light": [role, state, numbers[2]], "more": numbers[0], "alerts": numbers[1]}
    assert len(segment(facts, 1000.0, width)) <= width


@given(st.text("#[]{}(fg=red,bold) %x"))
def test_no_sign_is_left_single_for_tmux(text: str) -> None:
    escaped = for_tmux(text)
    assert "#" not in escaped.replace("##", "")
    assert escaped.replace("##", "#") == text


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3661, "1h01"), (90_000, "1d")]
)
def test_ages_are_short(seconds: float, said: str) -> None:
    assert age_words(seconds) == said


def test_signs_are_those_of_the_screen() -> None:
    assert {state.value: row[0] for state, row in LIGHTS.items()} == SIGNS


def test_facts_are_the_worst_light_and_what_fires() -> None:
    snapshot = believable()
    wall = snapshot.stamp.wall
    alert = next(alert for alert in snapshot.alerts if alert.open)
    firing = replace(alert, state=AlertState.FIRING, silence=None, hidden_by="")
    light = structs.replace(snapshot.lights[0], state=LightState.WORKING, since_wall=wall - 5)
    mine = structs.replace(light, role=HUMAN, state=LightState.HUMAN, since_wall=wall)
    late = structs.replace(light, state=LightState.STALE, since_wall=wall - 900)
    facts = facts_of(
        structs.replace(
            snapshot,
            lights=(light, mine, late),
            alerts=(
                firing,
                replace(firing, state=AlertState.ACKED),
                replace(firing, state=AlertState.PENDING),
                replace(firing, silence=Silence(wall - 1, None)),
                replace(firing, hidden_by="tmux-down"),
            ),
            cost_today_usd=Decimal("3.099"),
            unpriced_tokens=0,
        )
    )
    assert facts == {
        "light": [late.role, "stale", wall - 900],
        "more": 2,
        "alerts": 1,
        "cost": "3.10",
        "unpriced": False,
    }
    assert facts_of(structs.replace(snapshot, lights=(), alerts=()))["light"] is None


def test_the_file_is_written_when_something_is_new_and_by_who_acts(tmp_path: Path) -> None:
    snapshot = believable()
    acting = structs.replace(snapshot, ready=True, supervisor=structs.replace(snapshot.supervisor, acting=True))
    path = tmp_path / FILE
    file = SegmentFile(tmp_path)
    file.keep(structs.replace(acting, supervisor=structs.replace(acting.supervisor, acting=False)))
    file.keep(structs.replace(acting, ready=False))
    assert not path.exists()
    file.keep(acting)
    first = json.loads(path.read_text())
    assert first["at"] == acting.stamp.wall
    assert path.stat().st_mode & 0o777 == 0o600

    def later(seconds: float, **changed: object) -> dict[str, object]:
        stamp = structs.replace(acting.stamp, now=acting.stamp.now + seconds, wall=acting.stamp.wall + seconds)
        file.keep(structs.replace(acting, stamp=stamp, **changed))  # type: ignore[arg-type]
        return dict(json.loads(path.read_text()))

    assert later(0.5, lights=()) == first, "not more often than once a second"
    assert later(5.0) == first, "nothing is new"
    assert later(6.0, lights=())["light"] is None
    assert later(40.0, lights=())["at"] == acting.stamp.wall + 40.0, "it lives"
    assert [entry.name for entry in tmp_path.iterdir()] == [FILE]
    SegmentFile(tmp_path / "none").keep(acting)  # a folder that is gone is no reason to fail
