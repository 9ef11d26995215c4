from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.ledger.connection import LedgerError
from teamops.ledger.usage_groups import Split, UsageGroup
from teamops.ledger.usage_store import UsageStore
from teamops.model.usage import Tokens
from teamops.model.usage_log import MAIN, LogFile, LogRead, LogRow

Row = tuple[str, bool, float, str, int, str, int]


@contextmanager
def opened(path: Path) -> Iterator[UsageStore]:
    store = UsageStore(path)
    try:
        yield store
    finally:
        store.close()


def row(
    key: str = "m1:r1", *, bare: bool = False, wall: float = 1000.0, model: str = "m", session: str = "s",
    said: str = "s", tokens: int = 1, cost: str = "", rank: int = 1, speed: str = "",
) -> LogRow:  # fmt: skip
    return (key, bare, wall, model, session, said, speed, "", tokens, 0, 0, 0, 0, cost, rank, 0)


def log(*rows: LogRow, path: str = "/a", client: str = "claude", anew: bool = False, offset: int = 10) -> LogRead:
    return LogRead(LogFile(client, path, 1, 2, offset, 99, 3, b"guard", 0), anew, rows, (("s", "/p"),))


def all_of(store: UsageStore, split: Split = Split.NOTHING, tiers: Sequence[int] = ()) -> list[UsageGroup]:
    return store.groups(since=-math.inf, until=math.inf, split=split, tiers=tiers)


def total(store: UsageStore, split: Split = Split.NOTHING) -> int:
    return sum(group.tokens.total for group in all_of(store, split))


def test_what_was_read_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "usage.sqlite3"
    with opened(path) as store:
        store.save([log(row()), log(path="/b", offset=77)])
    with opened(path) as store:
        assert store.files()["/b"] == LogFile("claude", "/b", 1, 2, 77, 99, 3, b"guard", 0)
        assert [group.tokens for group in all_of(store)] == [Tokens(input=1)]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        (row(rank=5, tokens=5), row(rank=6, tokens=6), 6),
        (row(rank=6, tokens=6), row(rank=5, tokens=5), 6),
        (row(rank=MAIN, tokens=1), row(rank=900, tokens=900), 1),
    ],
)
def test_of_two_with_one_key_the_higher_rank_stands(tmp_path: Path, first: LogRow, second: LogRow, stands: int) -> None:
    with opened(tmp_path / "u") as store:
        store.save([log(first, path="/a")])
        store.save([log(second, path="/b")])
        assert total(store) == stands


@pytest.mark.parametrize("order", [("/a", "/b"), ("/b", "/a")])
def test_of_equals_the_file_whose_path_comes_first_stands(tmp_path: Path, order: tuple[str, str]) -> None:
    with opened(tmp_path / "u") as store:
        for path in order:
            store.save([log(row(session=path), path=path)])
        assert [group.session for group in all_of(store, Split.SESSIONS)] == ["/a"]


ROWS = st.builds(
    lambda key, rank, session: row(f"m{key}:r", rank=rank, tokens=rank, session=session),
    st.integers(0, 4),
    st.integers(0, 3),
    st.sampled_from("xyz"),
)
FILES = st.lists(st.tuples(st.sampled_from(("/a", "/b", "/c")), st.lists(ROWS, max_size=5)), max_size=8)


@given(files=FILES, rng=st.randoms(use_true_random=False), again=st.booleans())
def test_neither_order_nor_repetition_changes_what_is_counted(
    files: list[tuple[str, list[LogRow]]], rng: Random, again: bool
) -> None:
    folder = Path(os.environ["HOME"])

    def counted(reads: list[LogRead], one_by_one: bool) -> list[tuple[str, int]]:
        path = folder / "usage"
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        with opened(path) as store:
            for part in [[read] for read in reads] if one_by_one else [reads]:
                store.save(part)
            return sorted((group.session, group.tokens.total) for group in all_of(store, Split.RESPONSES))

    # A file's own lines have an order: of equals its first stands, so each is one reading here.
    merged: dict[str, dict[str, LogRow]] = {}
    for path, rows in files:
        for one in rows:
            old = merged.setdefault(path, {}).get(one[0])
            if old is None or one[-2] > old[-2]:
                merged[path][one[0]] = one
    reads = [log(*rows.values(), path=path) for path, rows in merged.items()]
    expected = counted(reads, one_by_one=False)
    shuffled = [*reads, *(reads if again else [])]
    rng.shuffle(shuffled)
    assert counted(shuffled, one_by_one=True) == expected


def test_rows_without_an_identity_are_the_files_own(tmp_path: Path) -> None:
    own = row("/a:0", tokens=7)
    with opened(tmp_path / "u") as store:
        store.save([log(own, row("m:r", tokens=1)), log(row("/ab:0", tokens=100), path="/ab")])
        store.save([log(row("/a:50", tokens=9), offset=60)])
        assert total(store) == 7 + 1 + 100 + 9
        store.save([log(row("/a:0", tokens=8), anew=True)])  # the file was written anew
        assert total(store) == 8 + 1 + 100


def test_a_client_has_keys_of_its_own(tmp_path: Path) -> None:
    with opened(tmp_path / "u") as store:
        store.save([log(row(), path="/a"), log(row(), path="/b", client="codex")])
        assert sorted(group.client for group in all_of(store)) == ["claude", "codex"]


@pytest.mark.parametrize(
    ("rows", "by_day", "by_session"),
    [
        # A side chain tells a response again under another request: it counts only where nothing else tells it.
        ((row("m:r1", rank=MAIN + 1, tokens=1), row("m:r2", rank=2, tokens=2)), 1, 3),
        ((row("m:r1", rank=3, tokens=3), row("m:r2", rank=2, tokens=2)), 3, 5),
        ((row("m:r1", rank=MAIN + 1, tokens=1), row("m:r2", rank=MAIN + 2, tokens=2)), 3, 3),
        ((row("m:r1", rank=MAIN + 1, tokens=1), row("m:r2", rank=2, tokens=2, said="t")), 3, 3),
        ((row("m:r1", rank=MAIN + 1, tokens=1), row("mm:r2", rank=2, tokens=2)), 3, 3),
        # Without a request two times are two responses of a day, and one of a session.
        ((row("m:1", bare=True, rank=MAIN + 1, tokens=1), row("m:2", bare=True, rank=MAIN + 2, tokens=2)), 3, 2),
        ((row("m:1", bare=True, rank=MAIN, tokens=1), row("m:2", bare=True, rank=MAIN, tokens=1)), 2, 1),
        ((row("m:1", bare=True, rank=MAIN, tokens=1), row("m:r", rank=MAIN, tokens=2)), 3, 3),
    ],
)
def test_what_tells_a_response_again(tmp_path: Path, rows: tuple[LogRow, ...], by_day: int, by_session: int) -> None:
    with opened(tmp_path / "u") as store:
        store.save([log(*rows)])
        assert (total(store), total(store, Split.SESSIONS_ONCE)) == (by_day, by_session)


def test_side_chains_are_claudes_alone(tmp_path: Path) -> None:
    with opened(tmp_path / "u") as store:
        store.save([log(row("t:1", rank=0), row("t:2", rank=0), client="codex")])
        assert total(store) == 2


def test_groups_hold_what_is_priced_alike(tmp_path: Path) -> None:
    with opened(tmp_path / "u") as store:
        store.save(
            [
                log(
                    row("1:r", wall=900.0, tokens=100),
                    row("2:r", wall=1799.9, tokens=200),
                    row("3:r", wall=1800.0, tokens=100),
                    row("4:r", wall=900.0, tokens=201),
                    row("5:r", wall=900.0, tokens=1, speed="fast"),
                    row("6:r", wall=900.0, tokens=1, cost="0.1"),
                    row("7:r", wall=900.0, tokens=1, cost="0.2"),
                )
            ]
        )
        found = {
            (g.wall, g.speed, g.context, g.cost_usd): (g.entries, g.tokens.input) for g in all_of(store, tiers=(200,))
        }
        assert found == {
            (900.0, "", 1, None): (2, 300),
            (1800.0, "", 1, None): (1, 100),
            (900.0, "", 201, None): (1, 201),
            (900.0, "fast", 1, None): (1, 1),
            (900.0, "", 1, Decimal("0.3")): (2, 2),
        }
        each = store.groups(since=900.0, until=1800.0, split=Split.RESPONSES, sessions=("s", "other"))
        assert sorted(group.wall for group in each) == [900.0] * 5 + [1799.9]
        assert store.groups(since=900.0, until=1800.0, split=Split.RESPONSES, sessions=("other",)) == []


def test_prices_and_what_needs_them(tmp_path: Path) -> None:
    with opened(tmp_path / "u") as store:
        store.save([log(row("1:r", wall=86_399.0), row("2:r", wall=86_400.0), row("3:r", model="paid", cost="1"))])
        assert store.model_days() == {("m", "1970-01-01"), ("m", "1970-01-02")}
        store.save_rates({("m", "1970-01-01"): "{}", ("x", "1970-01-01"): None})
        assert store.rates() == {("m", "1970-01-01"): "{}"}


def test_malformed_lines_of_all_files(tmp_path: Path) -> None:
    with opened(tmp_path / "u") as store:
        assert store.skipped_lines() == 0
        for path, bad in (("/a", 3), ("/b", 4), ("/a", 5)):
            store.save([LogRead(LogFile("claude", path, 1, 2, 3, 3, 4, b"", bad), anew=False, rows=())])
        assert store.skipped_lines() == 9


def test_what_can_not_be_stored_leaves_nothing_behind(tmp_path: Path) -> None:
    with opened(tmp_path / "u") as store:
        with pytest.raises(LedgerError):
            store.save([log(row("ok:r")), log(row("big:r", tokens=1 << 70, model="new"), path="/b")])
        assert (store.files(), total(store)) == ({}, 0)
        store.save([log(row("ok:r", model="new"))])
        assert [group.model for group in all_of(store)] == ["new"]
