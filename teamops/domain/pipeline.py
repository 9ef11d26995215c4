"""The stations of each tier.

Source of the rules: the house plan, "The protocol". Tier 1 is the DIRECTOR alone; tier 2 design, build, verify; tier 3
design, design review, build, code review, confirmation, sign-off by the person. A review may send the work back.
"""

from __future__ import annotations

from teamops.model.handoff import Stage
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
