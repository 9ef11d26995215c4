from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from teamops.ledger.store import open_ledger
from teamops.model.role import CODER
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage

PIECE = 10
PRICE = Decimal("0.000001")


@settings(max_examples=40)
@given(
    pieces=st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=8),
    kills=st.lists(st.integers(0, 8), max_size=12),
)
def test_however_often_a_reader_starts_again_each_byte_is_counted_once(
    pieces: list[tuple[int, bool]], kills: list[int]
) -> None:
    """A reader goes on from the ledger's position; it is killed after any piece, before or after it was told."""
    usages = [Usage(wall=60.0, model="m", tokens=Tokens(input=count), client="c") for count, _ in pieces]
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder) / "l")
        for stop in [*kills, len(pieces)]:
            stored = ledger.positions().get("/f")
            first = max(0, (stored.offset // PIECE if stored else 0) - 1)  # one piece is told again
            for number in range(first, max(first, stop)):
                if number < len(pieces):
                    count, priced = pieces[number]
                    cost = PRICE * count if priced else None
                    ledger.add_usage(CODER, [(usages[number], cost)], Position("/f", 1, 1, PIECE * (number + 1)))
        spend = ledger.cost_since(0.0).get(CODER)
        waiting = ledger.unpriced()
        ledger.close()
    assert (spend.cost_usd if spend else 0) == sum(PRICE * count for count, priced in pieces if priced)
    assert (spend.unpriced_tokens if spend else 0) == sum(count for count, priced in pieces if not priced)
    assert len(waiting) == sum(not priced for _, priced in pieces)
