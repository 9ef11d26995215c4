"""Which blocks have a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block


class BlockSearch:
    """One search over the handoff file; it looks at a block again only when that was rewritten."""

    def __init__(self, wanted: str, text_of: Callable[[Block], str]) -> None:
        self.wanted = wanted
        """Case-folded."""
        self._text_of = text_of
        self._known: dict[tuple[int, str], bool] = {}

    def find(self, blocks: Sequence[Block], still_wanted: Callable[[], bool]) -> frozenset[int]:
        """Return the indices of the blocks that have the text in their head or body.

        Gives up, with what it has, as soon as nobody wants the answer. A block that can't be read has no text.
        """
        hits = set()
        for block in reversed(blocks):
            if not still_wanted():
                break
            key = (block.index, block.digest)
            if key not in self._known:
                self._known[key] = self.wanted in _head(block) or self.wanted in self._text(block)
            if self._known[key]:
                hits.add(block.index)
        return frozenset(hits)

    def _text(self, block: Block) -> str:
        try:
            return self._text_of(block).casefold()
        except TeamopsError:
            return ""


def _head(block: Block) -> str:
    at = f"{block.at:%Y-%m-%d %H:%M}" if block.at else ""
    return f"{block.role} {block.task or ''} {at}".casefold()
