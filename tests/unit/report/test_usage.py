from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.usage import Tokens
from teamops.report.table import cells
from teamops.report.usage import BY, Piece, UsageReport, bar_line, usage_json, usage_text


def piece(
    group: str = "g", *, client: str = "claude", model: str = "m", tokens: int = 10, cost: str | None = "1"
) -> Piece:
    return Piece(client, model, group, 1, Tokens(tokens, 1, 2, 1, 3), None if cost is None else Decimal(cost))


def report(*pieces: Piece, by: str = "day", skipped: int = 0) -> UsageReport:
    return UsageReport(by, "UTC", "", "", pieces, skipped)


def rows(*pieces: Piece, by: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = usage_json(report(*pieces, by=by))["rows"]
    return told


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("day", ("client", "day", "model")),
        ("agent", ("client", "agent", "model")),
        ("session", ("client", "session", "model")),
        ("task", ("client", "task", "model")),
        ("model", ("client", "model")),
        ("client", ("client",)),
    ],
)
def test_a_row_is_named_by_what_was_asked_for(by: str, names: tuple[str, ...]) -> None:
    amounts = (
        "input",
        "output",
        "cache_write",
        "cache_write_1h",
        "cache_read",
        "entries",
        "cost_usd",
        "unpriced_tokens",
    )
    (row,) = rows(piece(), by=by)
    assert tuple(row) == (*names, *amounts)
    assert by in BY


def test_rows_are_sums_in_order() -> None:
    found = rows(
        piece("b"), piece("a"), piece("b", cost="2"), piece("b", model="n"), piece("b", client="codex"), by="day"
    )
    assert [(row["day"], row["client"], row["model"], row["entries"], row["cost_usd"]) for row in found] == [
        ("a", "claude", "m", 1, "1.000000"),
        ("b", "claude", "m", 2, "3.000000"),
        ("b", "claude", "n", 1, "1.000000"),
        ("b", "codex", "m", 1, "1.000000"),
    ]


def test_no_price_is_not_no_cost() -> None:
    told = usage_json(
        report(piece(cost=None), piece(model="free", cost="0"), piece(model="half"), piece(model="half", cost=None))
    )
    assert [(row["model"], row["cost_usd"], row["unpriced_tokens"]) for row in told["rows"]] == [
        ("free", "0.000000", 0),
        ("half", "1.000000", 16),
        ("m", None, 16),
    ]
    assert told["totals"]["cost_usd"] == "1.000000"
    assert told["totals"]["unpriced_tokens"] == 32
    assert told["unpriced_models"] == ["half", "m"]


@given(costs=st.lists(st.decimals(0, 1000, places=9, allow_nan=False, allow_infinity=False), max_size=20))
def test_totals_are_rounded_once(costs: list[Decimal]) -> None:
    told = usage_json(report(*[piece(str(number % 3), cost=str(cost)) for number, cost in enumerate(costs)]))
    assert Decimal(told["totals"]["cost_usd"]) == sum(costs, Decimal(0)).quantize(Decimal("0.000001"))


def test_the_table_has_the_dearest_first_and_days_in_order() -> None:
    pieces = (piece("2026-03-02", cost="1"), piece("2026-03-01", cost="4"), piece("2026-03-03", cost="2"))
    days = usage_text(report(*pieces), 120).splitlines()
    assert [line.split()[0] for line in days[1:]] == ["2026-03-01", "2026-03-02", "2026-03-03", "total"]
    agents = usage_text(report(*pieces, by="agent"), 120).splitlines()
    assert [line.split()[0] for line in agents[1:]] == ["2026-03-01", "2026-03-03", "2026-03-02", "total"]
    bars = [line.count("█") for line in days[1:]]
    assert bars == [20, 5, 10, 0]


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_table_keeps_its_width_and_says_what_is_not_priced(width: int) -> None:
    models = [f"claude-model-number-{number}-20251101" for number in range(30)]
    text = usage_text(
        report(*[piece(f"2026-03-{n % 28 + 1:02d}", model=model) for n, model in enumerate(models)], piece(cost=None)),
        width,
    )
    table, _, rest = text.partition("\n\n")
    assert max(cells(line) for line in table.splitlines()) <= width
    assert "20251101" not in table
    assert "m (16 tokens)" in rest
    assert "unpriced" in table
    assert "+ ?" in table.splitlines()[-1]


def test_outside_names_are_no_escape_sequences() -> None:
    text = usage_text(report(piece("a\x1b[31mb", model="x\x1b]0;t\x07\ny", cost=None), by="session"), 100)
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(("done", "share"), [(0, "  0%"), (50, " 50%"), (100, "100%"), (200, "100%")])
def test_how_far_a_long_scan_is(done: int, share: str) -> None:
    for width in (20, 40, 200):
        line = bar_line(done * 10**6, 100 * 10**6, width)
        assert share in line
        assert "of 100 MB" in line
        assert "\n" not in line
    assert cells(bar_line(1, 2, 60)) < 60
