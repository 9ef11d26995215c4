"""The order of a hard stop, case by case."""

from __future__ import annotations

import pytest

from teamops.domain.hard_stop import LINGER_S, RETRY_S, SLACK_S, Facts, next_step, trouble
from teamops.model.budget import Step, StepDone

GATE, POKES, INTERRUPT, END = Step
LIVES = Facts(runs=True, gated=True)


def done(*steps: Step, failed: tuple[Step, ...] = (), wall: float = 100.0) -> dict[Step, StepDone]:
    return {step: StepDone(step=step, ok=step not in failed, wall=wall, message=f"{step} said") for step in steps}


@pytest.mark.parametrize(
    ("steps", "failed", "facts", "wall", "due"),
    [
        ((), (), LIVES, 100.0, GATE),
        ((GATE,), (), LIVES, 100.0, POKES),
        ((GATE,), (GATE,), LIVES, 100.0, POKES),  # a step that failed leads to the next
        ((GATE, POKES), (POKES,), LIVES, 100.0, INTERRUPT),
        ((), (), Facts(runs=False, gated=False), 100.0, GATE),  # who comes later finds it shut
        ((GATE, POKES), (), Facts(runs=False, gated=False), 100.0, None),
        ((GATE, POKES, INTERRUPT), (), LIVES, 1e9, None),
        ((GATE, POKES, INTERRUPT), (INTERRUPT,), LIVES, 100.0, END),
        ((GATE, POKES, INTERRUPT), (GATE,), LIVES, 100.0, END),
        ((GATE, POKES, INTERRUPT), (), Facts(runs=True, gated=False), 100.0, END),
        ((GATE, POKES, INTERRUPT), (), Facts(runs=False, gated=False, spent_wall=1e9), 1e9, None),
        ((GATE, POKES, INTERRUPT), (), Facts(runs=True, gated=True, spent_wall=100.0 + SLACK_S), 1e9, None),
        ((GATE, POKES, INTERRUPT), (), Facts(runs=True, gated=True, spent_wall=100.1 + SLACK_S), 1e9, END),
        ((GATE, POKES, INTERRUPT), (), Facts(runs=True, gated=True, busy=True), 100.0 + LINGER_S, None),
        ((GATE, POKES, INTERRUPT), (), Facts(runs=True, gated=True, busy=True), 100.1 + LINGER_S, END),
        (tuple(Step), (), LIVES, 1e9, None),
        (tuple(Step), (), Facts(runs=True, gated=True, spent_wall=100.1 + SLACK_S), 1e9, END),  # begun again by hand
        (tuple(Step), (END,), LIVES, 99.0 + RETRY_S, None),
        (tuple(Step), (END,), LIVES, 100.0 + RETRY_S, END),
        (tuple(Step), (END,), Facts(runs=False, gated=False), 1e9, None),
    ],
)
def test_what_is_due(
    steps: tuple[Step, ...], failed: tuple[Step, ...], facts: Facts, wall: float, due: Step | None
) -> None:
    assert next_step(done(*steps, failed=failed), facts, wall) is due


def test_what_did_not_succeed_is_said_unless_a_harder_step_did() -> None:
    assert trouble(done(GATE, POKES, INTERRUPT)) == ""
    assert trouble(done(GATE, POKES, failed=(GATE, POKES))) == "gate failed: gate said; pokes failed: pokes said"
    assert trouble(done(GATE, POKES, INTERRUPT, failed=(POKES,))) == "pokes failed: pokes said"
    for failed in ((GATE,), (INTERRUPT,), (GATE, POKES)):  # its end comes next, and nobody is called for what it mends
        assert trouble(done(GATE, POKES, INTERRUPT, failed=failed)) == ""
    assert trouble(done(*Step, failed=(GATE, INTERRUPT))) == ""
    assert trouble(done(*Step, failed=(END,))) == "its session could not be stopped: end said"
