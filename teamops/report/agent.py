"""One agent in full for programs (``status ROLE --json``) and for people (``status ROLE``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from teamops.domain.memory_growth import size_words
from teamops.model.agent import AgentView, EvidenceKind
from teamops.model.agent_report import AgentReport, Delivery, Launch, ProcessNode, RestartRecord, SpikeRecord
from teamops.model.boundary import BoundaryView
from teamops.model.snapshot import Snapshot
from teamops.report.boundary import decision_json, decision_words, held_words
from teamops.report.status import agent_json, money
from teamops.report.table import WIDTH, counted, fit, or_dash, wrapped
from teamops.report.times import iso, moment, span

SCHEMA: Final = "teamops.agent/1"
DEEPEST: Final = 12
"""Steps that a process is indented."""
TENTH: Final = 10
"""Minutes of the last hour that are summed up in one line."""
_LABEL: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLook:
    """What one look at an agent gave."""

    snapshot: Snapshot
    agent: AgentView
    report: AgentReport
    screen: str | None
    """Its pane's text, cleaned; ``None``: it has no pane, or it can't be read now."""
    screen_trouble: str = ""
    """Why there is none."""


def agent_report_json(look: AgentLook) -> dict[str, Any]:
    """Return the look in the shape ``teamops.agent/1``: newest first in each list, times as in ``teamops.status/1``.

    Only what goes with time (``minutes``, memory's samples, a spike's trace) is oldest first.
    """
    report, known = look.report, agent_json(look.agent)
    today = known.pop("restarts")
    return {
        "schema": SCHEMA,
        "project": look.snapshot.project,
        "at": iso(look.snapshot.stamp.wall),
        **known,
        "restarts_today": today,
        "minutes_from": iso(_first_minute(look.agent, look.snapshot.stamp.wall)),
        "keeping": report.keeping or None,
        "restarts_allowed": report.attempts_allowed,
        "memory": {
            "note": report.memory_note or look.agent.memory_note or None,
            "samples": [{"at": iso(wall), "bytes": size} for wall, size in report.memory],
        },
        "refused": [decision_json(one) for one in report.refused],
        "launch": None if report.launch is None else _launch_json(report.launch),
        "deliveries": [_delivery_json(poke) for poke in report.deliveries],
        "restarts": [_restart_json(record) for record in report.restarts],
        "spikes": [spike_json(record) for record in report.spikes],
        "processes": [_process_json(node) for node in report.processes],
        "processes_left_out": report.processes_left_out,
        "screen": None if look.screen is None else look.screen.split("\n"),
        "screen_trouble": look.screen_trouble or None,
        "troubles": list(look.snapshot.troubles),
    }


def _launch_json(launch: Launch) -> dict[str, Any]:
    return {
        "at": iso(launch.wall),
        "adopted": launch.adopted,
        "pid": launch.pid,
        "session": launch.session,
        "pane": launch.pane_id,
        "client": launch.client,
        "client_session": launch.client_session or None,
    }


def _delivery_json(poke: Delivery) -> dict[str, Any]:
    return {
        "action": poke.action_id,
        "stage": poke.stage.value,
        "by": poke.by.value,
        "text": poke.text,
        "light": poke.light or None,
        "attempt": poke.attempt,
        "decided": iso(poke.decided_wall),
        "typed": iso(poke.typed_wall),
        "accepted": iso(poke.accepted_wall),
        "working": iso(poke.working_wall),
        "after_s": {step: round(wall - poke.decided_wall, 3) for step, wall in poke.steps},
        "proof": poke.proof or None,
        "refused": poke.refused or None,
        "over": poke.over,
    }


def _restart_json(record: RestartRecord) -> dict[str, Any]:
    return {
        "action": record.action_id,
        "at": iso(record.wall),
        "by": record.by.value,
        "cause": record.cause,
        "ending": record.ending,
        "attempt": record.attempt,
        "ok": record.ok,
        "message": record.message or None,
        "notes": list(record.notes),
        "session": record.session or None,
        "screen": record.screen.split("\n") if record.screen else [],
    }


def spike_json(record: SpikeRecord) -> dict[str, Any]:
    """Return a runaway with its trace, oldest sample first."""
    return {
        "began": iso(record.began_wall),
        "ended": iso(record.ended_wall),
        "peak_tokens_per_min": record.peak,
        "usual_tokens_per_min": record.usual,
        "limit_tokens_per_min": record.threshold,
        "tokens": record.tokens,
        "cost_usd": money(record.cost_usd),
        "why": record.why,
        "trace": [{"until": iso(wall), "tokens": tokens} for wall, tokens in record.trace],
    }


def _process_json(node: ProcessNode) -> dict[str, Any]:
    return {
        "pid": node.pid,
        "parent": node.parent,
        "depth": node.depth,
        "name": node.name,
        "state": node.state or None,
        "rss_bytes": node.rss_bytes,
        "cpu_s": round(node.cpu_s, 2),
    }


# For people.


def agent_report_text(look: AgentLook, width: int = WIDTH) -> str:
    """Return the look as lines for a person; each part that is empty says what fills it."""
    agent, report, now = look.agent, look.report, look.snapshot.stamp.wall
    lines = _head(look, width)
    if agent.boundary is not None:
        lines += ["", "Boundary", *_boundary(agent, agent.boundary, report, now, width)]
    lines += ["", "Evidence, best first; * is what the state rests on", *_evidence(agent, width)]
    lines += ["", "Last hour", *_hour(agent, now)]
    lines += ["", "Pokes, newest first"]
    for poke in report.deliveries:
        lines += _poke(poke, now, width)
    if not report.deliveries:
        lines.append(f"  none: {_way_out(agent, f'teamops poke {agent.role}')}")
    lines += ["", "Restarts, newest first"]
    for record in report.restarts:
        lines += _restart(record, report.attempts_allowed, now, width)
    if not report.restarts:
        lines.append(f"  none: {_way_out(agent, f'teamops restart {agent.role}')}")
    lines += ["", "Runaways, newest first"]
    for spike in report.spikes:
        lines += _spike(spike, now, width)
    if not report.spikes:
        lines.append("  none: [spike] in teamops.toml says when it is one")
    lines += ["", "Processes", *_processes(report, agent)]
    lines += ["", "Its screen now", *_screen(look)]
    lines += [f"note: {trouble}" for trouble in look.snapshot.troubles]
    return "\n".join(lines)


def _about(label: str, text: str, width: int) -> list[str]:
    return wrapped(text, width, f"  {label:<{_LABEL}}", " " * (_LABEL + 2))


def _head(look: AgentLook, width: int) -> list[str]:
    agent, report, now = look.agent, look.report, look.snapshot.stamp.wall
    state = agent.state.value + (f": {agent.held}" if agent.held else "")
    at = datetime.fromtimestamp(now).astimezone()
    lines = [f"{agent.role} {agent.name}".rstrip() + f": {state}, as of {at:%Y-%m-%d %H:%M:%S}"]
    if agent.evidence.kind is not EvidenceKind.NOTHING:
        age = "" if agent.evidence.age_s is None else f" {span(agent.evidence.age_s)} ago"
        detail = f": {agent.evidence.detail}" if agent.evidence.detail else ""
        lines += _about("known by", f"{agent.evidence.kind.value}{age}{detail}", width)
    session = f"session {agent.session}" if agent.session else "no session"
    where = f"{agent.client or '?'}, {session}, pane {or_dash(agent.pane_id)}, pid {or_dash(agent.pid)}"
    lines += _about("runs", where, width)
    if agent.lights:
        lines += _about("its turn on", ", ".join(task or "(a task without a name)" for task in agent.lights), width)
    unpriced = f", {agent.unpriced_tokens} tokens without a known price" if agent.unpriced_tokens else ""
    spent = f"${agent.cost_today_usd:.2f} today{unpriced}, {agent.tokens_per_min} tokens in the last minute"
    lines += _about("spent", spent, width)
    if agent.spike is not None:
        used = f"{agent.spike.tokens} tokens, ${agent.spike.cost_usd:.2f} in it so far"
        lines += _about("runs away", f"{agent.spike.why}; {used}", width)
    if agent.badges:
        lines += _about("badges", f"{', '.join(agent.badges)}: more than the plain rules allow", width)
    if agent.message:
        lines += _about("last said", agent.message, width)
    lines += _about("last error", agent.last_error or "none told", width)
    lines += _about("teamops", _doing(agent, report), width)
    if agent.backing_off_until_wall is not None:
        until = (
            f"no sooner than {moment(agent.backing_off_until_wall, now)}, in {span(agent.backing_off_until_wall - now)}"
        )
        lines += _about("restart", until, width)
    lines += _about("memory", _memory(agent, report), width)
    return lines + _about("started", _started(report.launch, agent, now), width)


def _doing(agent: AgentView, report: AgentReport) -> str:
    """Say what teamops does about it."""
    held = f"holds it back: {agent.held}; {_way_out(agent)}" if agent.lift else ""
    return "; ".join(filter(None, (report.keeping, held))) or "holds nothing back, restarts nothing"


def _way_out(agent: AgentView, else_by: str = "") -> str:
    """Return what brings it to work: of one that may not spend the command that lifts that, and nothing else."""
    return f"it is held, let it spend again: {agent.lift}" if agent.lift else else_by


def _boundary(agent: AgentView, boundary: BoundaryView, report: AgentReport, now: float, width: int) -> list[str]:
    lines = _about("policy", boundary.words, width)
    lines += _about("held by", held_words(agent, boundary), width)
    lines += _about("refused", f"{counted(boundary.blocked, 'call')} today", width)
    for one in report.refused:
        lines += wrapped(decision_words(one), width, f"  {moment(one.wall, now)}  ", " " * 6)
        lines += wrapped(one.why, width, " " * 6, " " * 6) if one.why else []
    if not report.refused:
        lines.append(f"  none on record: teamops guard explain --role {agent.role} PATH says what would be")
    return lines


def _memory(agent: AgentView, report: AgentReport) -> str:
    told = [size_words(agent.rss_bytes) if agent.rss_bytes is not None else "not known"]
    if note := report.memory_note or agent.memory_note:
        told.append(note)
    if len(report.memory) > 1:
        sizes = [size for _, size in report.memory]
        length = span(report.memory[-1][0] - report.memory[0][0])
        told.append(f"{size_words(min(sizes))} to {size_words(max(sizes))} in {length}")
    return "; ".join(told)


def _started(launch: Launch | None, agent: AgentView, now: float) -> str:
    if launch is None:
        return "not seen: teamops did not start it"
    how = "ran already, adopted" if launch.adopted else "by teamops"
    told = f"{how} {moment(launch.wall, now)}, pid {launch.pid}"
    if agent.pid is not None and agent.pid != launch.pid:
        told += f"; pid {agent.pid} runs now, which teamops did not start"
    return told + (f"; the client's session {launch.client_session}" if launch.client_session else "")


def _evidence(agent: AgentView, width: int) -> list[str]:
    basis = agent.basis
    lines = []
    for place, known in enumerate(agent.evidences):
        age = "-" if known.age_s is None else span(known.age_s)
        first = f"{'*' if place == basis else ' '} {known.kind.value:<12}{age:>12}  "
        lines += wrapped(known.detail or "seen", width, first, " " * len(first))
    start = f"teamops restart {agent.role}" if agent.can_restart else "name its session in teamops.toml"
    return lines or [f"  nothing is known of it: {_way_out(agent, start)}"]


def _first_minute(agent: AgentView, now: float) -> float:
    """Return when the first of its minutes began, Unix seconds."""
    return (int(now // 60) - len(agent.beats) + 1) * 60.0


def _hour(agent: AgentView, now: float) -> list[str]:
    if not (any(agent.beats) or any(agent.tokens)):
        return [f"  no sign of life: TEAMOPS_ROLE={agent.role} teamops beat"]
    lines = [f"  {'from':<14}{'beats':>7}{'tokens':>10}{'cost':>10}"]
    first = _first_minute(agent, now)
    for start in range(0, len(agent.beats), TENTH):
        own = slice(start, start + TENTH)
        cost = f"${sum(agent.cost[own]):.2f}"
        sums = f"{sum(agent.beats[own]):>7}{sum(agent.tokens[own]):>10}{cost:>10}"
        lines.append(f"  {moment(first + start * 60.0, now)[-8:-3]:<14}{sums}")
    return lines


def _poke(poke: Delivery, now: float, width: int) -> list[str]:
    told = [poke.stage.value, f"by {poke.by.value}"]
    told += [f"{step} after {wall - poke.decided_wall:.1f} s" for step, wall in poke.steps]
    told.append(poke.proof_words)
    if poke.attempt > 1:
        told.append(f"line {poke.attempt} about {poke.light}")
    first = f"  {moment(poke.decided_wall, now)}  "
    return [*wrapped(", ".join(told), width, first, " " * 6), *wrapped(f"“{poke.text}”", width, " " * 6, " " * 6)]


def _restart(record: RestartRecord, of: int, now: float, width: int) -> list[str]:
    told = f"{record.outcome}, by {record.by.value}, {record.attempt_words(of)}: {record.cause}"
    lines = wrapped(told, width, f"  {moment(record.wall, now)}  ", " " * 6)
    after = f"; after: {record.message}" if record.message else ""
    lines += wrapped(f"before: {record.ending or '-'}{after}", width, " " * 6, " " * 6)
    for note in record.notes:
        lines += wrapped(note, width, "      - ", " " * 8)
    return lines


def _spike(record: SpikeRecord, now: float, width: int) -> list[str]:
    ended = record.ended_wall
    lasted = f"lasts {span(now - record.began_wall)}" if ended is None else f"over in {span(ended - record.began_wall)}"
    used = f"{record.tokens} tokens, ${record.cost_usd:.2f} in it; limit {record.threshold} tokens/min"
    first = f"  {moment(record.began_wall, now)}  "
    return [*wrapped(f"{lasted}, {record.why}", width, first, " " * 6), *wrapped(used, width, " " * 6, " " * 6)]


def _processes(report: AgentReport, agent: AgentView) -> list[str]:
    if not report.processes:
        start = f"teamops restart {agent.role}" if agent.can_restart else "name its command in teamops.toml"
        return [f"  none runs: {_way_out(agent, start)}"]
    lines = [f"  {'pid':>8}  {'state':<13}{'memory':>8}{'cpu':>10}  program"]
    for node in report.processes:
        steps = min(node.depth, DEEPEST)
        deep = f"({node.depth}) " if node.depth > steps else ""
        tree = f"{'  ' * steps}{deep}{node.name}"
        use = f"{size_words(node.rss_bytes):>8}{node.cpu_s:>8.1f} s"
        lines.append(f"  {node.pid:>8}  {fit(node.state_word or '-', 13)}{use}  {tree}")
    if report.processes_left_out:
        lines.append(f"  and {report.processes_left_out} more")
    return lines


def _screen(look: AgentLook) -> list[str]:
    if look.screen is None:
        return [f"  {look.screen_trouble}"]
    shown = look.screen.rstrip().split("\n") if look.screen.strip() else []
    return [f"  │ {line.expandtabs(8)}" for line in shown] or ["  it is empty"]
