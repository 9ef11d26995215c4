"""The beat intervals of agents that beat themselves: to which one a call of a model belongs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from teamops.ledger.spent import Source, SpentRow
from teamops.model.agent import Beat, BeatKind
from teamops.model.role import Role
from teamops.model.usage import Tokens, Usage

_NO_ENDS = {BeatKind.HOOK, BeatKind.USAGE}
"""Such beats come between two of its own."""


class Intervals:
    """When each agent's present interval began."""

    def __init__(self) -> None:
        self._began: dict[Role, float] = {}

    def running(self, role: Role) -> float | None:
        """Return when the interval began that is not over; ``None``: it has not beaten."""
        return self._began.get(role)

    def see(self, beat: Beat) -> None:
        """Take a beat whose sums are known already."""
        if beat.kind not in _NO_ENDS:
            self._began[beat.role] = beat.wall

    def rows(self, beat: Beat, priced: Sequence[tuple[Usage, Decimal | None]], *, counts: bool) -> list[SpentRow]:
        """Return what ``beat`` says was used in the interval that runs, or that ends with it.

        ``counts``: what it counted for itself is in no client's log.
        """
        began = self._began.get(beat.role)
        if began is None:
            # Nobody knows when its first one began; it is another one than that which begins with this beat.
            began = min([beat.wall, *(usage.wall for usage, _ in priced)]) - 0.001
        rows = [SpentRow(beat.role, usage, cost, Source.TRACKED, began) for usage, cost in priced]
        if counts and (beat.own_tokens or beat.own_cost_usd):
            cost = None if beat.cost_usd is None or beat.usages else beat.cost_usd
            own = Usage(wall=beat.wall, model="", tokens=Tokens(input=beat.own_tokens), client="sdk")
            rows.append(SpentRow(beat.role, own, cost, Source.OWN, began))
        self.see(beat)
        return rows
