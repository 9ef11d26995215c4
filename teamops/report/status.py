"""A snapshot for programs (``status --json``), for people (``status``), and for tmux's status line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from teamops.domain.span import clock_words
from teamops.model.agent import AgentView, Evidence, SpikeView
from teamops.model.boundary import ViolationState
from teamops.model.budget import BudgetLine
from teamops.model.handoff import Standing
from teamops.model.snapshot import LightView, Snapshot
from teamops.report.alerts import alert_json, unrecorded_words, waits
from teamops.report.boundary import boundary_json, violation_json
from teamops.report.handoff import finding_json
from teamops.report.spend import cost_text, cycle_json, spend_json
from teamops.report.table import counted
from teamops.report.times import iso, stages_json

SCHEMA = "teamops.status/1"


def status_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot in the shape ``teamops.status/1``; times are ISO 8601 with their UTC offset."""
    who = snapshot.supervisor
    return {
        "schema": SCHEMA,
        "project": snapshot.project,
        "root": snapshot.root,
        "handoff": snapshot.handoff_path,
        "at": iso(snapshot.stamp.wall),
        "supervisor": {
            "pid": who.pid,
            "acting": who.pid is not None,
            "since": iso(who.since_wall),
            "watch_only": who.watch_only,
            "round_age_s": None if who.round_age_s is None else round(who.round_age_s, 1),
            "hangs": who.hangs,
            "unrecorded": unrecorded_words(snapshot),
        },
        "light": [_light(light) for light in snapshot.lights],
        "agents": [agent_json(agent) for agent in snapshot.agents],
        "alerts": [alert_json(alert, snapshot.stamp.wall) for alert in snapshot.alerts],
        "findings": [finding_json(finding) for finding in snapshot.findings],
        "violations": [violation_json(violation) for violation in snapshot.violations],
        "budget": {
            "today_usd": money(snapshot.cost_today_usd),
            "unpriced_tokens": snapshot.unpriced_tokens,
            "limits": [_limit(line) for line in snapshot.budgets],
        },
        "handoff_trouble": snapshot.handoff_trouble or None,
        "problems": len(snapshot.problems),
        "troubles": list(snapshot.troubles),
        "log": [
            {"at": iso(line.wall), "kind": line.kind, "role": line.role, "ok": line.ok, "text": line.text}
            for line in snapshot.log[:50]
        ],
    }


def _limit(line: BudgetLine) -> dict[str, Any]:
    return {
        "scope": line.scope,
        "today_usd": money(line.spent.day),
        "day_limit_usd": None if line.day_limit_usd is None else money(line.day_limit_usd),
        "level": line.level.value,
        "held": line.hold is not None,
    }


def money(amount: Decimal) -> float:
    """Return dollars as a number: what a script compares and adds."""
    return round(float(amount), 6)


def _light(light: LightView) -> dict[str, Any]:
    return {
        "task": light.task,
        "role": light.role,
        "name": light.name,
        "tier": light.tier,
        "stage": light.stage.value,
        "since": iso(light.since_wall),
        "age_s": round(light.age_s, 1),
        "unanswered_s": round(light.unanswered_s, 1),
        "answered": light.answered,
        "stale_after_s": light.stale_after_s,
        "state": light.state.value,
        "line": light.line,
        "stages": stages_json(light.stages),
        "rounds": light.rounds,
        "standing": str(light.standing),
        "cost": spend_json(light.cost),
    }


def agent_json(agent: AgentView) -> dict[str, Any]:
    """Return an agent as it stands in a snapshot."""
    return {
        "role": agent.role,
        "name": agent.name,
        "client": agent.client,
        "session": agent.session,
        "state": agent.state.value,
        "evidence": _evidence(agent.evidence),
        "evidences": [
            {**_evidence(known), "basis": place == agent.basis} for place, known in enumerate(agent.evidences)
        ],
        "lights": list(agent.lights),
        "pid": agent.pid,
        "pane": agent.pane_id,
        "beat_age_s": None if agent.beat_age_s is None else round(agent.beat_age_s, 1),
        "message": agent.message,
        "last_error": agent.last_error or None,
        "tokens_per_min": agent.tokens_per_min,
        "cost_today_usd": money(agent.cost_today_usd),
        "unpriced_tokens": agent.unpriced_tokens,
        "rss_bytes": agent.rss_bytes,
        "memory_note": agent.memory_note or None,
        "restarts": agent.restarts,
        "held": agent.held or None,
        "backing_off_until": iso(agent.backing_off_until_wall),
        "can_restart": agent.can_restart,
        "exit_status": agent.exit_status,
        "exit_signal": agent.exit_signal,
        "badges": list(agent.badges),
        "spike": None if agent.spike is None else _spike(agent.spike),
        "cycle": None if agent.cycle is None else cycle_json(agent.cycle),
        "boundary": None if agent.boundary is None else boundary_json(agent.boundary),
        "minutes": {
            "beats": list(agent.beats),
            "tokens": list(agent.tokens),
            "cost_usd": [round(cost, 6) for cost in agent.cost],
        },
    }


def _evidence(known: Evidence) -> dict[str, Any]:
    return {
        "kind": known.kind.value,
        "age_s": None if known.age_s is None else round(known.age_s, 1),
        "detail": known.detail,
    }


def _spike(spike: SpikeView) -> dict[str, Any]:
    return {
        "since": iso(spike.since_wall),
        "tokens_per_min": spike.rate,
        "peak_tokens_per_min": spike.peak,
        "usual_tokens_per_min": spike.usual,
        "limit_tokens_per_min": spike.limit,
        "tokens": spike.tokens,
        "cost_usd": money(spike.cost_usd),
        "why": spike.why,
    }


def status_text(snapshot: Snapshot) -> str:
    """Return the snapshot as lines for a person."""
    who = snapshot.supervisor
    acting = f"supervised by pid {who.pid}" if who.pid is not None else "nobody supervises (run: teamops watch)"
    if who.hangs and who.round_age_s is not None:
        acting += f", WHICH HANGS: no round for {clock_words(who.round_age_s)}"
    lines = [f"{snapshot.project}: {acting}, {_dollars(snapshot.cost_today_usd, snapshot.unpriced_tokens)} today"]
    if snapshot.handoff_trouble:
        lines.append(f"! {snapshot.handoff_trouble}")
    lines += ["", "Lights"]
    for light in snapshot.lights:
        task = light.task or "(no task)"
        tier = f"tier {light.tier}" if light.tier else "no tier"
        where = f"{tier}, {light.stage.value}"
        task += f", {counted(light.rounds, 'round')} back" if light.rounds else ""
        task += ", done?" if light.standing is Standing.DOUBTED else ""
        task += f", {cost_text(light.cost)} so far" if light.cost.responses else ""
        lines.append(f"  {light.role:<10} {light.state.value:<8} {clock_words(light.age_s):>11}  {where:<22} {task}")
    if not snapshot.lights:
        lines.append("  none is open: the next block's Turn lights one")
    lines += ["", "Agents"]
    lines += [_agent_line(agent) for agent in snapshot.agents]
    if not snapshot.agents:
        lines.append("  none is known: name the team in teamops.toml, or let a block appear in the handoff file")
    alerts = [alert for alert in snapshot.alerts if alert.open and not alert.hidden_by]
    lines += ["", "Alerts"]
    for alert in alerts:
        said = ", ".join(waits(alert, snapshot.stamp.wall))
        quiet = f" ({said})" if said else ""
        lines += [f"  {alert.severity.value:<8} {alert.message}{quiet}", f"           → {alert.do}"]
    if not alerts:
        lines.append("  none")
    if snapshot.findings:
        lines += ["", f"{counted(len(snapshot.findings), 'finding')} in the handoff: teamops handoff lint"]
    open_ones = [violation for violation in snapshot.violations if violation.state is ViolationState.OPEN]
    if open_ones:
        lines += ["", f"{counted(len(open_ones), 'change')} past a boundary: teamops guard violations"]
    lines += [f"note: {trouble}" for trouble in snapshot.troubles]
    return "\n".join(lines)


def _dollars(cost: Decimal, unpriced: int) -> str:
    if unpriced and not cost:
        return "?"
    return f"${cost:.2f}" + ("+?" if unpriced else "")


def _agent_line(agent: AgentView) -> str:
    state = agent.state.value
    if agent.exit_signal is not None or agent.exit_status is not None:
        state = f"{state} ({agent.evidence.detail})"
    badges = f"  {' '.join(agent.badges)}" if agent.badges else ""
    if agent.boundary is not None and agent.boundary.blocked:
        badges += f"  {agent.boundary.blocked} refused"
    if agent.boundary is not None and agent.boundary.unenforced:
        badges += "  UNENFORCED"
    beat = "-" if agent.beat_age_s is None else f"{agent.beat_age_s:.0f} s"
    rss = "-" if agent.rss_bytes is None else f"{agent.rss_bytes / 1e6:.0f} MB"
    cost = _dollars(agent.cost_today_usd, agent.unpriced_tokens)
    return (
        f"  {agent.role:<10} {agent.name:<9} {state:<18} by {agent.evidence.kind.value:<11} beat {beat:>6}"
        f"  {agent.tokens_per_min:>7} tok/min  {cost:>9}  {rss:>7}{badges}"
    )
