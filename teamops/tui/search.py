"""Which blocks have a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block


def find(
    blocks: Sequence[Block], wanted: str, text_of: Callable[[Block], str], still_wanted: Callable[[], bool]
) -> frozenset[int]:
    """Return the indices of the blocks that have ``wanted`` (case-folded) in their head or text.

    Gives up, with what it has, as soon as nobody wants the answer. A block that can't be read any more has no text.
    """
    hits = set()
    for block in reversed(blocks):
        if not still_wanted():
            break
        if wanted in _head(block) or wanted in _text(block, text_of):
            hits.add(block.index)
    return frozenset(hits)


def _head(block: Block) -> str:
    return (
        f"{block.role} {block.task or ''} {block.at:%Y-%m-%d %H:%M}".casefold() if block.at else block.role.casefold()
    )


def _text(block: Block, text_of: Callable[[Block], str]) -> str:
    try:
        return text_of(block).casefold()
    except TeamopsError:
        return ""
