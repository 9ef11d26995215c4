"""The stations of each tier.

Source of the rules: the house plan, "The protocol". Tier 1 is the DIRECTOR alone; tier 2 design, build, verify; tier 3
design, design review, build, code review, confirmation, sign-off by the person. A review may send the work back.
"""

from __future__ import annotations

from collections.abc import Sequence

from teamops.model.handoff import Block, Stage, Task
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, REVIEWER

_PIPELINES: dict[int, tuple[Stage, ...]] = {
    1: (Stage.DESIGN,),
    2: (Stage.DESIGN, Stage.IMPLEMENT, Stage.VERIFY),
    3: (
        Stage.DESIGN,
        Stage.DESIGN_REVIEW,
        Stage.IMPLEMENT,
        Stage.CODE_REVIEW,
        Stage.CONFIRM,
        Stage.SIGN_OFF,
    ),
}
REVIEWS = (Stage.DESIGN_REVIEW, Stage.CODE_REVIEW)
CORE = frozenset({DIRECTOR, *IMPLEMENTERS, REVIEWER, HUMAN, NONE})
"""The stations of the pipelines; every other role stands beside them."""


def pipeline(tier: int | None) -> tuple[Stage, ...]:
    """Return the stations of ``tier`` in order; of tier 2 where none is known."""
    return _PIPELINES.get(tier or 2, _PIPELINES[2])


def tasks(blocks: Sequence[Block]) -> tuple[Task, ...]:
    """Return every task of ``blocks``, in the order in which they first stand in the file."""
    return Progress().after(blocks)


class Progress:
    """The tasks of a handoff file that grows."""

    def __init__(self) -> None:
        from teamops.domain.limits import Limits
        from teamops.domain.protocol import Protocol

        self._protocol = Protocol(Limits())

    def after(self, blocks: Sequence[Block]) -> tuple[Task, ...]:
        """Return every task of ``blocks``, in the order in which they first stand in the file."""
        return self._protocol.after(blocks).tasks
