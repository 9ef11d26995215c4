"""The audit trail's rule: what was handed on may not change. Compares what was handed on with what stands there now."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import takewhile

from msgspec import Struct

from teamops.handoff.headings import BLOCK_LEVEL, BlockHeading, read_heading
from teamops.model.handoff import Block
from teamops.model.protocol import KnownBlock
from teamops.model.role import Role

QUIET_S = 60.0
"""A complete last block that stood unchanged for so long counts as handed on."""
MAX_PAIRS = 100_000
"""So many pairs of equal blocks are aligned at best; with more, blocks that stand once come first: about 0.2 s."""


class Comparison(Struct, frozen=True):
    """What became of the blocks that were handed on. Every one of them is kept, rewritten or vanished."""

    kept: tuple[tuple[KnownBlock, Block], ...] = ()
    rewritten: tuple[tuple[KnownBlock, Block], ...] = ()
    vanished: tuple[KnownBlock, ...] = ()
    inserted: tuple[Block, ...] = ()
    """New ones before the last that was handed on and still stands. One that was moved is vanished and inserted."""
    appended: tuple[Block, ...] = ()
    """New ones at the end: nobody has changed anything."""

    @property
    def changed(self) -> bool:
        """Something that was handed on is not as it was."""
        return bool(self.rewritten or self.vanished or self.inserted)


def handed_on(blocks: Sequence[Block], unchanged_s: float) -> int:
    """Return how many of the first blocks are handed on; the last one has stood unchanged for ``unchanged_s``."""
    return len(blocks) - 1 if blocks and not (blocks[-1].complete and unchanged_s >= QUIET_S) else len(blocks)


def compare(known: Sequence[KnownBlock], now: Sequence[Block]) -> Comparison:
    """Compare the blocks that were handed on, in the file's order, with those of the file ``now``.

    As many as possible are kept, in their order. For one that is not, the new block under the same heading stands as
    rewritten; else that by the same role, or the one between the same two blocks. Takes less than a second for 10,000.
    """
    whole = _Gap(range(len(known)), range(len(now)), closed=False)
    kept = _align(whole, lambda was: known[was].digest, lambda is_: now[is_].digest)
    rewritten = [pair for gap in _gaps(whole, kept) for pair in _rewritten(known, now, gap)]
    standing = dict(kept) | dict(rewritten)
    taken = set(standing.values())
    end = max(taken, default=-1)
    return Comparison(
        kept=tuple((known[was], now[is_]) for was, is_ in kept),
        rewritten=tuple((known[was], now[is_]) for was, is_ in rewritten),
        vanished=tuple(block for was, block in enumerate(known) if was not in standing),
        inserted=tuple(block for is_, block in enumerate(now[: end + 1]) if is_ not in taken),
        appended=tuple(now[end + 1 :]),
    )


_Pairs = list[tuple[int, int]]
"""Places of known blocks, each with that of the new block that stands for it; both ascend."""
_Key = Callable[[int], Hashable]


class _Gap(Struct, frozen=True):
    """Places of known blocks, and of the new ones that stand where they did."""

    was: range
    now: range
    closed: bool
    """A known block follows that still stands: nothing can have been appended here."""


def _gaps(gap: _Gap, pairs: _Pairs) -> Iterator[_Gap]:
    """Return what ``pairs`` leave open of ``gap``, where both sides have blocks."""
    was, now = gap.was.start, gap.now.start
    for next_was, next_now in pairs:
        if was < next_was and now < next_now:
            yield _Gap(range(was, next_was), range(now, next_now), closed=True)
        was, now = next_was + 1, next_now + 1
    if was < gap.was.stop and now < gap.now.stop:
        yield _Gap(range(was, gap.was.stop), range(now, gap.now.stop), closed=gap.closed)


def _rewritten(known: Sequence[KnownBlock], now: Sequence[Block], gap: _Gap) -> _Pairs:
    def heading(role: Role, at: datetime | None, side: str, place: int) -> Hashable:
        return (role, at) if at is not None else (side, place)

    pairs = _align(
        gap,
        lambda was: heading(known[was].role, _known_at(known[was]), "was", was),
        lambda is_: heading(now[is_].role, now[is_].at, "now", is_),
    )
    for rest in list(_gaps(gap, pairs)):
        if rest.closed:
            found = _align(rest, lambda was: known[was].role, lambda is_: now[is_].role)
            for last in _gaps(rest, found):
                pairs += zip(last.was, last.now, strict=False)
        else:
            # Others may have appended here since: only what begins at the very place can stand for what was there.
            same = zip(rest.was, rest.now, strict=False)
            found = list(takewhile(lambda pair: known[pair[0]].role == now[pair[1]].role, same))
        pairs += found
    return sorted(pairs)


def _known_at(block: KnownBlock) -> datetime | None:
    heading = read_heading(block.heading, BLOCK_LEVEL, 1, (block.role,))
    return heading.at if isinstance(heading, BlockHeading) else None


def _align(gap: _Gap, was_key: _Key, now_key: _Key) -> _Pairs:
    """Return the longest series of equal keys that ascends on both sides (where there are not too many equal ones)."""
    was, now = [was_key(place) for place in gap.was], [now_key(place) for place in gap.now]
    start = 0
    while start < min(len(was), len(now)) and was[start] == now[start]:
        start += 1
    end = 0
    while end < min(len(was), len(now)) - start and was[-1 - end] == now[-1 - end]:
        end += 1
    middle = _Gap(range(start, len(was) - end), range(start, len(now) - end), closed=True)
    head = zip(range(start), range(start), strict=True)
    tail = zip(range(len(was) - end, len(was)), range(len(now) - end, len(now)), strict=True)
    pairs = [*head, *_align_middle(middle, was, now), *tail]
    return [(gap.was.start + one, gap.now.start + other) for one, other in pairs]


def _align_middle(gap: _Gap, was: Sequence[Hashable], now: Sequence[Hashable]) -> _Pairs:
    places = _places(gap.now, now)
    if sum(len(places.get(was[place], ())) for place in gap.was) <= MAX_PAIRS:
        return _longest((place, places.get(was[place], ())) for place in gap.was)
    # Many alike: first what stands once on both sides, then what comes next in between.
    single = {key for key, found in _places(gap.was, was).items() if len(found) == 1 == len(places.get(key, ()))}
    pairs = _longest((place, places[was[place]]) for place in gap.was if was[place] in single)
    for rest in list(_gaps(gap, pairs)):
        at = rest.now.start
        for place in rest.was:
            found = places.get(was[place], [])
            step = bisect_left(found, at)
            if step < len(found) and found[step] < rest.now.stop:
                pairs.append((place, found[step]))
                at = found[step] + 1
    return sorted(pairs)


def _places(span: range, keys: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    places: dict[Hashable, list[int]] = {}
    for place in span:
        places.setdefault(keys[place], []).append(place)
    return places


class _Link(Struct, frozen=True):
    was: int
    now: int
    before: _Link | None


def _longest(candidates: Iterable[tuple[int, Sequence[int]]]) -> _Pairs:
    """Return the longest ascending series of pairs (Hunt and Szymanski, 1977).

    That of difflib need not be the longest, and takes the square of the blocks' number where many were moved.
    """
    ends: list[int] = []
    last: list[_Link] = []
    """``last[n]`` ends the series of n + 1 pairs whose end, ``ends[n]``, comes first."""
    for was, places in candidates:
        for now in reversed(places):
            at = bisect_left(ends, now)
            link = _Link(was, now, last[at - 1] if at else None)
            ends[at : at + 1] = [now]
            last[at : at + 1] = [link]
    pairs: _Pairs = []
    step = last[-1] if last else None
    while step is not None:
        pairs.append((step.was, step.now))
        step = step.before
    return pairs[::-1]
