"""The order of a hard stop: gate, pokes, interrupt, end. Each step is seen to be done before the next is judged.

What was done is remembered, so that a life of teamops that begins in between goes on where the last one was. A step
that failed leads to the next harder one.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from teamops.model.budget import Step, StepDone

SLACK_S = 2.0
"""What is logged so soon after an interrupt was on its way before it."""
SETTLE_S = 3.0
"""So long a client that was interrupted, and whose hooks refuse everything, has for its last lines before its end."""
LINGER_S = 8.0
"""One that says for so long after its end that it is busy runs again."""
RETRY_S = 30.0
"""An end that failed is tried again after so long."""


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an agent whose spending is to stop."""

    runs: bool
    """A process of it lives in its pane."""
    gated: bool
    """Its client asks the hook entry, which refuses."""
    spent_wall: float | None = None
    """Its last usage by its own log, Unix seconds."""
    busy: bool = False
    """Its client says that it is busy."""


def next_step(done: Mapping[Step, StepDone], facts: Facts, wall: float) -> Step | None:
    """Return the step that is due at ``wall`` (Unix seconds), or ``None`` while nothing more has to be done."""
    for step in (Step.GATE, Step.POKES):
        if step not in done:
            return step
    if not facts.runs:
        return None
    interrupt, end = done.get(Step.INTERRUPT), done.get(Step.END)
    if interrupt is None:
        return Step.INTERRUPT
    if end is None:
        quiet = interrupt.ok and facts.gated and done[Step.GATE].ok and not _goes_on(interrupt, facts, wall)
        return None if quiet and wall < interrupt.wall + SETTLE_S else Step.END
    # It runs although it was ended: the end failed, or a person started it by other ways.
    again = _goes_on(end, facts, wall) if end.ok else wall - end.wall >= RETRY_S
    return Step.END if again else None


def _goes_on(after: StepDone, facts: Facts, wall: float) -> bool:
    """Return whether the agent spends although that step was done."""
    if facts.spent_wall is not None and facts.spent_wall > after.wall + SLACK_S:
        return True
    return facts.busy and wall > after.wall + LINGER_S


def trouble(done: Mapping[Step, StepDone]) -> str:
    """Return what of a stop did not succeed, where no harder step has made up for it; empty = nothing."""
    if Step.END in done:
        return "" if done[Step.END].ok else f"its session could not be stopped: {done[Step.END].message}"
    if Step.INTERRUPT in done and not (done[Step.INTERRUPT].ok and done[Step.GATE].ok):
        return ""  # its end comes next, and makes up for it
    failed = [f"{step.value} failed: {done[step].message}" for step in Step if step in done and not done[step].ok]
    return "; ".join(failed)
