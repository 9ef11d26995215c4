"""The three gates of "done": what a claim lacks.

Source of the rule: the house plan, "The protocol": done is done only when runs, correct and complete pass, each with
its evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from teamops.domain.breach import a_block, again, breach, named
from teamops.model.handoff import GATES, Block, Gate, GateResult
from teamops.model.protocol import ProtocolFinding


class Lack(Struct, frozen=True):
    """What keeps a claim of done from being done."""

    missing: tuple[str, ...]
    """Gates of the three that are not named."""
    failed: tuple[Gate, ...]
    """Gates that fail, or of which nothing is known."""
    unproven: tuple[Gate, ...]
    """Gates that pass without evidence."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.failed or self.unproven)


def lack(gates: Sequence[Gate]) -> Lack:
    """Return what ``gates`` lack; a team's own gates count where they are named."""
    names = {gate.name for gate in gates}
    return Lack(
        tuple(name for name in GATES if name not in names),
        tuple(gate for gate in gates if gate.result is not GateResult.PASS),
        tuple(gate for gate in gates if gate.result is GateResult.PASS and not gate.evidence.strip()),
    )


def claim_findings(block: Block, gates: Sequence[Gate], *, turn: bool = True) -> list[ProtocolFinding]:
    """Return what is wrong with the claim of ``block`` that the work is done; ``turn``: its Turn is right."""
    lacking = lack(gates)
    found = []
    whose = f"{block.role} says that the work{named(block.task)} is done"
    anew = f"{again(block, turn=turn)} and **Gates**: runs=pass (…); correct=pass (…); complete=pass (…)"
    if lacking.missing:
        what = "without its gates" if len(lacking.missing) == len(GATES) else f"without {_list(lacking.missing)}"
        found.append(breach("gates-missing", block, f"{whose}, {what}", f"{anew}, what proves each in parentheses"))
    if lacking.failed:
        what = _list([f"{gate.name}={gate.result}" for gate in lacking.failed])
        found.append(
            breach(
                "gate-failed",
                block,
                f"{whose}, but claims {what}: it is not done",
                f"mend the work, then {anew}; or, at once, {a_block(block.role)} whose Status is not done",
            )
        )
    if lacking.unproven:
        what = _list([gate.name for gate in lacking.unproven])
        found.append(
            breach(
                "gate-unproven",
                block,
                f"{whose}, but nothing proves {what}",
                f"{anew}: in parentheses what was run or looked at, and what came out",
            )
        )
    return found


def _list(names: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
