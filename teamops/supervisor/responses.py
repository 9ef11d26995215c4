"""Single responses on their way: to which beat interval each belongs, and those that no ledger has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from teamops.ledger.spent import Source, SpentRow
from teamops.model.agent import Beat, BeatKind
from teamops.model.role import Role
from teamops.model.usage import Tokens, Usage

_NO_ENDS = {BeatKind.HOOK, BeatKind.USAGE}
"""Such beats come between two of its own."""


class Responses:
    """What is known of responses beside the ledger."""

    def __init__(self) -> None:
        self._began: dict[Role, float] = {}
        """When each agent's present interval began."""
        self.unstored: list[SpentRow] = []
        """What a viewer has read itself, as nobody acts: no ledger has it."""
        self.repriced = 0
        """How often prices came for some of these."""

    def running(self, role: Role) -> float | None:
        """Return when the interval began that is not over; ``None``: it has not beaten."""
        return self._began.get(role)

    def keep(self, rows: Iterable[tuple[Role, Usage, Decimal | None]]) -> None:
        """Keep what a client's log tells and no ledger will have."""
        self.unstored += [SpentRow(*row) for row in rows]

    def reprice(self, price: Callable[[Usage], Decimal | None]) -> None:
        """Give what waits for its price the one that is known now."""
        if self.unstored:
            self.repriced += 1
            self.unstored = [
                row if row.cost_usd is not None or row.source is Source.OWN else replace(row, cost_usd=price(row.usage))
                for row in self.unstored
            ]

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
