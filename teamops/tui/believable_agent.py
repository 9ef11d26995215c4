"""What a believable team's agents are remembered by: pokes, restarts, runaways, processes."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from teamops.model.actions import By
from teamops.model.agent import AgentView
from teamops.model.agent_report import AgentReport, Delivery, Launch, ProcessNode, RestartRecord, SpikeRecord
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.tui.believable_boundary import believable_refused

MIB = 1 << 20


def believable_agent_report(snapshot: Snapshot, role: Role) -> AgentReport:
    """Return what is remembered of an agent: much of one that was restarted, little of the others."""
    agent = next((one for one in snapshot.agents if one.role == role), None)
    if agent is None:
        return AgentReport(role=role, attempts_allowed=2)
    wall = snapshot.stamp.wall
    return AgentReport(
        role=role,
        deliveries=_pokes(role, wall) if agent.restarts else (),
        restarts=_restarts(role, wall) if agent.restarts else (),
        spikes=_spikes(role, wall) if agent.restarts else (),
        processes=_processes(agent.pid) if agent.pid is not None else (),
        refused=tuple(one for one in believable_refused() if one.role == role),
        launch=_launch(agent, wall) if agent.restarts else None,
        keeping="restart 1 of 2 67:00 min ago" if agent.restarts else "",
        memory=tuple((wall - 60.0 * ago, (431 - ago) * MIB) for ago in range(120, -1, -1)) if agent.pid else (),
        memory_note=agent.memory_note,
        attempts_allowed=2,
    )


def _pokes(role: Role, wall: float) -> tuple[Delivery, ...]:
    def poke(number: int, ago: float, text: str, by: By = By.RULE, **more: object) -> Delivery:
        light = "light webhook-retries#4f2a" if by is By.RULE else ""
        attempt = 2 if number == 7 else int(by is By.RULE)
        at = wall - ago
        for step in ("typed", "accepted", "working"):
            if step in more:
                more[f"{step}_wall"] = at + float(str(more.pop(step)))
        base = Delivery(
            action_id=number, role=role, text=text, by=by, light=light, attempt=attempt, decided_wall=at
        )  # fmt: skip
        return replace(base, **more)  # type: ignore[arg-type]  # fields of Delivery by name

    turn = f"It is your turn, {role}: read the last block of current.md and go on."
    return (
        poke(9, 6.0, turn, typed=0.4),
        poke(8, 311.0, turn, typed=0.3, accepted=0.9, working=14.0, proof="hook UserPromptSubmit", over=True),
        poke(7, 1400.0, turn, typed=0.3, over=True),
        poke(6, 2700.0, "Leave the dates as they are.", By.PERSON, refused="a dialog is open", over=True),
        poke(5, 86_400.0, turn, typed=0.2, accepted=1.4, working=190.0, proof="transcript", over=True),
    )


def _restarts(role: Role, wall: float) -> tuple[RestartRecord, ...]:
    return (
        RestartRecord(
            action_id=4, role=role, wall=wall - 4020, by=By.RULE, cause="dead: exit status 37",
            ending="ended by itself: exit status 37", attempt=1, ok=True, message="restarted in pane %9, pid 4108",
            screen="Traceback (most recent call last):\n  File \"retry.py\", line 41\nKeyError: 'attempts'",
            notes=("current.md parses", "the work tree has 2 changed files"), session="0b6f1c9e",
        ),
        RestartRecord(
            action_id=3, role=role, wall=wall - 90_000, by=By.PERSON, cause="asked for by a person",
            ending="ended by teamops: SIGTERM", attempt=0, ok=False, message="the command is not found",
        ),
        RestartRecord(
            action_id=2, role=role, wall=wall - 90_400, by=By.RULE, cause="silent: 2 beats missed",
            ending="ended by teamops: SIGKILL", attempt=2,
        ),
    )  # fmt: skip


def _spikes(role: Role, wall: float) -> tuple[SpikeRecord, ...]:
    def spike(number: int, began: float, ended: float | None, rate: int, usual: int | None, why: str) -> SpikeRecord:
        until = wall if ended is None else ended
        calm = tuple((began - 600.0 + 30.0 * place, 90 + 40 * (place % 3)) for place in range(1, 20))
        wild = tuple((began + 10.0 * place, rate // 6) for place in range(int((until - began) // 10) + 1))
        return SpikeRecord(
            id=number, role=role, began_wall=began, ended_wall=ended, peak=rate, usual=usual,
            threshold=5000 if usual else 20_000, tokens=sum(tokens for _, tokens in wild),
            cost_usd=Decimal("0.84") * number, why=why, trace=calm + wild,
        )  # fmt: skip

    return (
        spike(2, wall - 130.0, None, 41_200, 200, "41,200 tokens/min, 206 times its usual 200"),
        spike(1, wall - 5000.0, wall - 4760.0, 23_400, None, "23,400 tokens/min (limit without any history 20,000)"),
    )


def _processes(pid: int) -> tuple[ProcessNode, ...]:
    return (
        ProcessNode(pid, 1, 0, "claude", 312 * MIB, 148.2, "S"),
        ProcessNode(pid + 3, pid, 1, "node", 61 * MIB, 4.1, "S"),
        ProcessNode(pid + 8, pid, 1, "bash", 4 * MIB, 0.1, "S"),
        ProcessNode(pid + 9, pid + 8, 2, "pytest", 54 * MIB, 21.7, "R"),
        ProcessNode(pid + 12, pid + 9, 3, "git", 0, 0.0, "Z"),
    )


def _launch(agent: AgentView, wall: float) -> Launch:
    return Launch(
        role=agent.role, session=agent.session, pane_id=agent.pane_id or "", pid=agent.pid or 0, born="1234567",
        client=agent.client, client_session="0b6f1c9e-52d7-4c1a-9a55-7f1f0e0f3c11", wall=wall - 4020, adopted=False,
    )  # fmt: skip
