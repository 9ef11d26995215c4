"""What was true at a moment of a recorded day: facts with the span in which they held, found by bisection.

Nothing here guesses: what is recorded holds from its moment on, what came later is not known yet.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Generic, TypeVar

from msgspec import structs

from teamops.model.agent_report import Delivery, RestartRecord, SpikeRecord
from teamops.model.boundary import Violation, ViolationState
from teamops.model.spend import Spend
from teamops.model.usage import Tokens

T = TypeVar("T")

EVER = float("inf")
EVERY = 256
"""So many facts lie between two checkpoints: so many, and those that still held at the last one, are looked at."""
GRAIN_S = 60.0
"""Watching is recorded to the minute: a span may have lasted for so long beyond its end on record."""
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """A fact, and when it held: from ``since`` on, but not at ``until``."""

    since: float
    until: float
    value: T


class Spans(Generic[T]):
    """Facts of a day, asked for any moment of it at the cost of those near it."""

    def __init__(self, spans: Iterable[Span[T]]) -> None:
        self._spans = sorted((one for one in spans if one.since < one.until), key=lambda one: one.since)
        self._begins = [one.since for one in self._spans]
        self._held: list[list[int]] = []
        """By checkpoint: the places of the facts before it that still held there."""
        held: list[int] = []
        for start in range(0, len(self._spans), EVERY):
            self._held.append(held)
            end = min(start + EVERY, len(self._spans))
            moment = self._begins[end - 1]
            held = [place for place in (*held, *range(start, end)) if self._spans[place].until > moment]
        self.looked_at = 0
        """So many facts were looked at so far: what a question costs."""

    @property
    def all(self) -> Sequence[Span[T]]:
        """All of them, in the order in which they began."""
        return self._spans

    def __len__(self) -> int:
        return len(self._spans)

    def at(self, wall: float) -> list[T]:
        """Return what held at ``wall``, in the order in which it began to."""
        count = bisect_right(self._begins, wall)
        if not count:
            return []
        point = (count - 1) // EVERY
        places = (*self._held[point], *range(point * EVERY, count))
        self.looked_at += len(places)
        return [self._spans[place].value for place in places if self._spans[place].until > wall]

    def newest(self, wall: float, limit: int) -> list[T]:
        """Return the last ``limit`` facts that held at ``wall``, the one that began last first."""
        found: list[T] = []
        for place in range(bisect_right(self._begins, wall) - 1, -1, -1):
            self.looked_at += 1
            if self._spans[place].until > wall:
                found.append(self._spans[place].value)
                if len(found) == limit:
                    break
        return found


def in_turn(facts: Iterable[tuple[object, float, T]], until: float = EVER) -> list[Span[T]]:
    """Return facts, each as (whose, since when, what), so that each holds until the next one of the same."""
    chains: dict[object, list[tuple[float, T]]] = {}
    for whose, since, value in facts:
        chains.setdefault(whose, []).append((since, value))
    return [
        Span(since, after, value)
        for chain in chains.values()
        for (since, value), (after, _) in pairwise([*chain, (until, chain[-1][1])])
    ]


@dataclass(frozen=True, slots=True)
class Use:
    """One response of an agent; of a day long ago several, summed up."""

    wall: float
    tokens: Tokens
    cost_usd: Decimal | None
    """``None``: no price is known."""
    model: str = ""
    responses: int = 1
    logged: bool = True
    """Its client's log told it, so that it is a sign of life of its own."""


class Uses:
    """All responses of one agent in a span of time, summed up for any part of it."""

    def __init__(self, uses: Sequence[Use] = ()) -> None:
        ordered = sorted(uses, key=lambda one: one.wall)
        self.walls = array("d", (one.wall for one in ordered))
        self._kinds = tuple(_sums(kind(one.tokens) for one in ordered) for kind in _KINDS)
        self._tokens = _sums(one.tokens.total for one in ordered)
        self._unpriced = _sums(0 if one.cost_usd is not None else one.tokens.total for one in ordered)
        self._logged = _sums(one.responses if one.logged else 0 for one in ordered)
        self._responses = _sums(one.responses for one in ordered)
        self._costs = [_NOTHING, *accumulate(one.cost_usd or _NOTHING for one in ordered)]
        self._without = [one for one in ordered if one.cost_usd is None]

    def tokens(self, since: float, until: float) -> int:
        """Return the tokens from ``since`` on, up to and with ``until``. So do all the others."""
        return self._between(self._tokens, since, until)

    def cost(self, since: float, until: float) -> Decimal:
        """Return what has a price, in dollars."""
        begin, end = self._places(since, until)
        return self._costs[end] - self._costs[begin]

    def unpriced(self, since: float, until: float) -> int:
        """Return the tokens that have no price."""
        return self._between(self._unpriced, since, until)

    def unpriced_models(self, since: float, until: float) -> dict[str, int]:
        """Return the tokens that have no price by model."""
        found: dict[str, int] = {}
        for one in self._without:
            if since <= one.wall <= until:
                found[one.model] = found.get(one.model, 0) + one.tokens.total
        return found

    def logged(self, since: float, until: float) -> int:
        """Return how many responses a client's log told."""
        return self._between(self._logged, since, until)

    def spend(self, since: float, until: float) -> Spend:
        """Return all of it as a sum."""
        begin, end = self._places(since, until)
        tokens = Tokens(*(sums[end] - sums[begin] for sums in self._kinds))
        return Spend(
            self._responses[end] - self._responses[begin],
            tokens,
            self._costs[end] - self._costs[begin],
            self._unpriced[end] - self._unpriced[begin],
        )

    def last(self, wall: float) -> float | None:
        """Return when the last response up to ``wall`` was; ``None``: there was none."""
        count = bisect_right(self.walls, wall)
        return self.walls[count - 1] if count else None

    def _between(self, sums: Sequence[int], since: float, until: float) -> int:
        begin, end = self._places(since, until)
        return sums[end] - sums[begin]

    def _places(self, since: float, until: float) -> tuple[int, int]:
        end = bisect_right(self.walls, until)
        return min(end, bisect_left(self.walls, since)), end


def _sums(numbers: Iterable[int]) -> array[int]:
    return array("q", accumulate(numbers, initial=0))


_KINDS = tuple(map(attrgetter, ("input", "output", "cache_write", "cache_write_1h", "cache_read")))


def unobserved(
    spans: Sequence[tuple[float, float]], since: float, until: float, first: float | None
) -> tuple[tuple[float, float], ...]:
    """Return when nobody watched between ``since`` and ``until``.

    ``spans``: when somebody did, oldest first. ``first``: since when that is on record; nothing is said of before.
    """
    if first is None:
        return ()
    gaps = []
    seen = max(since, first)
    for begins, ends in spans:
        if begins > seen:
            gaps.append((seen, min(begins, until)))
        seen = max(seen, ends + GRAIN_S)
    if until > seen:
        gaps.append((seen, until))
    return tuple(gaps)


def gap_at(gaps: Sequence[tuple[float, float]], wall: float) -> tuple[float, float] | None:
    """Return the gap in which ``wall`` lies, its very edges not counted: there somebody watched."""
    return next(((begins, ends) for begins, ends in gaps if begins < wall < ends), None)


# what is overwritten as it goes on, as it was at a moment


def delivery_at(delivery: Delivery, wall: float) -> Delivery:
    """Return a poke as far as it had come by ``wall``. When one was given up is not on record: it counts as open."""

    def by_then(moment: float | None) -> float | None:
        return moment if moment is not None and moment <= wall else None

    last = max((moment for _, moment in delivery.steps), default=delivery.decided_wall)
    accepted = by_then(delivery.accepted_wall)
    return structs.replace(
        delivery,
        typed_wall=by_then(delivery.typed_wall),
        accepted_wall=accepted,
        working_wall=by_then(delivery.working_wall),
        proof=delivery.proof if accepted is not None else "",
        over=delivery.over and last <= wall,
    )


def restart_at(record: RestartRecord, *, over: bool) -> RestartRecord:
    """Return a restart as it stood at a moment; ``over``: its outcome was there by then."""
    return record if over else structs.replace(record, ok=None, message="")


def spike_at(record: SpikeRecord, wall: float) -> SpikeRecord:
    """Return a runaway as far as its trace tells of it by ``wall``; tokens and dollars are summed up at its end."""
    if wall == EVER or (record.ended_wall is not None and record.ended_wall <= wall):
        return record
    trace = tuple((end, tokens) for end, tokens in record.trace if end <= wall)
    began = record.began_wall - 60.0
    used = sum(tokens for end, tokens in trace if end > began)
    return structs.replace(record, ended_wall=None, trace=trace, tokens=used, peak=_peak(trace), cost_usd=Decimal(0))


def _peak(trace: Sequence[tuple[float, int]]) -> int:
    """Return the most that was used within a minute."""
    return max(
        (sum(tokens for end, tokens in trace if last - 60.0 < end <= last) for last, _ in trace),
        default=0,
    )


def violation_at(violation: Violation, wall: float) -> Violation:
    """Return a change past a boundary as it stood at ``wall``: of several settlements only the last is on record."""
    if violation.changed_wall is None or violation.changed_wall <= wall:
        return violation
    return replace(violation, state=ViolationState.OPEN, note="", changed_wall=None)
