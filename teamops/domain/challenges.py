"""The duty to challenge, and to answer.

Source of the rule: the house plan, "The protocol": a REVIEWER block challenges, or says why not; the DIRECTOR's next
block answers each point. Silence is a violation.
"""

from __future__ import annotations

from collections.abc import Mapping

from teamops.domain.breach import again, breach, named
from teamops.model.handoff import Block, Point
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import DIRECTOR, HUMAN, REVIEWER
from teamops.model.text import clean_line


def challenge_findings(block: Block, owed: Mapping[int, Point], *, reviews: bool) -> list[ProtocolFinding]:
    """Return what ``block``, which hands the light on, fails to do: a review challenges, the DIRECTOR answers ``owed``.

    ``reviews``: it is a review; a REVIEWER who can't go on has not reviewed.
    """
    if block.role == REVIEWER:
        return _unchallenged(block) if reviews else []
    if block.role != DIRECTOR:
        return []
    return [_unanswered(block, owed[number]) for number in sorted(still_owed(block, owed))]


def still_owed(block: Block, owed: Mapping[int, Point]) -> dict[int, Point]:
    """Return what is owed after ``block``. DIRECTOR and HUMAN answer; REVIEWER and HUMAN ask."""
    left = dict(owed)
    if block.role in (DIRECTOR, HUMAN):
        for answer in block.responses:
            left.pop(answer.number, None)
    if block.role in (REVIEWER, HUMAN) and block.challenges:
        left.update((point.number, point) for point in block.challenges.points)
    return left


def _unchallenged(block: Block) -> list[ProtocolFinding]:
    asked = block.challenges
    if asked is not None and (asked.points or asked.none.strip()):
        return []
    what = "has no Challenges" if asked is None else "has Challenges without a point and without a reason"
    return [
        breach(
            "no-challenges",
            block,
            f"the review{named(block.task)} by {block.role} {what}",
            f"{again(block)} and a section #### Challenges: numbered points, or"
            ' "None:" and what was looked for and why it holds',
        )
    ]


def _unanswered(block: Block, point: Point) -> ProtocolFinding:
    return breach(
        "challenge-unanswered",
        block,
        f"{block.role} goes on in line {block.line} without an answer to challenge {point.number}{named(block.task)}:"
        f' "{clean_line(point.text, 80)}"',
        f'{again(block)} and a section #### Responses with a point "{point.number}. …":'
        " agreed and changed where, or declined and why",
        point.line,
    )


class Echo:
    """Approvals in a row, over all tasks, without one challenge."""

    __slots__ = ("_limit", "count")

    def __init__(self, limit: int, count: int = 0) -> None:
        self._limit = limit
        self.count = count

    def copy(self) -> Echo:
        """Return a count that may go its own way."""
        return Echo(self._limit, self.count)

    def take(self, block: Block, *, back: bool) -> list[ProtocolFinding]:
        """Count the review in ``block``; ``back``: it asks for changes."""
        if back or (block.challenges and block.challenges.points):
            self.count = 0
            return []
        self.count += 1
        if self._limit < 1 or self.count % self._limit:
            return []
        return [
            breach(
                "echo-chamber",
                block,
                f"{self.count} approvals in a row without one challenge: reviewer and author may echo each other",
                "let another model or a person review the next one, or ask the REVIEWER what it tried to break",
            )
        ]
