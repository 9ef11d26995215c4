"""Sums by span, agent and model, on a real SQLite file: they are those of the rows, whatever came when."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teamops.ledger import migrations, spent
from teamops.ledger.connection import LedgerError, open_connection, writing
from teamops.ledger.peek import look_into
from teamops.ledger.spent import Source, SpentRow
from teamops.ledger.spent_sums import QUARTER_S, SpentSums
from teamops.ledger.store import open_ledger
from teamops.model.role import CODER, DIRECTOR, Role
from teamops.model.spend import Spend
from teamops.model.usage import Tokens, Usage

START = 1_775_000_700.0
"""A whole quarter of an hour."""


def row(
    wall: float, cost: str | None, role: Role = CODER, model: str = "m", tokens: int = 10, source: Source = Source.LOG
) -> SpentRow:
    usage = Usage(
        wall=wall, model=model, client="claude", session="s",
        tokens=Tokens(tokens, 2 * tokens, 3 * tokens, tokens, 4 * tokens),
    )  # fmt: skip
    return SpentRow(role, usage, None if cost is None else Decimal(cost), source)


def plain(rows: list[SpentRow], edges: list[float]) -> list[dict[tuple[Role, str], Spend]]:
    """Return the same sums, added up one by one."""
    found: list[dict[tuple[Role, str], Spend]] = [{} for _ in edges[1:]]
    for one in rows:
        for sums, (since, until) in zip(found, pairwise(edges), strict=True):
            if since <= one.usage.wall < until:
                key = one.role, one.usage.model
                sums[key] = sums.get(key, Spend()) + spent.spend_of(one.usage.tokens, one.cost_usd)
    return found


COSTS = st.none() | st.sampled_from(["0", "0.25", "0.000000000001", "9.99", "11", "0.1234567890123456", "1e-20"])
ROWS = st.lists(
    st.builds(
        row,
        st.floats(START - 2 * QUARTER_S, START + 8 * QUARTER_S),
        COSTS,
        st.sampled_from([CODER, DIRECTOR, Role("m")]),
        st.sampled_from(["m", "", "CODER"]),
        st.integers(0, 10**6),
    ),
    max_size=30,
)
EDGES = st.lists(st.integers(-3, 9), min_size=2, max_size=6, unique=True).map(
    lambda places: [START + place * QUARTER_S for place in sorted(places)]
)


@given(rows=ROWS, edges=EDGES, later=st.lists(st.sampled_from(["0.5", "0.1234567890123456"]), max_size=30))
@settings(max_examples=60, deadline=None)
def test_they_are_the_sums_of_the_rows(rows: list[SpentRow], edges: list[float], later: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l"
        connection = open_connection(path)
        try:
            with writing(connection, path):
                spent.add(connection, rows[: len(rows) // 2])
            with writing(connection, path):
                spent.add(connection, rows[len(rows) // 2 :])
            assert SpentSums(connection, path).spans(edges) == plain(rows, edges)
            priced = list(rows)
            waiting = [place for place, one in enumerate(rows) if one.cost_usd is None]
            for place, cost in zip(waiting, later, strict=False):
                with writing(connection, path):
                    spent.reprice(connection, rows[place].role, rows[place].usage, Decimal(cost))
                priced[place] = SpentRow(rows[place].role, rows[place].usage, Decimal(cost))
            assert SpentSums(connection, path).spans(edges) == plain(priced, edges)
            first = min((one.usage.wall for one in rows), default=None)
            assert SpentSums(connection, path).first_wall() == first
        finally:
            connection.close()


def test_an_older_ledgers_rows_are_in_the_sums(tmp_path: Path) -> None:
    place = migrations.STEPS.index(migrations.SPENT_QUARTERS)
    rows = [row(START + 400.0 * number, cost) for number, cost in enumerate(("0.5", None, "12", "0.25"))]
    old = open_connection(tmp_path / "l", migrations.STEPS[:place])
    with writing(old, tmp_path / "l"):
        spent.add(old, rows)
    old.close()
    edges = [START, START + QUARTER_S, START + 2 * QUARTER_S]
    with summing(tmp_path / "l") as sums:
        assert sums.spans(edges) == plain(rows, edges)


@contextmanager
def summing(path: Path) -> Iterator[SpentSums]:
    """Give the sums of the ledger at ``path``, brought up to date."""
    open_ledger(path).close()
    with look_into(path) as look:
        assert look is not None
        yield look.sums


def test_what_is_killed_before_its_end_is_in_no_sum(tmp_path: Path) -> None:
    connection = open_connection(tmp_path / "l")

    def fail() -> None:
        with writing(connection, tmp_path / "l"):
            spent.add(connection, [row(START, "1")])
            raise sqlite3.OperationalError

    with pytest.raises(LedgerError):
        fail()
    assert SpentSums(connection, tmp_path / "l").spans([START, START + QUARTER_S]) == [{}]
    connection.close()


def test_all_is_read_as_of_one_moment(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    span = [START, START + QUARTER_S]
    with summing(tmp_path / "l") as sums, sums.still():
        before = sums.spans(span)
        writer = open_connection(tmp_path / "l")
        with writing(writer, tmp_path / "l"):
            spent.add(writer, [row(START, "1")])
        writer.close()
        assert sums.spans(span) == before == [{}]
        assert sums.first_wall() is None
    with summing(tmp_path / "l") as sums:
        assert sums.spans(span) != [{}]
    ledger.close()


@pytest.mark.slow
def test_half_a_million_responses_are_summed_up_at_once(tmp_path: Path) -> None:
    path = tmp_path / "l"
    connection = open_connection(path)
    with writing(connection, path):
        spent.add(connection, [row(START, "0.5", role, model) for role in (CODER, DIRECTOR) for model in "ab"])
        connection.execute(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 500000)"
            " INSERT INTO spent(role, wall, source, cycle, model, client, session, input, output, cache_write,"
            " cache_write_1h, cache_read, pico, cost_usd) SELECT s.role, s.wall + 5.184 * n, 0, NULL, s.model,"
            " s.client, s.session, 9, 9, 9, 0, 9, 5, NULL FROM n JOIN spent s ON s.id = 1 + n % 4"
        )
    connection.close()
    took, found = [], []
    days = [START + 86_400.0 * day for day in range(31)]
    with summing(path) as sums:
        for _ in range(5):
            began = time.perf_counter()
            found = sums.spans(days)
            took.append(time.perf_counter() - began)
    # The last one lies just after the thirty-first day.
    assert sum(one.responses for part in found for one in part.values()) == 500_003
    assert min(took) < 0.1, "about 15 ms on a machine at rest"
