"""Single responses in the ledger: exact sums, each stored once, priced later, and fast."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teamops.domain.spend_by_light import Held, Lights
from teamops.ledger.audit import NewBlock
from teamops.ledger.peek import look_into
from teamops.ledger.spent import Source, SpentRow
from teamops.ledger.store import Ledger, LedgerError, open_ledger
from teamops.model.agent import Beat
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen
from teamops.model.role import CODER, DIRECTOR, Role
from teamops.model.spend import Spend
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage

EVER = float("inf")


def usage(wall: float, tokens: int = 1, model: str = "m") -> Usage:
    return Usage(wall=wall, model=model, tokens=Tokens(output=tokens), client="claude", session="s")


def whole(ledger: Ledger, role: Role) -> Spend:
    return ledger.spent.sum(role, -EVER, EVER)


@pytest.mark.parametrize(
    "costs",
    [
        ["0.1", "0.2"],
        ["0.000000000001", "9.999999999999"],
        ["0.0000000000001", "0.3"],  # finer than a pico-dollar
        ["10.000000000001", "123456.5"],  # more than a row of whole numbers holds
        ["-0.5", "1"],
        ["0", "0E+3"],
        ["10000000000", "1"],  # in pico-dollars it is no number of SQLite's
        ["3e-9"],
    ],
)
def test_dollars_are_added_exactly(tmp_path: Path, costs: list[str]) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        rows = [(usage(float(number)), Decimal(cost)) for number, cost in enumerate(costs)]
        ledger.add_usage(CODER, rows, Position("/f", 1, 1, 1))
        assert whole(ledger, CODER) == Spend(
            len(costs), Tokens(output=len(costs)), sum(map(Decimal, costs), Decimal(0))
        )
        told = ledger.spent.after(0, ledger.spent.mark()[0])
        assert [row.spend.cost_usd for row in told] == [Decimal(cost) for cost in costs]
        assert whole(ledger, DIRECTOR) == Spend()


def test_a_span_has_its_begin_and_not_its_end(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        rows = [(usage(wall, tokens), Decimal(tokens)) for wall, tokens in ((9.5, 1), (10.0, 2), (19.9, 4), (20.0, 8))]
        ledger.add_usage(CODER, rows, Position("/f", 1, 1, 1))
        assert ledger.spent.sum(CODER, 10.0, 20.0).tokens.output == 6
        assert ledger.spent.sum(CODER, 10.0, 20.0, last=2).tokens.output == 2
        assert [row.wall for row in ledger.spent.newest(CODER, 3)] == [19.9, 10.0, 9.5]
        assert ledger.spent.roles() == [CODER]


def test_a_replay_adds_nothing(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        for _ in range(2):
            ledger.add_usage(CODER, [(usage(5.0), Decimal(1))], Position("/f", 1, 1, 7))
            seen = BeatsSeen(Stamp(1.0, 5.0), (Beat(role=CODER, wall=5.0),), Position("/b", 1, 1, 7))
            ledger.add_beats(seen, (), [SpentRow(CODER, usage(5.0, 3), None, Source.TRACKED, 1.0)])
        assert whole(ledger, CODER) == Spend(2, Tokens(output=4), Decimal(1), 3)
        assert [row.cycle for row in ledger.spent.after(0, 9)] == [None, 1.0]


def test_a_later_price_comes_to_its_own_row_once(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        same = usage(5.0, 7)
        ledger.add_usage(CODER, [(same, None), (same, None), (usage(5.0, 7, "other"), None)], Position("/f", 1, 1, 1))
        ledger.add_usage(DIRECTOR, [(same, None)], Position("/g", 1, 1, 1))
        own = SpentRow(CODER, Usage(wall=5.0, model="m", tokens=Tokens(output=7), client="sdk"), None, Source.OWN, 1.0)
        ledger.add_beats(BeatsSeen(Stamp(1.0, 5.0), (), Position("/b", 1, 1, 1)), (), [own])
        before = ledger.spent.mark()
        assert ledger.reprice([(CODER, same, Decimal("0.5"))]) == 1
        assert whole(ledger, CODER) == Spend(4, Tokens(output=28), Decimal("0.5"), 21)
        assert ledger.spent.mark() == (before[0], before[1] + 1)
        assert ledger.reprice([(CODER, same, Decimal("0.25")), (CODER, same, Decimal(64))]) == 1
        assert whole(ledger, CODER) == Spend(4, Tokens(output=28), Decimal("0.75"), 14)
        assert whole(ledger, DIRECTOR).unpriced_tokens == 7


KILLED = """\
import os, signal, sys
from decimal import Decimal
from pathlib import Path
from teamops.ledger import spent, spend
from teamops.ledger.store import open_ledger
from teamops.model.role import Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
ledger = open_ledger(Path(sys.argv[1]))
usage = Usage(wall=5.0, model="m", tokens=Tokens(output=3), client="claude")
ledger.add_usage(Role("CODER"), [(usage, Decimal(1))], Position("/f", 1, 1, 1))
add = spent.add
def die(connection, rows):
    if sys.argv[2] == "after":
        add(connection, rows)
    os.kill(os.getpid(), signal.SIGKILL)
spent.add = die
ledger.add_usage(Role("CODER"), [(usage, Decimal(1))], Position("/f", 1, 1, 2))
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_life_killed_between_minute_and_response_has_stored_neither(tmp_path: Path, when: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "l", when], check=False, cwd=os.getcwd())  # noqa: PTH109
    assert done.returncode == -signal.SIGKILL
    with closing(open_ledger(tmp_path / "l")) as ledger:
        assert whole(ledger, CODER) == Spend(1, Tokens(output=3), Decimal(1))
        assert ledger.cost_since(0.0)[CODER].cost_usd == Decimal(1)
        ledger.add_usage(CODER, [(usage(5.0, 3), Decimal(1))], Position("/f", 1, 1, 2))
        assert whole(ledger, CODER) == Spend(2, Tokens(output=6), Decimal(2))


responses = st.tuples(
    st.sampled_from([CODER, DIRECTOR]),
    st.integers(0, 60),
    st.integers(0, 9),
    st.none() | st.decimals(0, 30, places=15, allow_nan=False),
)
lives = st.lists(st.lists(responses, max_size=6), max_size=5)
held = st.lists(
    st.builds(
        lambda role, since, lasts, number: Held(
            role, float(since), None if lasts is None else float(since + lasts), f"t{number % 3}", str(number)
        ),
        st.sampled_from([CODER, DIRECTOR]),
        st.integers(0, 60),
        st.none() | st.integers(0, 40),
        st.integers(0, 99),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(told=lives, lights=held, late=st.lists(st.decimals(0, 9, places=13, allow_nan=False), max_size=4))
def test_lights_and_what_is_under_none_add_up_to_the_whole(
    told: list[list[tuple[Role, int, int, Decimal | None]]], lights: list[Held], late: list[Decimal]
) -> None:
    """Lives one after the other; each tells its last piece twice; some prices come later."""
    known = Lights(lights)
    with tempfile.TemporaryDirectory() as folder:
        path, offset = Path(folder) / "l", 0
        for life in told:
            with closing(open_ledger(path)) as ledger:
                for role, wall, tokens, cost in life:
                    offset += 1
                    for _ in range(2):
                        ledger.add_usage(role, [(usage(float(wall), tokens), cost)], Position("/f", 1, 1, offset))
        with closing(open_ledger(path)) as ledger:
            waiting = ledger.unpriced()
            for (role, waits), price in zip(waiting, late, strict=False):
                ledger.reprice([(role, waits, price)])
            days = ledger.cost_since(0.0)
            for role in (CODER, DIRECTOR):
                parts = [ledger.spent.sum(role, one.since_wall, one.until_wall) for one in known.segments(role)]
                assert sum(parts, Spend()) == whole(ledger, role)
                mine = [one for life in told for one in life if one[0] == role]
                assert whole(ledger, role).responses == len(mine)
                assert whole(ledger, role).tokens.output == sum(tokens for _, _, tokens, _ in mine)
                day = days.get(role)
                assert whole(ledger, role).cost_usd == (day.cost_usd if day else 0)
                assert whole(ledger, role).unpriced_tokens == (day.unpriced_tokens if day else 0)
                for row in ledger.spent.newest(role, 10**9):
                    segment = known.segment_at(role, row.wall)
                    assert segment.since_wall <= row.wall < segment.until_wall


def test_a_look_without_writing_reads_it(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        ledger.add_usage(CODER, [(usage(5.0, 3), Decimal(1))], Position("/f", 1, 1, 1))
        ledger.light_seen("t", "seen", CODER, 4.0)
        ledger.light_seen("t", "later", CODER, 9.0)
        ledger.light_seen("t", "adopted", CODER, 2.0)
        stood = NewBlock(digest="adopted", role=CODER, task="t", heading="", text="")
        ledger.audit.add_blocks([stood], 3.0, adopted=True)
    with look_into(tmp_path / "l") as look:
        assert look is not None
        assert look.spent.sum(CODER, 0.0, 9.0).cost_usd == Decimal(1)
        assert look.spent.lit() == {"seen": 4.0, "later": 9.0}
        assert look.audit.adopted_wall() == 3.0
    with look_into(tmp_path / "none") as look:
        assert look is None


def test_a_damaged_ledger_is_said(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    ledger.close()
    with pytest.raises(LedgerError):
        ledger.spent.mark()


def test_a_hundred_thousand_responses_are_small_and_summed_at_once(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        empty = (tmp_path / "l").stat().st_size
        rows = [
            (
                Usage(
                    wall=1_775_000_000.0 + 4.1 * number,
                    model="claude-sonnet-4-5-20250929",
                    tokens=Tokens(input=7, output=640, cache_write=2_900, cache_read=91_000),
                    client="claude",
                    session=f"5b3f0c1e-0000-4000-8000-{number // 3000:012d}",
                ),
                Decimal(4_271_350 + number) * Decimal("0.00000001"),
            )
            for number in range(100_000)
        ]
        ledger.add_usage(CODER, rows, Position("/f", 1, 1, 1))
        with closing(sqlite3.connect(tmp_path / "l")) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert ((tmp_path / "l").stat().st_size - empty) / 100_000 < 110
        last = ledger.spent.mark()[0]
        took = []
        for _ in range(5):
            began = time.perf_counter()
            ledger.spent.mark()
            assert len(ledger.spent.after(last - 20, last)) == 20
            assert ledger.spent.sum(CODER, 1_775_000_000.0 + 400_000.0, EVER, last).responses == 2_439
            took.append(time.perf_counter() - began)
        assert min(took) < 0.05
        assert whole(ledger, CODER).cost_usd == sum(cost for _, cost in rows)
