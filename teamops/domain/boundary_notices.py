"""When an agent's boundary is worth an alert: it runs into it again and again, or nothing holds it there."""

from __future__ import annotations

from collections.abc import Iterable

from teamops.model.alert import Finding
from teamops.model.boundary import Decision
from teamops.model.role import Role

MANY = 10
"""So many refusals within WITHIN_S are no search for another way any more, but a loop."""
FEW = 4
"""Once it is said, it is over with fewer."""
WITHIN_S = 300.0
SPENDING = "held"
"""The rule of a call that was refused because nothing may be spent: that has alerts of its own."""
SETTLED_S = 15.0
"""An agent that another process starts is in the ledger only once it was seen to run."""


def counts(decision: Decision) -> bool:
    """Return whether a refusal says that the agent runs into its boundary."""
    return decision.rule != SPENDING


def is_flood(moments: Iterable[float], now: float, *, before: bool) -> bool:
    """Return whether calls are refused again and again. ``moments``: of the last refusals; ``before``: they were so.

    ``now`` and ``moments`` in the same seconds.
    """
    recent = sum(moment > now - WITHIN_S for moment in moments)
    return recent >= (FEW if before else MANY)


def flood_finding(role: Role, decision: Decision) -> Finding:
    """Return what is said of an agent whose calls are refused again and again; ``decision``: one of them."""
    by = f"{decision.rule or 'its hook'}" + (f": {decision.about}" if decision.about else "")
    often = f"{MANY} calls refused within {WITHIN_S / 60:.0f} min"
    return Finding(
        code="boundary-refused",
        subject=str(role),
        message=f"{role} runs into its boundary again and again: {often}, by {by}",
        do=f"look what it wants (Enter) and what was refused (B); poke {role} (p), or hand the work to another role",
        agent=role,
    )


def unenforced_finding(role: Role, why: str, *, started: bool) -> Finding:
    """Return what is said of an agent that neither the kernel nor its client's hooks hold.

    ``started``: teamops has started it so, and would again.
    """
    mend = (
        f"see what is missing: teamops run --role {role} --show"
        if started
        else f"restart {role} (r), so that teamops starts it within its boundary"
    )
    return Finding(
        code="boundary-unenforced",
        subject=str(role),
        message=f"nothing holds {role} to its boundary: {why}",
        do=f"{mend}; until then look at what it changes",
        agent=role,
    )
