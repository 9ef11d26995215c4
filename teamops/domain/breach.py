"""Every way in which blocks break the protocol: its code, how much it matters, what it means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from teamops.model.handoff import Block, Severity
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import DIRECTOR, HUMAN, NONE, Role
from teamops.model.text import clean_line

_W, _E, _C = Severity.WARNING, Severity.ERROR, Severity.CRITICAL

CODES: Mapping[str, tuple[Severity, str]] = MappingProxyType(
    {
        "not-holder": (_E, "A role writes a block of a task whose light it does not hold."),
        "two-lights": (_E, "A block out of turn gives the light away: two roles believe that it is theirs."),
        "turn-not-allowed": (_E, "The light goes to a role that the tier does not allow next."),
        "design-review-skipped": (_E, "Tier 3 goes to an implementer without a design review that let it pass."),
        "code-review-skipped": (_E, "Tier 3 goes past the code review of what was built last."),
        "sign-off-skipped": (_E, "Tier 3 is closed by somebody else than HUMAN."),
        "build-skipped": (_E, "A task of tier 2 or 3 ends as done, and nobody built anything."),
        "verify-skipped": (_E, "Tier 2 is closed by its implementer, not by the DIRECTOR who verifies."),
        "tier-lowered": (_E, "A block names a lower Tier than the task has; the higher one stays in force."),
        "partner-in-loop": (_W, "PARTNER takes part in a task whose design was handed on."),
        "self-review": (_E, "A review by the role or the session that built the work."),
        "gates-missing": (_E, "Done is claimed without all three gates."),
        "gate-unproven": (_E, "Done is claimed with a gate that has no evidence."),
        "gate-failed": (_E, "Done is claimed with a gate that does not pass."),
        "gate-contradicted": (_E, "A block says that a gate passes, and the last run of that gate failed."),
        "unclear-verdict": (_E, "A review's Verdict neither approves nor sends back: nothing has passed."),
        "no-challenges": (_E, "A review challenges nothing and gives no reason."),
        "challenge-unanswered": (_E, "The DIRECTOR goes on without a response to a challenge."),
        "echo-chamber": (_W, "Many approvals in a row without one challenge."),
        "forged-sign-off": (_C, "A HUMAN block that no person wrote through teamops."),
        "block-rewritten": (_E, "A block was changed after it was handed on."),
        "block-vanished": (_E, "A block that was handed on is no more in the file."),
        "block-inserted": (_E, "A block appeared between blocks that were handed on."),
        "appended-by-force": (_W, "A block was appended against the rules, with --force."),
    }
)
"""Code → severity and meaning; the table in docs/protocol.md says the same."""


def breach(code: str, block: Block, message: str, hint: str, line: int | None = None) -> ProtocolFinding:
    """Return the finding ``code`` about ``block``; ``line`` where it is about one point and not the whole block."""
    return ProtocolFinding(
        code=code,
        severity=CODES[code][0],
        line=block.line if line is None else line,
        message=message,
        hint=hint,
        task=block.task,
        index=block.index,
        digest=block.digest,
        role=block.role,
    )


def named(task: str | None) -> str:
    """Return `` of task NAME``, or nothing for blocks without a task."""
    return f" of task {clean_line(task, 60)}" if task else ""


def a_block(role: Role | None) -> str:
    """Return ``a [ROLE] block``, as hints name what to append."""
    return f"{'an' if role and role[0] in 'AEIO' else 'a'} [{role}] block"


def again(block: Block, *, turn: bool = True) -> str:
    """Return how ``block`` is written once more, with what it lacked: its Status, and its Turn if that was right.

    Who has the light by then keeps it: what was lacking may be brought at any time.
    """
    status = f"with **Status**: {clean_line(block.status or 'done', 40)}"
    if not turn or block.turn is None:
        return f"append {a_block(block.role)} {status}, **Turn**"
    later = "" if block.turn in (NONE, block.role) else " (or who holds the light by then)"
    return f"append {a_block(block.role)} {status}, **Turn**: {block.turn}{later}"


def at_once(block: Block) -> str:
    """Return until when the author of ``block``, which gave the light away, may mend that, and who may afterwards."""
    if block.turn in (None, NONE, block.role):
        return ""
    if block.turn == DIRECTOR:
        after = "DIRECTOR sends it there, or HUMAN says"
    elif block.turn == HUMAN:
        after = "HUMAN says"
    else:
        after = f"{a_block(block.turn)} with **Status**: blocked and **Turn**: DIRECTOR, or HUMAN says"
    return f", before {block.turn} writes; after that {after} whose it is"
