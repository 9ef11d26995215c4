from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from teamops.domain.budget import BudgetRule, line_of
from teamops.model.agent import AgentState, AgentView, Evidence, EvidenceKind
from teamops.model.alert import Alert, AlertState
from teamops.model.budget import TEAM, Spent
from teamops.model.clock import Stamp
from teamops.model.handoff import Severity, Stage, Standing
from teamops.model.protocol import ProtocolFinding, StageTime
from teamops.model.role import CODER, HUMAN
from teamops.model.snapshot import LightState, LightView, Snapshot, SupervisorView
from teamops.report.status import status_json, status_text

LIGHT = LightView(
    task="login",
    role=CODER,
    name="Kevin",
    tier=2,
    stage=Stage.IMPLEMENT,
    since_wall=1_774_000_000.0,
    age_s=61.04,
    unanswered_s=61.04,
    waiting_after_s=300,
    stale_after_s=780,
    state=LightState.WORKING,
    line=12,
    stages=(StageTime(Stage.DESIGN, 600.4, 2, current=False), StageTime(Stage.IMPLEMENT, 61.0, 1, current=True)),
    rounds=1,
    standing=Standing.DOUBTED,
)
FINDING = ProtocolFinding(
    code="not-holder",
    severity=Severity.ERROR,
    line=40,
    message="CODER writes",
    hint="wait",
    task="login",
    index=3,
    digest="d",
    role=CODER,
)
AGENT = AgentView(
    role=CODER,
    name="Kevin",
    client="claude",
    session="shop-coder",
    state=AgentState.DEAD,
    evidence=Evidence(EvidenceKind.PROCESS, 3.21, "signal 9"),
    lights=("login",),
    cost_today_usd=Decimal("0.098304"),
    unpriced_tokens=12,
    exit_signal=9,
)
ALERT = Alert(
    code="agent-dead",
    subject="CODER",
    severity=Severity.CRITICAL,
    state=AlertState.FIRING,
    message="CODER is dead (signal 9)",
    do="restart CODER (r)",
    agent=CODER,
    since_wall=1_774_000_000.0,
    changed_wall=1_774_000_000.0,
)
FULL = Snapshot(
    revision=1,
    stamp=Stamp(5.0, 1_774_000_061.0),
    project="shop",
    root="/shop",
    handoff_path="/shop/current.md",
    supervisor=SupervisorView(pid=77, acting=False, since_wall=1_774_000_000.0),
    lights=(LIGHT, structs.replace(LIGHT, role=HUMAN, task=None, tier=None, state=LightState.HUMAN)),
    agents=(AGENT,),
    alerts=(ALERT, replace(ALERT, state=AlertState.RESOLVED, message="old")),
    cost_today_usd=Decimal("0.098304"),
    findings=(FINDING,),
    troubles=("panes: polls",),
)
EMPTY = Snapshot(
    revision=1,
    stamp=Stamp(0, 0),
    project="new",
    root="/new",
    handoff_path="/new/current.md",
    supervisor=SupervisorView(pid=None, acting=False, since_wall=None),
)


def test_the_contract_of_status_json() -> None:
    shown = json.loads(json.dumps(status_json(FULL)))
    assert shown["schema"] == "teamops.status/1"
    assert shown["supervisor"]["pid"] == 77
    assert shown["supervisor"]["acting"] is True
    light = shown["light"][0]
    for key in ("task", "role", "tier", "stage", "since", "age_s", "state"):
        assert key in light
    assert (light["stage"], light["age_s"], light["state"]) == ("implement", 61.0, "working")
    assert (light["rounds"], light["standing"]) == (1, "done?")
    assert light["stages"] == [
        {"stage": "design", "seconds": 600, "visits": 2, "current": False},
        {"stage": "implement", "seconds": 61, "visits": 1, "current": True},
    ]
    assert shown["findings"] == [
        {
            "code": "not-holder",
            "severity": "error",
            "line": 40,
            "task": "login",
            "role": "CODER",
            "message": "CODER writes",
            "do": "wait",
        }
    ]
    agent = shown["agents"][0]
    for key in [
        "role",
        "name",
        "session",
        "state",
        "evidence",
        "pid",
        "beat_age_s",
        "tokens_per_min",
        "cost_today_usd",
        "rss_bytes",
        "restarts",
        "held",
    ]:
        assert key in agent
    assert (agent["state"], agent["exit_signal"], agent["cost_today_usd"]) == ("dead", 9, 0.098304)
    for key in ("code", "severity", "state", "agent", "since", "message", "do"):
        assert key in shown["alerts"][0]
    assert shown["budget"]["limits"] == []


def test_limits_are_told_for_programs() -> None:
    lines = (
        line_of(TEAM, BudgetRule(day_usd=Decimal(40)), Spent(day=Decimal(33)), None),
        line_of("CODER", BudgetRule(), Spent(day=Decimal(3)), None),
    )
    assert status_json(structs.replace(EMPTY, budgets=lines))["budget"]["limits"] == [
        {"scope": "team", "today_usd": 33.0, "day_limit_usd": 40.0, "level": "soft", "held": False},
        {"scope": "CODER", "today_usd": 3.0, "day_limit_usd": None, "level": "fine", "held": False},
    ]


def test_nobody_acts() -> None:
    assert status_json(EMPTY)["supervisor"] == {
        "pid": None,
        "acting": False,
        "since": None,
        "watch_only": False,
        "round_age_s": None,
        "hangs": False,
        "unrecorded": None,
    }


@pytest.mark.parametrize(
    "words",
    [
        "supervised by pid 77",
        "CODER",
        "dead (signal 9)",
        "restart CODER (r)",
        "login",
        "no task",
        "$0.10+?",
        "panes: polls",
        "login, 1 round back, done?",
        "1 finding in the handoff: teamops handoff lint",
    ],
)
def test_text_says(words: str) -> None:
    assert words in status_text(FULL)


def test_text_leaves_resolved_alerts_out() -> None:
    assert "old" not in status_text(FULL)


def test_empty_states_name_what_to_do() -> None:
    text = status_text(EMPTY)
    assert "teamops watch" in text
    assert "Turn" in text
    assert "teamops.toml" in text


def test_a_supervisor_that_hangs_is_said() -> None:
    hung = structs.replace(EMPTY, supervisor=SupervisorView(pid=812, acting=False, since_wall=0.0, round_age_s=75.0))
    assert status_json(hung)["supervisor"]["hangs"] is True
    assert "812, WHICH HANGS: no round for" in status_text(hung).splitlines()[0]
    well = structs.replace(EMPTY, supervisor=SupervisorView(pid=812, acting=False, since_wall=0.0, round_age_s=1.0))
    assert status_json(well)["supervisor"]["round_age_s"] == 1.0
    assert "HANGS" not in status_text(well)
