"""Old rows go in small steps, and no sum that anybody asks for changes by it."""

# ruff: noqa: S608 - the names of tables are ours

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teamops.domain.limits import Retention
from teamops.domain.retention import DAY_S
from teamops.ledger.audit import NewBlock
from teamops.ledger.boundaries import add_decisions
from teamops.ledger.connection import writing
from teamops.ledger.peek import look_into
from teamops.ledger.spent import Source, SpentRow
from teamops.ledger.store import Ledger, LedgerError, open_ledger
from teamops.ledger.sweeping import Sweep, days_seen
from teamops.ledger.tables import TABLES, documentation
from teamops.model.agent import Beat
from teamops.model.boundary import Decision, Verdict
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen
from teamops.model.role import CODER, REVIEWER, Role
from teamops.model.spend import Spend
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage

NOW = 20_000 * DAY_S + 50_000.0
RULE = Retention(raw_days=7, minute_days=90)
EVER = float("inf")


def usage(wall: float, tokens: int = 1, model: str = "m", session: str = "s") -> Usage:
    return Usage(wall=wall, model=model, tokens=Tokens(output=tokens), client="claude", session=session)


def sweep(ledger: Ledger, wall: float = NOW, rule: Retention = RULE, last: int | None = None) -> Sweep:
    done = Sweep(ledger.path, rule, wall, ledger.spent.mark()[0] if last is None else last)
    for _ in done.steps():
        pass
    return done


def filled(path: Path, days: int = 120, *, per_day: int = 6, seed: int = 7) -> Ledger:
    """Return a ledger of so many days up to NOW, with lights that go to and fro at odd moments."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    ledger = open_ledger(path)
    offset = 0
    for day in range(days, -1, -1):
        for number in range(per_day):
            wall = NOW - day * DAY_S - number * 40.0
            offset += 1
            rows: list[tuple[Usage, Decimal | None]] = [
                (usage(wall - chance.random() * 30, 1 + nth, chance.choice("mn"), chance.choice("st")), price)
                for nth, price in enumerate((Decimal("0.001"),) * 12 + (Decimal("1E-13"), Decimal("-0.0003")))
            ]
            role = chance.choice((CODER, REVIEWER))
            ledger.add_usage(role, rows, Position("/log", 1, 1, offset))
            digest = f"{day}-{number}"
            ledger.light_seen("t", digest, role, wall - chance.random() * 60)
            ledger.audit.add_blocks([NewBlock(digest=digest, role=role, task="t", heading="h", text="x")], wall - 20.5)
        stamp = Stamp(0.0, NOW)
        beat = Beat(role=CODER, wall=NOW - day * DAY_S)
        ledger.add_beats(BeatsSeen(stamp, (beat,), Position("/spool", 1, 1, offset)))
        ledger.rss.add([(CODER, 1, int((NOW - day * DAY_S) // 60), 1000)])
        ledger.state_edge(CODER, "working", "log", NOW - day * DAY_S)
    return ledger


def raw(ledger: Ledger, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(ledger.path)) as connection:
        return connection.execute(sql).fetchall()


def edges(ledger: Ledger) -> list[float]:
    walls = [float(str(row[0])) for row in raw(ledger, "SELECT wall FROM light UNION SELECT wall FROM block")]
    return [-EVER, *sorted(walls), EVER]


def sums(ledger: Ledger) -> list[Spend]:
    """Return all that is asked of single responses: by light and role, and by the quarter."""
    found = [
        ledger.spent.sum(role, since, until) for role in (CODER, REVIEWER) for since, until in pairwise(edges(ledger))
    ]
    with look_into(ledger.path) as look:
        assert look is not None
        begin = (20_000 - 130) * DAY_S
        spans = look.sums.spans([begin + 900 * number for number in range(0, 131 * 96, 7)])
    return [*found, *(spend for part in spans for _, spend in sorted(part.items()))]


def test_no_sum_changes_and_most_rows_go(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l")) as ledger:
        before, first = sums(ledger), raw(ledger, "SELECT count(*), min(wall) FROM spent")
        done = sweep(ledger)
        assert sums(ledger) == before
        after = raw(ledger, "SELECT count(*), min(wall) FROM spent")
        assert after[0][1] == first[0][1]
        assert done.done.merged > 500
        assert int(str(after[0][0])) == int(str(first[0][0])) - done.done.merged
        assert raw(ledger, "SELECT DISTINCT grain FROM spent ORDER BY 1") == [(0,), (60,), (900,)]
        assert raw(ledger, f"SELECT count(*) FROM spent WHERE grain = 0 AND wall < {NOW - 8 * DAY_S}") == [(0,)]
        assert raw(ledger, f"SELECT count(*) FROM spent WHERE grain > 0 AND wall > {NOW - 7 * DAY_S}") == [(0,)]


def test_the_same_again_does_nothing(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l")) as ledger:
        sweep(ledger)
        before = raw(ledger, "SELECT * FROM spent")
        again = sweep(ledger)
        assert (again.done.gone, again.done.merged) == (0, 0)
        assert raw(ledger, "SELECT * FROM spent") == before
        assert raw(ledger, "SELECT wall FROM sweep") == [(NOW,)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.floats(0, 1800), st.sampled_from("mn"), st.sampled_from(["0.1", "-0.1", "11", "1E-13", None])),
        max_size=30,
    ),
    lights=st.lists(st.floats(0, 1800), max_size=5),
    adopted=st.none() | st.floats(0, 1800),
)
def test_whatever_the_rows_and_lights_are_every_sum_stays(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[float, str, str | None]],
    lights: list[float],
    adopted: float | None,
) -> None:
    begin = (20_000 - 200) * DAY_S + 0.0
    with closing(open_ledger(tmp_path_factory.mktemp("l") / "l")) as ledger:
        for number, wall in enumerate(lights):
            ledger.light_seen("t", str(number), CODER, begin + wall)
        if adopted is not None:
            block = NewBlock(digest="a", role=CODER, task="t", heading="h", text="x")
            ledger.audit.add_blocks([block], begin + adopted, adopted=True)
        told = [(usage(begin + wall, 3, model), None if cost is None else Decimal(cost)) for wall, model, cost in rows]
        ledger.add_usage(CODER, told, Position("/log", 1, 1, 1))
        for day in range(100):  # newer days, and cycles, on record
            one = [(usage(NOW - day * DAY_S), Decimal(1))]
            ledger.add_usage(CODER, one, Position("/log", 1, 1, 2 + day))
        before = [(since, until, ledger.spent.sum(CODER, since, until)) for since, until in pairwise(edges(ledger))]
        minutes = [begin + 60 * minute for minute in range(31) if adopted is not None and minute * 60 < adopted]
        before += [(since, until, ledger.spent.sum(CODER, since, until)) for since, until in pairwise(minutes)]
        sweep(ledger)
        assert [(since, until, ledger.spent.sum(CODER, since, until)) for since, until, _ in before] == before


def test_what_waits_for_a_price_gets_it_as_long_as_minutes_are_kept(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l")) as ledger:
        young, old = usage(NOW - 20 * DAY_S, 10, "odd"), usage(NOW - 100 * DAY_S, 10, "odd")
        ledger.add_usage(CODER, [(young, None), (young, None), (old, None), (old, None)], Position("/x", 1, 1, 1))
        sweep(ledger)
        assert [waiting.wall for _, waiting in ledger.unpriced()] == [young.wall, young.wall]
        before = ledger.spent.sum(CODER, -EVER, EVER)
        assert ledger.reprice([(CODER, young, Decimal(2)), (CODER, old, Decimal(2))]) == 1
        after = ledger.spent.sum(CODER, -EVER, EVER)
        assert after.cost_usd - before.cost_usd == 2
        assert before.unpriced_tokens - after.unpriced_tokens == 10
        with look_into(ledger.path) as look:
            assert look is not None
            [span] = look.sums.spans([0, NOW // 900 * 900 + 900])
            assert sum((spend for (role, _), spend in span.items() if role == CODER), Spend()) == after


def test_the_last_cycles_of_an_agent_that_rests_stay_single(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        rest = NOW - 50 * DAY_S
        rows = [(usage(rest + 10 * number), Decimal(1)) for number in range(100)]
        ledger.add_usage(CODER, rows, Position("/log", 1, 1, 1))
        for day in range(20):
            ledger.state_edge(CODER, "idle", "", NOW - day * DAY_S)
        before = [row.wall for row in ledger.spent.newest(CODER, 1000)]
        sweep(ledger)
        newest = [row.wall for row in ledger.spent.newest(CODER, 1000)]
        assert newest[:60] == before[:60]
        assert len(newest) < 70
        assert ledger.spent.sum(CODER, -EVER, EVER).responses == 100


def test_rows_that_not_everybody_has_counted_are_left_alone(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l")) as ledger:
        before = raw(ledger, "SELECT * FROM spent WHERE id > 100")
        sweep(ledger, last=100)
        assert raw(ledger, "SELECT * FROM spent WHERE id > 100") == before
        assert raw(ledger, "SELECT count(*) FROM spent WHERE id <= 100")[0][0] != 100


def test_sources_are_not_mixed(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l", days=10)) as ledger:
        wall = NOW - 9 * DAY_S
        rows = [SpentRow(CODER, usage(wall), None, source) for source in (Source.OWN, Source.TRACKED, Source.OWN)]
        ledger.add_beats(BeatsSeen(Stamp(0.0, NOW), (), Position("/z", 1, 1, 1)), [], rows)
        for day in range(70):
            ledger.add_usage(CODER, [(usage(NOW - day), Decimal(1))], Position("/y", 1, 1, day + 1))
        sweep(ledger)
        kept = raw(ledger, f"SELECT source, responses FROM spent WHERE wall = {wall} ORDER BY source")
        assert kept == [(1, 1), (2, 2)]


def test_minutes_states_and_allowed_calls_go_and_facts_stay(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l")) as ledger:
        with writing(ledger._connection, ledger.path):
            add_decisions(
                ledger._connection,
                [
                    Decision(id=0, role=CODER, wall=NOW - age * DAY_S, verdict=verdict, rule="r", about="a", why="w")
                    for age in (0, 20, 200)
                    for verdict in Verdict
                ],
            )
        ledger.state_edge(REVIEWER, "working", "log", NOW - 110 * DAY_S)
        ledger.state_edge(REVIEWER, "dead", "exit", NOW - 109 * DAY_S)
        ledger.state_edge(REVIEWER, "given up", "", NOW - 108 * DAY_S)
        facts = {table.name: raw(ledger, f"SELECT * FROM {table.name}") for table in TABLES if table.kept == "fact"}
        sweep(ledger)
        for table in ("beat_minute", "usage_minute", "rss_minute"):
            first = raw(ledger, f"SELECT min(minute) * 60.0 FROM {table}")[0][0]
            assert isinstance(first, float)
            assert NOW - 92 * DAY_S < first <= NOW - 90 * DAY_S
        assert raw(ledger, "SELECT count(*) FROM decision WHERE verdict = 'allow'") == [(1,)]
        assert len(ledger.boundaries.refused(None, 100)) == 3 * (len(Verdict) - 1)
        states = raw(ledger, "SELECT state FROM state_edge WHERE role = 'REVIEWER' ORDER BY id")
        assert states == [("working",), ("given up",)]
        assert ledger.last_states()[REVIEWER] == "given up"
        assert ledger.keeping.seen_alive(REVIEWER)
        assert {
            table.name: raw(ledger, f"SELECT * FROM {table.name}") for table in TABLES if table.kept == "fact"
        } == facts


def test_in_which_state_an_agent_was_when_what_is_kept_begins_is_not_forgotten(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        ledger.state_edge(REVIEWER, "idle", "", NOW - 120 * DAY_S)
        for day in range(119, -1, -1):
            ledger.state_edge(CODER, "working" if day % 2 else "dead", "", NOW - day * DAY_S)
        ledger.state_edge(REVIEWER, "dead", "", NOW - DAY_S / 2)
        assert ledger.days.states_since() == float("-inf"), "nothing was cleared away so far"
        whole = ledger.days.states(NOW - 60 * DAY_S, EVER)
        ledger.rss.add([(CODER, 1, int((NOW - day * DAY_S) // 60), 1) for day in range(120)])
        sweep(ledger)
        assert ledger.days.states(NOW - 60 * DAY_S, EVER) == whole
        since = ledger.days.states_since()
        assert NOW - 93 * DAY_S < since < NOW - 88 * DAY_S
        assert {edge.role: edge.state for edge in ledger.days.states(since, since)} == {REVIEWER: "idle"}


@pytest.mark.parametrize("ahead_days", [400, 3650, 60_000])
def test_a_clock_that_jumps_ahead_wipes_nothing(tmp_path: Path, ahead_days: int) -> None:
    with closing(filled(tmp_path / "l", days=100)) as ledger:
        sweep(ledger)
        before = raw(ledger, "SELECT count(*) FROM usage_minute")
        wall = NOW + ahead_days * DAY_S
        ledger.add_usage(CODER, [(usage(wall), Decimal(1))], Position("/x", 1, 1, 1))
        ledger.state_edge(CODER, "working", "", wall)
        for _ in range(5):
            sweep(ledger, wall)
        per_day = int(str(before[0][0])) / 91
        left = raw(ledger, f"SELECT count(*) FROM usage_minute WHERE minute * 60 < {NOW + DAY_S}")
        assert int(str(left[0][0])) >= int(str(before[0][0])) - 2 * per_day - 12
        # Set right again, what the wrong clock left counts for nothing.
        sweep(ledger, NOW + 3600)
        assert raw(ledger, f"SELECT count(*) FROM usage_minute WHERE minute * 60 < {NOW + DAY_S}") == left


def test_a_clock_that_was_set_back_wipes_nothing(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l", days=80)) as ledger:
        before = [raw(ledger, f"SELECT count(*) FROM {table.name}") for table in TABLES if table.name != "sweep"]
        sweep(ledger, 0.0)
        sweep(ledger, NOW - 79 * DAY_S)
        assert before == [
            raw(ledger, f"SELECT count(*) FROM {table.name}") for table in TABLES if table.name != "sweep"
        ]


def test_days_on_record_are_found_in_every_kind(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        ledger.state_edge(CODER, "idle", "", 3 * DAY_S + 1.0)
        ledger.light_seen("t", "d", CODER, 5 * DAY_S + 1.0)
        ledger.rss.add([(CODER, 1, 7 * 1440, 1), (CODER, 1, 7 * 1440 + 5, 1), (CODER, 1, 90 * 1440, 1)])
        ledger.add_usage(CODER, [(usage(9 * DAY_S + 86_399), Decimal(1))], Position("/x", 1, 1, 1))
        assert days_seen(ledger._connection, 20.0 * DAY_S, 10) == {3, 5, 7, 9}
        assert days_seen(ledger._connection, 9.0 * DAY_S, 1) == {3, 5, 7, 9}
        assert days_seen(ledger._connection, 0.0, 10) == set()


def test_a_killed_sweep_is_gone_on_with(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l", per_day=12)) as ledger:
        before = sums(ledger)
        code = (
            "import sys, time; from pathlib import Path; from teamops.ledger import sweeping; sweeping.MOST = 20\n"
            "from teamops.domain.retention import Retention\n"
            f"s = sweeping.Sweep(Path(sys.argv[1]), Retention(), {NOW}, 10**9); s._rows = 20\n"
            "for _ in s.steps(): print('step', flush=True)\n"
        )
        for number in range(6):
            child = subprocess.Popen([sys.executable, "-c", code, ledger.path], stdout=subprocess.PIPE)
            assert child.stdout is not None
            for _ in range(2 + number):
                child.stdout.readline()
            os.kill(child.pid, signal.SIGKILL)
            child.wait(10)
            child.stdout.close()
            assert sums(ledger) == before
        sweep(ledger)
        assert sums(ledger) == before
        assert raw(ledger, f"SELECT count(*) FROM spent WHERE grain = 0 AND wall < {NOW - 8 * DAY_S}") == [(0,)]
        assert raw(ledger, "PRAGMA integrity_check") == [("ok",)]


def test_a_step_holds_the_ledger_for_a_moment_and_others_write_meanwhile(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        rows: list[tuple[Usage, Decimal | None]] = [
            (usage(NOW - (150 - number / 400) * DAY_S, 1, "mnop"[number % 4]), Decimal("0.01"))
            for number in range(60_000)
        ]
        ledger.add_usage(CODER, rows, Position("/log", 1, 1, 1))
        sweeping = Sweep(ledger.path, RULE, NOW, ledger.spent.mark()[0])
        waits = []
        for number, _ in enumerate(sweeping.steps()):
            begun = time.monotonic()
            ledger.add_usage(CODER, [(usage(NOW), Decimal(1))], Position("/live", 1, 1, number + 1))
            waits.append(time.monotonic() - begun)
        assert len(waits) > 10
        assert sorted(waits)[len(waits) // 2] < 0.05
        assert sweeping.done.longest_s < 0.25, "a loaded machine may stall once, not for long"


def test_a_ledger_that_another_writer_holds_is_left_for_later(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l")) as ledger:
        before = sums(ledger)
        with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            with pytest.raises(LedgerError, match="another process"):
                sweep(ledger)
            assert time.monotonic() - begun < 3
            other.execute("ROLLBACK")
        assert sums(ledger) == before
        assert sweep(ledger).done.merged


def test_what_is_freed_goes_back_to_the_disk_a_little_at_a_time(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        assert raw(ledger, "PRAGMA auto_vacuum") == [(2,)]
        for number in range(12_000):
            ledger._connection.execute(
                "INSERT INTO decision(role, wall, verdict, rule, about, why) VALUES('R', ?, 'allow', ?, '', '')",
                (NOW - 200 * DAY_S, "x" * 500),
            )
            if number < 12:
                ledger.state_edge(CODER, "idle", "", NOW - number * DAY_S)
        ledger._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = ledger.path.stat().st_size
        steps = sum(1 for _ in Sweep(ledger.path, RULE, NOW, 0).steps())
        assert steps < 200
        ledger._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert ledger.path.stat().st_size < before / 3


def test_nothing_is_made_where_the_ledger_is_gone(tmp_path: Path) -> None:
    with pytest.raises(LedgerError):
        list(Sweep(tmp_path / "gone", RULE, NOW, 0).steps())
    assert not list(tmp_path.iterdir())


def test_every_table_has_its_word(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "l")) as ledger:
        there = {row[0] for row in raw(ledger, "SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {table.name for table in TABLES} == there
        for table in TABLES:
            assert raw(ledger, f"SELECT min({table.wall or 0}) FROM {table.name}")


def test_the_documentation_has_every_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "ledger.md").read_text(encoding="utf-8")
    assert documentation() in page


def test_roles_are_kept_apart(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "l", days=12)) as ledger:
        before = {role: ledger.spent.sum(role, -EVER, EVER) for role in (CODER, REVIEWER, Role("X"))}
        sweep(ledger)
        assert {role: ledger.spent.sum(role, -EVER, EVER) for role in before} == before
