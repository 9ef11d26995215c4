"""One line for cron and monitoring, as Nagios' plugins say it: a state, what is wrong, and figures after a bar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from teamops.domain.secrets import without_secrets
from teamops.model.alert import Alert, AlertState
from teamops.model.clock import HUNG_S
from teamops.model.handoff import Severity
from teamops.model.text import clean_line
from teamops.report.table import counted
from teamops.report.times import iso

SCHEMA = "teamops.check/1"
LEDGER_TROUBLED = "ledger-troubled"
NO_SUPERVISOR, HANGS = "no-supervisor", "supervisor-hangs"
_WHOLE = 4000
"""More of a text is not looked through."""
_LONGEST = 100
"""Of one alert's words, so that the line is not cut by who reads it."""
_MOST = 5


class State(IntEnum):
    """Exit codes of Nagios' plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_RANK = {State.OK: 0, State.WARNING: 1, State.UNKNOWN: 2, State.CRITICAL: 3}
_OF = {
    Severity.INFO: State.OK,
    Severity.WARNING: State.WARNING,
    Severity.ERROR: State.CRITICAL,
    Severity.CRITICAL: State.CRITICAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a project."""

    project: str
    pid: int | None
    """Of the acting supervisor; ``None`` = there is none."""
    since_wall: float | None
    round_age_s: float | None
    alerts: Sequence[Alert]
    """Those that lists show: open, and hidden behind no other; as the supervisor stored them last, or as it tells them
    while it can't store them."""
    trouble: str = ""
    """Why the alerts can't be known; empty = they can."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is said."""

    code: str
    state: State
    text: str
    alert: Alert | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer."""

    state: State
    facts: Facts
    causes: tuple[Cause, ...]
    """The gravest first."""


def check(facts: Facts, warn: Collection[str] = (), *, acked: bool = False) -> Checked:
    """Judge ``facts``. ``warn``: codes that are no more than a warning. ``acked``: acknowledged alerts count, too."""
    causes = [
        Cause(alert.code, _least(_OF[alert.severity], alert.code, warn), alert.message, alert)
        for alert in facts.alerts
        if alert.calling or (acked and alert.state is AlertState.ACKED and not alert.hidden_by)
    ]
    if facts.pid is None:
        causes.append(Cause(NO_SUPERVISOR, _least(State.CRITICAL, NO_SUPERVISOR, warn), "no supervisor runs"))
    elif facts.round_age_s is not None and facts.round_age_s > HUNG_S:
        text = f"the supervisor (pid {facts.pid}) hangs: no round for {facts.round_age_s:.0f} s"
        causes.append(Cause(HANGS, _least(State.CRITICAL, HANGS, warn), text))
    if facts.trouble:
        causes.append(Cause("unknown", State.UNKNOWN, facts.trouble))
    told = tuple(sorted(causes, key=lambda cause: (-_RANK[cause.state], cause.alert is not None)))
    return Checked(told[0].state if told else State.OK, facts, told)


def _least(state: State, code: str, warn: Collection[str]) -> State:
    return State.WARNING if state is State.CRITICAL and code in warn else state


def check_line(checked: Checked) -> str:
    """Return the line."""
    facts, causes = checked.facts, [cause for cause in checked.causes if cause.state is not State.OK]
    words = [said(cause.text, _room(cause)) for cause in causes[:_MOST]]
    if len(causes) > _MOST:
        words.append(f"and {len(causes) - _MOST} more")
    if not words:
        words = [f"supervised by pid {facts.pid}, {counted(len(facts.alerts), 'open alert')}"]
    return f"{head(checked.state, facts.project)}{'; '.join(words)} | {_figures(checked)}"


def _room(cause: Cause) -> int:
    """Return how long its words may be: the reason why nothing else may be true stands at their end."""
    return _LONGEST if cause.alert is not None and cause.code != LEDGER_TROUBLED else 500


def head(state: State, project: str = "") -> str:
    """Return how a line begins."""
    return f"TEAMOPS {state.name} - " + (f"{said(project, 40)}: " if project else "")


def said(text: str, limit: int = 200) -> str:
    """Return outside text on one line, without secrets (it is mailed), and the bar that figures begin with."""
    return clean_line(without_secrets(clean_line(text, _WHOLE)), limit).replace("|", "/")


def _figures(checked: Checked) -> str:
    facts = checked.facts
    of_alerts = [cause.state for cause in checked.causes if cause.alert is not None]
    acked = sum(alert.state is AlertState.ACKED for alert in facts.alerts)
    figures = [
        f"critical={of_alerts.count(State.CRITICAL)};;0",
        f"warning={of_alerts.count(State.WARNING)};0",
        f"acked={acked}",
        f"supervisor={int(facts.pid is not None)}",
    ]
    if facts.pid is not None and facts.round_age_s is not None:
        figures.append(f"round_age={facts.round_age_s:.1f}s;;{HUNG_S:.0f}")
    return " ".join(figures)


def check_json(checked: Checked) -> dict[str, Any]:
    """Return the same for a program."""
    facts = checked.facts
    return {
        "schema": SCHEMA,
        "state": checked.state.name,
        "exit": int(checked.state),
        "line": check_line(checked),
        "project": clean_line(facts.project),
        "supervisor": {
            "pid": facts.pid,
            "since": iso(facts.since_wall),
            "round_age_s": None if facts.round_age_s is None else round(facts.round_age_s, 1),
        },
        "causes": [
            {
                "code": cause.code,
                "state": cause.state.name,
                "message": clean_line(without_secrets(cause.text)),
                "agent": None if cause.alert is None else cause.alert.agent,
                "since": None if cause.alert is None else iso(cause.alert.since_wall),
                "do": None if cause.alert is None else clean_line(without_secrets(cause.alert.do)),
            }
            for cause in checked.causes
        ],
    }
