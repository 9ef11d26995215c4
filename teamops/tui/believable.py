"""A believable team at a fixed moment: what the README's picture and the tests show."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random

from msgspec.structs import replace

from teamops.model.agent import AgentState, AgentView, Evidence, EvidenceKind
from teamops.model.alert import Alert, AlertState
from teamops.model.clock import Stamp
from teamops.model.handoff import Passage, Severity, Stage, Task
from teamops.model.protocol import StageTime
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, OPTIMIZER, PARTNER, REVIEWER, Role
from teamops.model.snapshot import (
    LightState,
    LightView,
    LogLine,
    Snapshot,
    SupervisorView,
)
from teamops.model.spend import Spend
from teamops.model.usage import Tokens
from teamops.tui.believable_boundary import believable_boundary, believable_violations
from teamops.tui.believable_costs import believable_cycle, believable_spent
from teamops.tui.believable_handoff import NOON, believable_blocks
from teamops.tui.believable_protocol import believable_findings


def moment(seconds_ago: float = 0.0) -> float:
    """Return Unix seconds so long before the picture's moment."""
    return (NOON - timedelta(seconds=seconds_ago)).timestamp()


def rhythm(seed: int, busy: float, per_minute: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]:
    """Return an hour of beats, tokens and cost: always the same for a seed; ``busy``: share of busy minutes."""
    dice = Random(seed)  # noqa: S311 - drawing, not secrecy
    beats, tokens, cost = [], [], []
    on = False
    for _ in range(60):
        on = dice.random() < (busy * 0.3 + 0.7 if on else busy * 0.3)
        beats.append(dice.randint(1, 9) if on else 0)
        used = int(per_minute * (0.3 + dice.random())) if on else 0
        tokens.append(used)
        cost.append(used * 9e-6)
    return tuple(beats), tuple(tokens), tuple(cost)


def agent(role: Role, name: str, state: AgentState, evidence: Evidence, **more: object) -> AgentView:
    """Return an agent with what the picture's agents have in common."""
    view = AgentView(
        role=role,
        name=name,
        client="claude",
        session=f"hub-{role.lower()}",
        state=state,
        evidence=evidence,
        pid=4100 + len(name),
        pane_id=f"%{len(role)}",
        can_restart=True,
    )
    return replace(view, **more)  # type: ignore[arg-type]  # fields of AgentView by name


def believable_agents() -> tuple[AgentView, ...]:
    """Return six agents in six states."""

    def hour(seed: int, busy: float, rate: int) -> dict[str, object]:
        beats, tokens, cost = rhythm(seed, busy, rate)
        return {"beats": beats, "tokens": tokens, "cost": cost}

    evidence = Evidence
    return (
        agent(
            DIRECTOR,
            "Max",
            AgentState.IDLE,
            evidence(EvidenceKind.HOOK, 356.0, "Stop"),
            beat_age_s=356.0,
            cost_today_usd=Decimal("3.41"),
            rss_bytes=398 << 20,
            cycle=believable_cycle(50, "0.0042"),
            **hour(3, 0.4, 9000),
            message="Handed webhook-retries back to Isabelle",
        ),
        agent(
            DEVELOPER,
            "Isabelle",
            AgentState.WORKING,
            evidence(EvidenceKind.HOOK, 3.0, "Bash: pytest -q tests/webhooks"),
            lights=("webhook-retries",),
            beat_age_s=3.0,
            tokens_per_min=12_480,
            cost_today_usd=Decimal("5.87"),
            rss_bytes=431 << 20,
            restarts=1,
            **hour(11, 0.8, 14000),
            evidences=(
                evidence(EvidenceKind.STATUS, 4.0, "busy"),
                evidence(EvidenceKind.HOOK, 3.0, "Bash: pytest -q tests/webhooks"),
                evidence(EvidenceKind.TRANSCRIPT, 5.0, "grew"),
                evidence(EvidenceKind.BEAT, 3.0, "ok, in a cycle"),
                evidence(EvidenceKind.PROCESS, 4020.0, "pid 4108 lives"),
                evidence(EvidenceKind.PANE, 1.0, "printed"),
            ),
            memory_note="4 GB in about 5 h",
            message="Two workers, one row: the test is red now",
        ),
        agent(
            CODER,
            "Kevin",
            AgentState.WAITING,
            evidence(EvidenceKind.STATUS, 41.0, "permission: Bash(npm install)"),
            beat_age_s=41.0,
            tokens_per_min=0,
            cost_today_usd=Decimal("1.12"),
            rss_bytes=377 << 20,
            client="codex",
            lights=("settings-page",),
            **hour(5, 0.3, 5000),
            message="May I install the date picker?",
        ),
        agent(
            REVIEWER,
            "Sarah",
            AgentState.IDLE,
            evidence(EvidenceKind.BEAT, 1260.0),
            beat_age_s=1260.0,
            cost_today_usd=Decimal("0.94"),
            rss_bytes=365 << 20,
            **hour(8, 0.15, 6000),
        ),
        agent(
            OPTIMIZER,
            "Sam",
            AgentState.DEAD,
            evidence(EvidenceKind.PROCESS, 95.0, "signal 9 (KILL)"),
            exit_signal=9,
            pid=None,
            beat_age_s=102.0,
            cost_today_usd=Decimal("0.38"),
            client="gemini",
            restarts=2,
            **hour(13, 0.5, 3000),
            message="Profiling the importer",
            evidences=(
                evidence(EvidenceKind.BEAT, 102.0, "ok"),
                evidence(EvidenceKind.PROCESS, 95.0, "ended: signal 9 (KILL)"),
            ),
            last_error="MemoryError: the importer's table",
        ),
        agent(
            PARTNER,
            "Alex",
            AgentState.UNKNOWN,
            evidence(EvidenceKind.NOTHING, None),
            pid=None,
            pane_id=None,
            client="opencode",
            unpriced_tokens=18_200,
            **hour(17, 0.05, 800),
        ),
    )


def believable() -> Snapshot:
    """Return the picture's snapshot: six agents, two open tasks, three alerts, an afternoon's events."""
    blocks, _ = believable_blocks()
    newest, other = blocks[-1], blocks[-4]
    agents = tuple(
        replace(one, boundary=believable_boundary(one.role, runs=one.pid is not None)) for one in believable_agents()
    )
    lights = (
        LightView(
            task="webhook-retries",
            role=DEVELOPER,
            name="Isabelle",
            tier=2,
            stage=Stage.IMPLEMENT,
            since_wall=moment(372),
            age_s=372,
            unanswered_s=3,
            waiting_after_s=300,
            stale_after_s=780,
            state=LightState.WORKING,
            line=newest.line,
            answered=True,
            stages=(
                StageTime(Stage.DESIGN, 1080.0, 1, current=False),
                StageTime(Stage.IMPLEMENT, 1152.0, 2, current=True),
                StageTime(Stage.VERIFY, 2268.0, 1, current=False),
            ),
            rounds=1,
            cost=Spend(21, Tokens(input=2_100, output=14_300, cache_read=412_000), Decimal("0.4127")),
        ),
        LightView(
            task="settings-page",
            role=CODER,
            name="Kevin",
            tier=3,
            stage=Stage.IMPLEMENT,
            since_wall=moment(3200),
            age_s=3200,
            unanswered_s=505,
            waiting_after_s=300,
            stale_after_s=780,
            state=LightState.WAITING,
            line=other.line,
            answered=True,
            stages=(
                StageTime(Stage.DESIGN, 11_400.0, 1, current=False),
                StageTime(Stage.DESIGN_REVIEW, 2520.0, 1, current=False),
                StageTime(Stage.IMPLEMENT, 14_720.0, 3, current=True),
                StageTime(Stage.CODE_REVIEW, 3900.0, 2, current=False),
            ),
            rounds=2,
            cost=Spend(64, Tokens(input=9_800, output=41_000, cache_read=1_900_000), Decimal("2.385")),
        ),
    )
    tasks = tuple(
        Task(
            task=light.task,
            turn=light.role,
            tier=light.tier,
            stage=light.stage,
            since_line=light.line,
            since_index=since.index,
            since_digest=since.digest,
            rounds=light.rounds,
            open=True,
            blocks=tuple(block.index for block in blocks if block.task == light.task),
            passages=(Passage(light.stage, light.role, since.index),),
            gates=next((block.checks for block in blocks[::-1] if block.task == light.task and block.checks), ()),
        )
        for light, since in zip(lights, (newest, other), strict=True)
    )
    alerts = (
        _alert(
            "agent-dead",
            "OPTIMIZER",
            Severity.ERROR,
            AlertState.FIRING,
            OPTIMIZER,
            95,
            "Sam is dead: signal 9 (KILL).",
            "Press r on Sam to start it again.",
        ),
        _alert(
            "agent-waits",
            "CODER",
            Severity.WARNING,
            AlertState.FIRING,
            CODER,
            464,
            "Kevin waits for a permission: Bash(npm install).",
            "Press a on Kevin and answer the dialog.",
        ),
        _alert(
            "handoff-stale",
            "settings-page",
            Severity.WARNING,
            AlertState.RESOLVED,
            CODER,
            5100,
            "Nobody took settings-page for 13 minutes.",
            "Poke CODER, or give the light to another role.",
        ),
    )
    log = tuple(
        LogLine(moment(ago), kind, text, role, ok)
        for ago, kind, text, role, ok in (
            (95, "state", "dead (signal 9)", OPTIMIZER, True),
            (96, "alert", "agent-dead fires: desktop notification 7", OPTIMIZER, True),
            (300, "state", "idle → working", DEVELOPER, True),
            (311, "action", "poked, taken by its client after 0.9 s", DEVELOPER, True),
            (372, "turn", "webhook-retries: the light goes to DEVELOPER", DIRECTOR, True),
            (464, "state", "working → waiting: permission: Bash(npm install)", CODER, True),
            (1260, "state", "working → idle", REVIEWER, True),
            (2640, "turn", "webhook-retries: the light goes to DIRECTOR", DEVELOPER, True),
            (2700, "action", "poke refused: a dialog is open", CODER, False),
            (4020, "action", "restarted in pane %9, pid 4108", DEVELOPER, True),
            (4500, "turn", "webhook-retries: the light goes to DEVELOPER", DIRECTOR, True),
        )
    )
    return Snapshot(
        revision=1,
        stamp=Stamp(5000.0, moment()),
        project="notify-hub",
        root="/home/ada/notify-hub",
        handoff_path="/home/ada/notify-hub/current.md",
        supervisor=SupervisorView(pid=3990, acting=True, since_wall=moment(14_000)),
        ready=True,
        lights=lights,
        tasks=tasks,
        agents=agents,
        alerts=alerts,
        log=log,
        blocks=blocks,
        findings=believable_findings(blocks),
        violations=believable_violations(),
        cost_today_usd=sum((one.cost_today_usd for one in agents), Decimal(0)),
        unpriced_tokens=0,
        spent=believable_spent(blocks),
    )


def _alert(
    code: str, subject: str, severity: Severity, state: AlertState, role: Role, ago: float, message: str, do: str
) -> Alert:
    return Alert(
        code=code,
        subject=subject,
        severity=severity,
        state=state,
        message=message,
        do=do,
        agent=role,
        since_wall=moment(ago),
        changed_wall=moment(ago),
    )
