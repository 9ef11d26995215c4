"""What a month's archive reads after blocks are put into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from teamops.handoff.document import parse
from teamops.handoff.scan import normalized
from teamops.handoff.write import append_text
from teamops.model.handoff import Block
from teamops.model.role import HUMAN, Role

FOLDER = "archive"
"""Beside the handoff file."""
_PROBE = f"### [{HUMAN}] 2000-01-01 00:00\n"


class Moving(Struct, frozen=True):
    """A block on its way."""

    block: Block
    text: bytes
    """Its bytes."""


def is_open_ended(text: bytes, roles: Collection[Role]) -> bool:
    """Return whether a block put after the text would be part of it: a fence or a comment is never closed."""
    after = text + append_text(text[-4:], _PROBE)
    return len(parse(after, roles).blocks) == len(parse(text, roles).blocks)


def put(archive: bytes, moving: Sequence[Moving], roles: Collection[Role]) -> tuple[bytes, tuple[Moving, ...]]:
    """Return the archive with the blocks after its own, and those blocks that would read differently there.

    What it holds already, byte for byte, is not put there again. Blocks without any task stand before its first block
    that has one, or they would belong to the task above them.
    """
    known = parse(archive, roles).blocks
    there = Counter(block.digest for block in known)
    there.subtract(one.block.digest for one in moving)
    new: list[Moving] = []
    for one in reversed(moving):
        if there[one.block.digest] < 0:
            there[one.block.digest] += 1
            new.insert(0, one)
    middle = next((block.start for block in known if block.task is not None), len(archive))
    first = [one for one in new if one.block.task is None]
    last = [one for one in new if one.block.task is not None]
    text = _joined((archive[:middle], *(one.text for one in first), archive[middle:], *(one.text for one in last)))

    own = [(block.digest, None) for block in known if block.start < middle]
    own_after = [(block.digest, None) for block in known if block.start >= middle]
    order: list[tuple[str, Moving | None]] = [*own, *_named(first), *own_after, *_named(last)]
    found = [block.digest for block in parse(text, roles).blocks]
    for at, (digest, _) in enumerate(order):
        if at >= len(found) or found[at] != digest:
            near = [one for _, one in order[max(0, at - 1) : at + 2] if one is not None]
            return archive, tuple(near[-1:] or new)
    return text, ()


def _named(moving: Iterable[Moving]) -> list[tuple[str, Moving | None]]:
    return [(one.block.digest, one) for one in moving]


def _joined(parts: Iterable[bytes]) -> bytes:
    """Return the parts as one text, each beginning on a line of its own."""
    text = bytearray()
    for part in parts:
        if part and text and not normalized(bytes(text[-2:])).endswith(b"\n"):
            text += b"\n\n"
        text += part
    return bytes(text)
