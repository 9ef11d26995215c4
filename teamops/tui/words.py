"""Values in few cells: ages, money, sizes, sparklines, and the symbol that goes with each word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from teamops.model.agent import AgentState, AgentView, EvidenceKind
from teamops.model.alert import Alert, AlertState
from teamops.model.handoff import GateResult, Severity, Stage, Standing
from teamops.model.snapshot import LightState, LightView

NOTHING = "—"
CURSOR = "\u203a"
"""Marks the row under the cursor where colours may not."""
_LEVELS = "▁▂▃▄▅▆▇█"
BADGE = "△"
"""Goes before what a plain spike rule says."""
GAP = "·"
"""A minute without anything, in a strip."""

STATES: dict[AgentState, tuple[str, str]] = {
    AgentState.WORKING: ("●", "ok"),
    AgentState.IDLE: ("○", "dim"),
    AgentState.STARTING: ("◔", "info"),
    AgentState.WAITING: ("◆", "human"),
    AgentState.ERRORED: ("▲", "bad"),
    AgentState.SILENT: ("◌", "warn"),
    AgentState.ZOMBIE: ("◍", "bad"),
    AgentState.RUNAWAY: ("⇈", "bad"),
    AgentState.SUSPENDED: ("‖", "info"),
    AgentState.DEAD: ("✖", "bad"),
    AgentState.SHUTTING_DOWN: ("◐", "info"),
    AgentState.BACKING_OFF: ("↻", "warn"),
    AgentState.HELD: ("■", "warn"),
    AgentState.GIVEN_UP: ("■", "bad"),
    AgentState.UNKNOWN: ("?", "dim"),
}
"""State → its symbol and its palette role. The word always stands beside it: colour is never alone."""

HANDED_ON = ("▷", "handed on", "info")
"""A light that its holder has not taken yet, and has had for no longer than that is nothing to speak of."""

LIGHTS: dict[LightState, tuple[str, str, str]] = {
    LightState.WORKING: ("●", "working", "ok"),
    LightState.WAITING: ("◔", "waiting", "warn"),
    LightState.STALE: ("▲", "STALE", "bad"),
    LightState.HUMAN: ("◆", "your turn", "human"),
}
"""Light state → symbol, word, palette role. ``light_words`` knows the light that nobody has taken yet."""

SEVERITIES: dict[Severity, tuple[str, str]] = {
    Severity.INFO: ("i", "info"),
    Severity.WARNING: ("▲", "warn"),
    Severity.ERROR: ("✖", "bad"),
    Severity.CRITICAL: ("■", "bad"),
}

ALERT_STATES: dict[AlertState, str] = {
    AlertState.PENDING: "pending",
    AlertState.FIRING: "firing",
    AlertState.ACKED: "seen",
    AlertState.RESOLVED: "over",
}


def silence(alert: Alert, now: float) -> str:
    """Return how long an alert is silenced for yet; empty = it is not."""
    held = alert.silence
    if held is None or not alert.open or not held.holds(now):
        return ""
    return "silenced" if held.until_wall is None else f"silenced {age(held.until_wall - now)}"


def held(alert: Alert, now: float) -> str:
    """Return until when the cap holds an alert back that ought to be told; empty = it does not."""
    if alert.held_wall is None or not alert.held(now):
        return ""
    return f"held until {datetime.fromtimestamp(alert.held_wall).astimezone():%H:%M}"


PIPELINES: dict[int, tuple[Stage, ...]] = {
    1: (Stage.DESIGN,),
    2: (Stage.DESIGN, Stage.IMPLEMENT, Stage.VERIFY),
    3: (Stage.DESIGN, Stage.DESIGN_REVIEW, Stage.IMPLEMENT, Stage.CODE_REVIEW, Stage.CONFIRM, Stage.SIGN_OFF),
}
"""The stations of each tier, as the protocol defines them."""

SHORT_STAGES: dict[Stage, str] = {
    Stage.DESIGN_REVIEW: "d-rev",
    Stage.IMPLEMENT: "impl",
    Stage.CODE_REVIEW: "c-rev",
    Stage.CONFIRM: "conf",
    Stage.SIGN_OFF: "sign",
}

STANDINGS: dict[Standing, tuple[str, str]] = {
    Standing.OPEN: ("○", "dim"),
    Standing.DONE: ("✓", "ok"),
    Standing.DOUBTED: ("▲", "bad"),
    Standing.WITHDRAWN: ("\u2013", "dim"),
}
"""What "done" is worth → its symbol and its palette role."""

GATE_RESULTS: dict[GateResult, tuple[str, str]] = {
    GateResult.PASS: ("✓", "ok"),
    GateResult.FAIL: ("✖", "bad"),
    GateResult.UNKNOWN: ("?", "warn"),
}

_URGENCY = {LightState.STALE: 0, LightState.HUMAN: 1, LightState.WAITING: 2, LightState.WORKING: 3}


def by_urgency(lights: Sequence[LightView]) -> list[LightView]:
    """Return ``lights`` with the one that most needs its person first."""
    return sorted(lights, key=lambda light: (_URGENCY[light.state], -light.unanswered_s, light.line))


def age(seconds: float | None) -> str:
    """Return a duration of seconds in at most five cells: 12s, 4m, 3h07, 2d."""
    if seconds is None:
        return NOTHING
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 86400}d"


def number_of(number: int, what: str) -> str:
    """Return a number of things in words: 1 block, 2 blocks."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def state_since(alert: Alert) -> float:
    """Return since when, in Unix seconds, the alert is in the state that it is in."""
    quiet = alert.state in (AlertState.ACKED, AlertState.RESOLVED)
    return alert.changed_wall if quiet else alert.since_wall


def clock(seconds: float) -> str:
    """Return a duration as mm:ss, from 100 minutes on as 1h40."""
    whole = max(0, int(seconds))
    return f"{whole // 60:02d}:{whole % 60:02d}" if whole < 6000 else age(whole)


def count(number: int) -> str:
    """Return a number in at most five cells: 950, 1.2k, 12k, 3.4M."""
    for unit, size in (("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000)):
        if number >= size:
            value = number / size
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
    return str(number)


def size(number: int | None) -> str:
    """Return bytes in at most five cells: 850K, 412M, 1.2G."""
    if number is None:
        return NOTHING
    if number < 1 << 20:
        return f"{number >> 10}K"
    value = number / (1 << 20)
    return f"{value:.0f}M" if value < 1000 else f"{value / 1024:.1f}G"


def money(cost: Decimal, unpriced: int = 0) -> str:
    """Return US dollars: ``—`` for nothing, ``?`` where tokens have no known price (yet)."""
    if not cost:
        return "?" if unpriced else NOTHING
    if cost < Decimal("0.01"):
        amount = "<$0.01"
    elif cost < 1000:
        amount = f"${cost:.2f}"
    else:
        amount = f"${cost:,.0f}"
    return amount + ("+?" if unpriced else "")


def fine_money(cost: Decimal) -> str:
    """Return US dollars with three significant digits where they are less than a cent: what one cycle costs."""
    if not cost or cost >= Decimal("0.01"):
        return money(cost)
    return f"${cost:.{2 - cost.adjusted()}f}"


def fold(values: Sequence[float], width: int, *, peak: bool = False) -> list[float]:
    """Return ``values`` in ``width`` buckets (their sums, or their peaks), the newest kept whole at the right."""
    number = len(values)
    if width <= 0 or not number:
        return []
    if number <= width:
        return list(values)
    edges = [number * place // width for place in range(width + 1)]
    merge = max if peak else sum
    return [merge(values[left:right]) for left, right in pairwise(edges)]


def spark(values: Sequence[float], width: int, *, peak: bool = False) -> str:
    """Return ``values`` as blocks in exactly ``width`` cells, newest at the right; a dot is nothing at all."""
    return _spark(tuple(values), width, peak=peak)


@lru_cache(maxsize=512)
def _spark(values: tuple[float, ...], width: int, *, peak: bool) -> str:
    """Draw a strip. Those of a team change once a minute, and are drawn each second."""
    folded = fold(values, width, peak=peak)
    top = max(folded, default=0.0)
    cells = [GAP if value <= 0 else _LEVELS[min(7, int(value / top * 7.999))] for value in folded]
    return "".join(cells).rjust(max(0, width), GAP)


def climb(values: Sequence[float], width: int) -> str:
    """Return the running sum of ``values`` as blocks in ``width`` cells: the curve of what it has cost."""
    total = 0.0
    sums = []
    for value in values:
        total += value
        sums.append(total)
    folded = [sums[max(0, len(sums) * (place + 1) // width - 1)] for place in range(width)] if sums else []
    cells = [GAP if value <= 0 else _LEVELS[min(7, int(value / total * 7.999))] for value in folded]
    return "".join(cells).rjust(max(0, width), GAP)


_EVIDENCE = {
    EvidenceKind.HOOK: "hook",
    EvidenceKind.STATUS: "stat",
    EvidenceKind.TRANSCRIPT: "log",
    EvidenceKind.BEAT: "beat",
    EvidenceKind.PROCESS: "proc",
    EvidenceKind.PANE: "pane",
    EvidenceKind.OWN: "own",
    EvidenceKind.NOTHING: "",
}


def evidence(agent: AgentView) -> str:
    """Return why the agent's state is believed, and how old that is: "hook 3s"."""
    name = _EVIDENCE[agent.evidence.kind]
    if not name:
        return NOTHING
    return name if agent.evidence.age_s is None else f"{name} {age(agent.evidence.age_s)}"


def state_words(agent: AgentView) -> str:
    """Return the agent's state in words, with how it ended or why it is held."""
    words = agent.state.value
    if agent.state is AgentState.DEAD:
        if agent.exit_signal is not None:
            words += f" (signal {agent.exit_signal})"
        elif agent.exit_status is not None:
            words += f" (exit {agent.exit_status})"
    if not agent.held:
        return words
    return f"{words}: {agent.held}" if agent.state is AgentState.HELD else f"{words}, held: {agent.held}"


def badges(agent: AgentView) -> str:
    """Return what the plain spike rules say of it: "△10\u00d7cycle"; empty = nothing."""
    return " ".join(f"{BADGE}{badge}" for badge in agent.badges)


def light_words(light: LightView) -> tuple[str, str, str]:
    """Return the light's symbol, word and palette role: nobody is said to work who has shown no sign of it."""
    if light.state is LightState.WORKING and not light.answered:
        return HANDED_ON
    return LIGHTS[light.state]


def countdown(light: LightView) -> str:
    """Return how long the light has been unanswered against its limit, or that it is worked on."""
    if light.state is LightState.HUMAN:
        return f"for {age(light.unanswered_s)}"
    limit = clock(light.stale_after_s)
    if light.state is LightState.WORKING and light.answered and light.unanswered_s < 60:
        return "answered"
    return f"{clock(light.unanswered_s)} of {limit}"
