"""What was used and what it cost, for programs (``teamops.usage/1``) and for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from teamops.model.text import clean_line
from teamops.model.usage import Tokens
from teamops.report.table import NOTHING, cells, counted, table

SCHEMA = "teamops.usage/1"
BY = ("day", "agent", "session", "model", "task", "client")
UNASSIGNED = "unassigned"
"""What no agent, or no task, is known of."""
UNPRICED = "unpriced"
_MICRO = Decimal("0.000001")
_DATE = re.compile(r"-20\d{6}$")
_BAR, _SMALL_BAR = 20, 6
_ROOMY = 110
"""Columns from which on a bar has its full length."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some usage of one model, as it is priced."""

    client: str
    model: str
    group: str
    """The day, agent, session or task it belongs to; empty where all of a model or client are one."""
    entries: int
    """Responses."""
    tokens: Tokens
    cost_usd: Decimal | None
    """``None``: no price is known."""


@dataclass(slots=True)
class UsageSum:
    """Some pieces together."""

    entries: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: Decimal = Decimal(0)
    """Of what has a price."""
    unpriced_tokens: int = 0
    models: set[str] = field(default_factory=set)
    priced: bool = False

    def add(self, piece: Piece) -> None:
        """Add one."""
        self.entries += piece.entries
        self.tokens += piece.tokens
        self.models.add(piece.model)
        if piece.cost_usd is None:
            self.unpriced_tokens += piece.tokens.total
        else:
            self.priced = True
            self.cost_usd += piece.cost_usd


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Everything that is told of a span of time."""

    by: str
    """One of ``BY``."""
    timezone: str
    since: str
    """First day, ISO; empty: from the beginning."""
    until: str
    """Last day, ISO; empty: until now."""
    pieces: Sequence[Piece]
    skipped_lines: int

    def total(self) -> UsageSum:
        """Return all of it."""
        return _sums(self.pieces, lambda _: "").get("", UsageSum())

    def unpriced(self) -> dict[str, int]:
        """Return the tokens of each model that has some without a price."""
        models: dict[str, int] = {}
        for piece in self.pieces:
            if piece.cost_usd is None and piece.tokens.total:
                models[piece.model] = models.get(piece.model, 0) + piece.tokens.total
        return dict(sorted(models.items()))


def usage_json(report: UsageReport) -> dict[str, Any]:
    """Return the shape of ``teamops.usage/1``. Money is text with six decimals, exact sums rounded once."""
    named = report.by not in ("model", "client")
    with_model = report.by != "client"
    sums = _sums(report.pieces, lambda one: (one.group, one.client, one.model if with_model else ""))
    rows = []
    for (group, client, model), amount in sorted(sums.items()):
        row: dict[str, Any] = {"client": client}
        if named:
            row[report.by] = group
        if with_model:
            row["model"] = model
        rows.append(row | _amounts(amount))
    return {
        "schema": SCHEMA,
        "by": report.by,
        "timezone": report.timezone,
        "since": report.since or None,
        "until": report.until or None,
        "rows": rows,
        "totals": _amounts(report.total()),
        "skipped_lines": report.skipped_lines,
        "unpriced_models": list(report.unpriced()),
    }


def _amounts(amount: UsageSum) -> dict[str, Any]:
    tokens = amount.tokens
    return {
        "input": tokens.input,
        "output": tokens.output,
        "cache_write": tokens.cache_write,
        "cache_write_1h": tokens.cache_write_1h,
        "cache_read": tokens.cache_read,
        "entries": amount.entries,
        "cost_usd": str(amount.cost_usd.quantize(_MICRO)) if amount.priced or not amount.unpriced_tokens else None,
        "unpriced_tokens": amount.unpriced_tokens,
    }


def usage_text(report: UsageReport, width: int) -> str:
    """Return a table for people, with a bar for each row's share of the dearest."""
    if not report.pieces:
        return "no usage" + (" in these days" if report.since or report.until else " was found in any client's logs")
    sums = _sums(report.pieces, _row_name(report.by))
    names = sorted(sums) if report.by == "day" else sorted(sums, key=lambda name: (-sums[name].cost_usd, name))
    most = max(amount.cost_usd for amount in sums.values())
    bar = _BAR if width >= _ROOMY else _SMALL_BAR
    rows = [_row(clean_line(name, 60) or NOTHING, sums[name], most, bar) for name in names]
    rows.append(_row("total", report.total(), Decimal(0), bar))
    head = (report.by, "models", "input", "output", "cache write", "cache read", "cost", "")
    lines = [table(head, rows, width, (1,) if report.by == "day" else (1, 0))]
    unpriced = report.unpriced()
    if unpriced:
        said = ", ".join(
            f"{clean_line(model, 60) or 'no name'} ({_short(count)} tokens)" for model, count in unpriced.items()
        )
        lines.append(f"\n{UNPRICED}: {said}. Say what they cost under [prices] in teamops.toml.")
    if report.skipped_lines:
        lines.append(f"\n{counted(report.skipped_lines, 'malformed line')} skipped.")
    return "\n".join(lines)


def _row_name(by: str) -> Callable[[Piece], str]:
    if by == "model":
        return lambda one: one.model
    if by == "client":
        return lambda one: one.client
    return lambda one: one.group


def _row(name: str, amount: UsageSum, most: Decimal, bar: int) -> tuple[str, ...]:
    tokens = amount.tokens
    cost = f"${amount.cost_usd:,.2f}" if amount.priced else UNPRICED if amount.unpriced_tokens else "$0.00"
    if amount.priced and amount.unpriced_tokens:
        cost += " + ?"
    return (
        name,
        ", ".join(
            sorted({_DATE.sub("", clean_line(model, 40)).removeprefix("claude-") or NOTHING for model in amount.models})
        ),
        *(_short(count) for count in (tokens.input, tokens.output, tokens.cache_write, tokens.cache_read)),
        cost,
        _bar(amount.cost_usd / most, bar) if most else "",
    )


def _bar(share: Decimal, width: int) -> str:
    whole, part = divmod(round(share * width * 8), 8)
    return ("█" * whole + _EIGHTHS[part]).rstrip()


def _short(count: int) -> str:
    """Return a count for a narrow column: ``950``, ``12.3k``, ``4.5M``."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def _sums(pieces: Iterable[Piece], name: Callable[[Piece], Any]) -> dict[Any, UsageSum]:
    sums: dict[Any, UsageSum] = {}
    for piece in pieces:
        sums.setdefault(name(piece), UsageSum()).add(piece)
    return sums


def bar_line(done: int, of: int, width: int) -> str:
    """Return how far a long scan is, in one line of at most ``width`` columns."""
    share = min(1.0, done / of) if of else 1.0
    head, tail = "reading logs ", f" {share:4.0%} of {of / 1e6:,.0f} MB"
    room = max(4, min(40, width - cells(head) - cells(tail) - 1))
    full = round(share * room)
    return f"{head}{'█' * full}{'░' * (room - full)}{tail}"
