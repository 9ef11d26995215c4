"""How an agent's memory is said in a few words: a poke's steps, a restart's outcome, a process's state."""

from __future__ import annotations

from datetime import datetime

from teamops.model.actions import By
from teamops.model.agent_report import Delivery, DeliveryStage, Launch, RestartRecord
from teamops.tui import words

STAGES: dict[DeliveryStage, tuple[str, str]] = {
    DeliveryStage.DECIDED: ("○", "info"),
    DeliveryStage.REFUSED: ("✖", "bad"),
    DeliveryStage.TYPED: ("◔", "info"),
    DeliveryStage.ACCEPTED: ("✓", "info"),
    DeliveryStage.WORKING: ("●", "ok"),
    DeliveryStage.UNPROVEN: ("?", "warn"),
}
"""How far a poke has come → its symbol and its palette role."""

BY = {By.RULE: "by rule", By.PERSON: "by you"}


def moment(wall: float, now: float) -> str:
    """Return a moment to the second; one of another day with its date and to the minute."""
    at = datetime.fromtimestamp(wall).astimezone()
    today = datetime.fromtimestamp(now).astimezone().date() == at.date()
    return at.strftime("%H:%M:%S" if today else "%m-%d %H:%M")


def after(begin: float, end: float) -> str:
    """Return how long after ``begin`` something came: +0.4s, +14s, +3m."""
    seconds = max(0.0, end - begin)
    return f"+{seconds:.1f}s" if seconds < 10 else f"+{words.age(seconds)}"


def steps(poke: Delivery) -> str:
    """Return each step of a poke that came after its decision, and how long after."""
    told = " ".join(f"→ {step} {after(poke.decided_wall, wall)}" for step, wall in poke.steps)
    return told or ("not typed so far" if poke.stage is DeliveryStage.DECIDED else "not typed")


def outcome(record: RestartRecord) -> tuple[str, str]:
    """Return the symbol and palette role of how a restart went."""
    if record.ok is None:
        return "…", "warn"
    return ("✓", "ok") if record.ok else ("✖", "bad")


def started(launch: Launch, now: float, pid: int | None) -> str:
    """Return how the agent's process came about."""
    how = "ran already, adopted" if launch.adopted else "by teamops"
    told = f"{how} {moment(launch.wall, now)}, {words.age(now - launch.wall)} ago, pid {launch.pid}"
    if pid is not None and pid != launch.pid:
        told += f"; pid {pid} runs now, which teamops did not start"
    return told
