"""What lights, tasks and cycles cost, in few cells. What has no known price is ``?``."""

from __future__ import annotations

from teamops.model.spend import CycleCost, Spend
from teamops.tui import words

COST_CELLS = 7
"""For a cost in a column."""


def cost(spend: Spend) -> str:
    """Return what a sum cost; ``—`` where nothing was used."""
    return words.money(spend.cost_usd, spend.unpriced_tokens)


def cycle_words(cycle: CycleCost) -> str:
    """Return what an agent's cycles cost."""
    last = cost(cycle.last) if cycle.last.unpriced_tokens else words.fine_money(cycle.last.cost_usd)
    told = [f"last {last}"]
    if cycle.count > cycle.unpriced:
        told += [f"median {words.fine_money(cycle.median_usd)}", f"mean {words.fine_money(cycle.mean_usd)}"]
    told.append(f"{words.count(cycle.median_tokens)} tokens")
    unpriced = f", {cycle.unpriced} without a price" if cycle.unpriced else ""
    return f"{', '.join(told)} (of {cycle.count}{unpriced})"
