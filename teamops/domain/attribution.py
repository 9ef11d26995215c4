"""Who could have made a change that was seen in a work tree, and whether any of them may.

A change is no confession. It is a violation only where none of those who could have made it may make it; where one may,
only what points at another directly outweighs that. Where no agent is seen to do anything, it is nobody's: the person
has hands, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import Struct

from teamops.model.role import Role

LATELY_S = 10.0
"""A hook's word about a path speaks of a change that comes so soon after it."""

SEVERAL = "it came by more than one step between two looks, or unseen: some of it may be another's, or yours"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a role may not make a change."""

    rule: str
    why: str
    hint: bool = False
    """It is only told: the change stays its own to make."""
    unsaid: bool = False
    """What the role may change can't be said, so that it counts as forbidden: told, and undone by nobody's rule."""


class Candidate(Struct, frozen=True, kw_only=True):
    """An agent that lives in the work tree, as far as one change in it is concerned."""

    role: Role
    refusal: Refusal | None = None
    """``None``: it may."""
    held_off: bool = False
    """The kernel lets it write nothing there."""
    opened: bool = False
    """A process of its tree had the file open to write."""
    let: float | None = None
    """So many seconds before, its hook let a call about that path through; ``None`` = none lately."""
    refused: float | None = None
    """So many seconds before, its hook refused one."""
    light: bool = False
    """It holds a light."""
    busy: bool = False
    """It was seen at work."""

    @property
    def direct(self) -> bool:
        """Something shows that it was this one."""
        return self.opened or self.let is not None

    @property
    def active(self) -> bool:
        """It may well have done something."""
        return self.direct or self.refused is not None or self.light or self.busy

    @property
    def rank(self) -> tuple[bool, ...]:
        """What speaks for it, best evidence first."""
        return (self.opened, self.let is not None, self.refused is not None, self.light, self.busy)

    @property
    def words(self) -> str:
        """Return the best that speaks for it."""
        if self.opened:
            return f"{self.role}, or a program of its, had the file open to write"
        if self.let is not None:
            return f"{self.role}'s hook let a call about it through {self.let:.0f} s before"
        if self.refused is not None:
            return f"{self.role}'s hook refused a call about it {self.refused:.0f} s before"
        if self.light:
            return f"{self.role} holds the light" + (" and was at work" if self.busy else "")
        return f"{self.role} was at work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A change that none of those who could have made it may make."""

    roles: tuple[Role, ...]
    """The likeliest first."""
    refusal: Refusal
    """Of the likeliest."""
    evidence: tuple[str, ...]
    sure: bool
    """It was the likeliest, by all that can be known: sure enough to undo it."""
    direct: bool = False
    """Something shows that it was they."""


def attribute(candidates: Sequence[Candidate]) -> Blame | None:
    """Return whose violation a change is; ``None`` where it is none, or nobody's that can be told."""
    able = [one for one in candidates if one.opened or not one.held_off]
    suspects = [one for one in able if one.direct]
    direct = bool(suspects)
    if any(one.refusal is None for one in suspects or able):
        return None
    if not direct:
        suspects = [one for one in able if one.active]
    suspects.sort(key=lambda one: one.rank, reverse=True)
    first = suspects[0] if suspects else None
    if first is None or first.refusal is None:
        return None
    evidence = [one.words for one in suspects]
    sure = direct or first.refused is not None or (len(able) == 1 and first.busy)
    unsaid = [one.role for one in suspects if one.refusal is not None and one.refusal.unsaid]
    if not direct:
        evidence.append(_doubt(first, len(able)))
    if unsaid:
        evidence.append(f"what {', '.join(unsaid)} may change can't be said, so it counts as forbidden")
    return Blame(
        roles=tuple(one.role for one in suspects),
        refusal=first.refusal,
        evidence=tuple(evidence),
        sure=sure and not unsaid,
        direct=direct,
    )


def of_several(blame: Blame) -> Blame:
    """Return what is known of a change that several acts made between two looks: one of them may be anybody's."""
    return replace(blame, sure=False, direct=False, evidence=(*blame.evidence, SEVERAL))


def _doubt(first: Candidate, able: int) -> str:
    if able == 1:
        return f"no other agent could have written there; nothing shows that it was not you instead of {first.role}"
    return f"nothing shows directly that it was {first.role}: another program of yours may have written it, or you"


def over_net(lines: Sequence[tuple[int, int]], most: int) -> str:
    """Return why the files that a role changed in its turn grew by more than it may; empty = they didn't.

    ``lines``: of each file how many were added and taken out; ``most``: what the role's limit is.
    """
    net = sum(added - removed for added, removed in lines)
    if net <= most:
        return ""
    return f"its turn made the files {net} lines longer, and {most} is the most"
