"""What was used, for programs and in words. What has no known price is ``?``, never nothing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from teamops.model.spend import CycleCost, Spend, TaskSpend
from teamops.report.table import NOTHING, kept, wrapped
from teamops.report.times import iso

ROUGH = "Costs are to the minute of the headings where teamops did not see the blocks come."


def spend_json(spend: Spend) -> dict[str, Any]:
    """Return a sum; ``cost_usd`` is ``null`` where nothing of it has a price."""
    tokens = spend.tokens
    return {
        "cost_usd": None if spend.unpriced_tokens and not spend.cost_usd else float(spend.cost_usd),
        "responses": spend.responses,
        "tokens": tokens.total,
        "input": tokens.input,
        "output": tokens.output,
        "cache_write": tokens.cache_write,
        "cache_read": tokens.cache_read,
        "unpriced_tokens": spend.unpriced_tokens,
    }


def task_spend_json(spend: TaskSpend) -> dict[str, Any]:
    """Return what a task cost, whole and in parts."""
    return {
        **spend_json(spend.total),
        "exact": spend.exact,
        "by_role": {str(role): spend_json(part) for role, part in spend.by_role.items()},
        "by_stage": {str(stage): spend_json(part) for stage, part in spend.by_stage.items()},
        "since_last_block": None if spend.now is None else spend_json(spend.now.spend),
    }


def cycle_json(cycle: CycleCost) -> dict[str, Any]:
    """Return what an agent's last cycles cost; dollars are ``null`` where none of them has a price."""
    priced = cycle.count > cycle.unpriced
    return {
        "count": cycle.count,
        "unpriced": cycle.unpriced,
        "last": {"at": iso(cycle.last_wall), **spend_json(cycle.last)},
        "median_usd": float(cycle.median_usd) if priced else None,
        "mean_usd": float(cycle.mean_usd) if priced else None,
        "median_tokens": cycle.median_tokens,
        "mean_tokens": cycle.mean_tokens,
    }


def cost_text(spend: Spend) -> str:
    """Return dollars for a narrow column: ``$0.42``, ``$0.42+?``, ``?``, a dash where nothing was used."""
    if not spend.cost_usd:
        return "?" if spend.unpriced_tokens else NOTHING
    amount = f"${spend.cost_usd:,.2f}" if spend.cost_usd >= Decimal("0.01") else "<$0.01"
    return amount + ("+?" if spend.unpriced_tokens else "")


def tokens_text(tokens: int) -> str:
    """Return a count of tokens in few columns: ``950``, ``12.4k``, ``3.1M``."""
    if tokens < 1000:
        return str(tokens)
    return f"{tokens / 1000:.1f}k" if tokens < 999_950 else f"{tokens / 1_000_000:.1f}M"


def spend_lines(spend: TaskSpend, width: int) -> list[str]:
    """Return what a task cost: whole, by role, by stage, and under the light as it is."""
    whole = spend.total
    if not whole.responses:
        return []
    lines = wrapped(_words("", whole), width, "Cost: ", "  ")
    for title, parts in (("By role", spend.by_role), ("By stage", spend.by_stage)):
        lines += wrapped(_parts(parts), width, f"{title}: ", "  ")
    if spend.now is not None and spend.now.spend.responses:
        lines += wrapped(_words(f"{spend.now.role} ", spend.now.spend), width, "Since the last block: ", "  ")
    return lines if spend.exact else [*lines, *wrapped(ROUGH, width)]


def _parts(parts: Mapping[Any, Spend]) -> str:
    return ", ".join(_words(f"{name} ", part) for name, part in parts.items() if part.responses)


def _words(name: str, spend: Spend) -> str:
    return kept(f"{name}{cost_text(spend)} ({tokens_text(spend.tokens.total)} tokens)")
