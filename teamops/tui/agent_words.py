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

PROCESS_STATES = {
    "R": "running", "S": "sleeping", "D": "waits on disk", "T": "stopped", "t": "traced", "Z": "ended", "X": "ended",
    "I": "idle",
}  # fmt: skip
"""The kernel's letter in a word. A Z has ended and its parent hasn't asked how: no agent that is called a zombie."""

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
    told = [
        f"→ {word} {after(poke.decided_wall, wall)}"
        for word, wall in (("typed", poke.typed_wall), ("accepted", poke.accepted_wall), ("working", poke.working_wall))
        if wall is not None
    ]
    if poke.stage is DeliveryStage.DECIDED:
        return "not typed so far"
    return " ".join(told) or "not typed"


def proof(poke: Delivery) -> str:
    """Return what is known by which a poke arrived, or why it is not known that it did."""
    if poke.refused:
        return f"nothing was submitted: {poke.refused}"
    if poke.stage is DeliveryStage.UNPROVEN:
        return "typed, and no proof came that it was taken"
    if poke.proof:
        return f"proof: {poke.proof}"
    return "no proof yet" if poke.accepted_wall is None else "no proof is on record"


def outcome(record: RestartRecord) -> tuple[str, str, str]:
    """Return how a restart went: symbol, word, palette role."""
    if record.ok is None:
        return "…", "under way or cut off", "warn"
    return ("✓", "restarted", "ok") if record.ok else ("✖", "failed", "bad")


def attempt(record: RestartRecord, of: int) -> str:
    """Return which of the allowed restarts it was; one by a person is not counted."""
    if not record.attempt:
        return "not counted"
    return f"attempt {record.attempt} of {of}" if of else f"attempt {record.attempt}"


def started(launch: Launch, now: float, pid: int | None) -> str:
    """Return how the agent's process came about."""
    how = "ran already, adopted" if launch.adopted else "by teamops"
    told = f"{how} {moment(launch.wall, now)}, {words.age(now - launch.wall)} ago, pid {launch.pid}"
    if pid is not None and pid != launch.pid:
        told += f"; pid {pid} runs now, which teamops did not start"
    return told
