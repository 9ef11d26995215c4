"""What was counted of each response, so that one that comes again adds only what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from msgspec.structs import replace

from teamops.model.usage import Tokens, Usage

QUARTER_S = 900.0
"""In no timezone does a day begin within a quarter of an hour."""

Beats = Callable[[Usage, Usage], bool]
"""Whether a new record of a response stands instead of the one that was counted."""


def last_wins(_new: Usage, _old: Usage) -> bool:
    """Where a client writes a response's record over."""
    return True


def first_wins(_new: Usage, _old: Usage) -> bool:
    """Where a key names one state of one response: another with the same key is a copy."""
    return False


class Tally:
    """Counts by ``Usage.key``. Not thread-safe."""

    def __init__(self, beats: Beats) -> None:
        self._beats = beats
        self._counted: dict[str, Usage] = {}

    def count(self, usage: Usage) -> tuple[Usage, ...]:
        """Return what ``usage`` adds to what its key had. Without a key it is always new.

        Where it is of another day, model or price, what was counted is taken back where it was, and ``usage`` is new.
        """
        key = usage.key
        if not key:
            return (usage,)
        old = self._counted.get(key)
        if old is None:
            self._counted[key] = usage
            return (usage,)
        if not self._beats(usage, old):
            return ()
        self._counted[key] = usage
        if _place(usage) != _place(old):
            return (_negative(old), usage)
        cost = usage.cost_usd - old.cost_usd if usage.cost_usd is not None and old.cost_usd is not None else None
        tokens = usage.tokens - old.tokens
        if tokens == Tokens() and not cost:
            return ()
        return (replace(usage, tokens=tokens, cost_usd=cost, context=usage.context or input_side(usage.tokens)),)

    def get(self, key: str) -> Usage | None:
        """Return what was counted with that key."""
        return self._counted.get(key)

    def take_back(self, key: str) -> tuple[Usage, ...]:
        """Forget what was counted with that key; return what takes it back."""
        old = self._counted.pop(key, None)
        return () if old is None else (_negative(old),)

    def learn(self, usages: Iterable[Usage]) -> None:
        """Take ``usages`` as counted: deltas of one key add up, and the last one names the rest."""
        for usage in usages:
            if not usage.key:
                continue
            old = self._counted.get(usage.key)
            if old is not None:
                usage = replace(usage, tokens=old.tokens + usage.tokens, cost_usd=_sum(old.cost_usd, usage.cost_usd))  # noqa: PLW2901
            if usage.tokens == Tokens() and not usage.cost_usd:
                self._counted.pop(usage.key, None)  # it was taken back
            else:
                self._counted[usage.key] = replace(usage, context=0)

    def counted(self) -> tuple[Usage, ...]:
        """Return what was counted, one record a key."""
        return tuple(self._counted.values())


class Tallying:
    """A reader that counts by a tally; what it has counted outlives it."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def learn(self, usages: Iterable[Usage]) -> None:
        """See ``reading.LineReader``."""
        self._tally.learn(usages)

    def counted(self) -> tuple[Usage, ...]:
        """See ``reading.LineReader``."""
        return self._tally.counted()


def input_side(tokens: Tokens) -> int:
    """Return the tokens that decide a long-context price."""
    return tokens.input + tokens.cache_write + tokens.cache_read


def _negative(usage: Usage) -> Usage:
    cost = -usage.cost_usd if usage.cost_usd is not None else None
    return replace(usage, tokens=Tokens() - usage.tokens, cost_usd=cost, context=input_side(usage.tokens))


def _place(usage: Usage) -> tuple[object, ...]:
    """Return where a response is counted and what it is priced by."""
    return (
        usage.wall // QUARTER_S,
        usage.model,
        usage.session,
        usage.speed,
        usage.service_tier,
        usage.cost_usd is None,
        input_side(usage.tokens),
    )


def _sum(old: Decimal | None, new: Decimal | None) -> Decimal | None:
    return None if old is None or new is None else old + new
