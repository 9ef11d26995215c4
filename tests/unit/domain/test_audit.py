from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from teamops.domain import audit
from teamops.domain.audit import Comparison, compare, handed_on
from teamops.model.handoff import Block
from teamops.model.protocol import KnownBlock
from teamops.model.role import Role
from tests.unit.domain.notation import blocks as blocks_of

ROLES = {"C": Role("CODER"), "D": Role("DIRECTOR"), "R": Role("REVIEWER"), "H": Role("HUMAN")}
DAY = datetime(2026, 3, 28)  # noqa: DTZ001 - a heading's


def at(minute: str) -> datetime | None:
    return DAY + timedelta(minutes=int(minute)) if minute else None


def known(text: str) -> list[KnownBlock]:
    """Return blocks that were handed on: each word a role, its heading's minute (or none), its digest."""
    made = []
    for number, word in enumerate(text.split()):
        head, _, digest = word.partition("/")
        when = at(head[1:])
        heading = f"### [{ROLES[head[0]]}]" + (f" {when:%Y-%m-%d %H:%M} Title" if when else "")
        made.append(
            KnownBlock(
                id=number, digest=digest, role=ROLES[head[0]], task=None, heading=heading, wall=1.0, adopted=False
            )
        )
    return made


def standing(text: str) -> list[Block]:
    made = []
    for index, word in enumerate(text.split()):
        head, _, digest = word.partition("/")
        made.append(
            Block(
                index=index,
                role=ROLES[head[0]],
                at=at(head[1:]),
                line=index,
                end_line=index,
                start=index,
                end=index,
                digest=digest,
            )
        )
    return made


def said(found: Comparison) -> str:
    """Return what changed, in short: ``a>b`` rewritten, ``-a`` vanished, ``+a`` inserted, ``a`` appended."""
    words = [f"{was.digest}>{now.digest}" for was, now in found.rewritten]
    words += [f"-{was.digest}" for was in found.vanished] + [f"+{now.digest}" for now in found.inserted]
    return " ".join([*words, *(now.digest for now in found.appended)])


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        pytest.param("", "", "", id="nothing"),
        pytest.param("", "D1/a C2/b", "a b", id="all is new"),
        pytest.param("D1/a C2/b", "D1/a C2/b", "", id="all is kept"),
        pytest.param("D1/a C2/b", "D1/a C2/b R3/c D4/d", "c d", id="appended to"),
        pytest.param("D1/a C2/b R3/c", "D1/a C2/x R3/c", "b>x", id="rewritten in the middle"),
        pytest.param("D1/a C2/b R3/c", "D1/x C2/b R3/c", "a>x", id="rewritten at the start"),
        pytest.param("D1/a C2/b", "D1/a C2/x", "b>x", id="rewritten at the end"),
        pytest.param("D1/a C2/b", "D1/a C2/x R3/c", "b>x c", id="the last rewritten, and another appended"),
        pytest.param("D1/a C2/b", "D1/x C2/y", "a>x b>y", id="all rewritten, as by other line ends"),
        pytest.param("D1/a C2/b R3/c", "D1/a R3/c", "-b", id="one is gone from the middle"),
        pytest.param("D1/a C2/b R3/c", "D1/a C2/b", "-c", id="the last is gone"),
        pytest.param("D1/a C2/b", "", "-a -b", id="all are gone"),
        pytest.param("D1/a C2/b", "D1/a R3/n C2/b", "+n", id="one is put in between"),
        pytest.param("D1/a C2/b", "R3/n D1/a C2/b", "+n", id="one is put before all"),
        pytest.param("D1/a C2/b R3/c", "C2/b D1/a R3/c", "-a +a", id="moved: gone, and put in"),
        pytest.param("D1/a C2/b", "D1/a R3/n D4/m", "-b n m", id="the last is lost to what others wrote instead"),
        pytest.param("D1/a C2/b", "D1/a C5/n R6/m", "b>n m", id="the last one's heading too"),
        pytest.param("D1/a C2/b", "D1/a R3/n C9/x", "-b n x", id="a later block of the same role is another"),
        pytest.param("D1/a C2/b", "D1/a R3/n C2/x", "b>x +n", id="the same heading further on is the same block"),
        pytest.param("D1/a C2/b R3/c", "D1/a H2/x R3/c", "b>x", id="another role in the heading"),
        pytest.param("D1/a C2/b R3/c D4/d", "D1/a H5/x C2/y D4/d", "b>y -c +x", id="heading before place"),
        pytest.param("D1/a C2/b R3/c D4/d", "D1/a R8/x D4/d", "c>x -b", id="the same role before the same place"),
        pytest.param("D1/a C2/b R3/c D4/d", "D1/a H8/x D4/d", "b>x -c", id="the same place where nothing else tells"),
        pytest.param("D/a C/b R/c", "D/a C/x R/c", "b>x", id="without dates"),
        pytest.param("D1/a C/b", "D1/a R/n C/x", "-b n x", id="a role without a date is no heading to go by"),
        pytest.param("D1/a D1/a", "D1/a D1/a", "", id="two alike"),
        pytest.param("D1/a D1/a C2/b", "D1/a C2/b", "-a", id="one of two alike is gone"),
        pytest.param("D1/a C2/b", "D1/a C2/b D1/a C2/b", "a b", id="all of it pasted once more"),
        pytest.param("D1/a C2/b", "D1/a D1/a C2/b", "+a", id="one pasted twice"),
    ],
)  # fmt: skip
def test_what_became_of_the_blocks(was: str, now: str, expected: str) -> None:
    assert said(compare(known(was), standing(now))) == expected


def test_a_comparison_names_what_it_compared() -> None:
    was, now = known("D1/a C2/b R3/c D4/d"), standing("D1/a C2/x H9/n D4/d R5/e")
    found = compare(was, now)
    assert found.kept == ((was[0], now[0]), (was[3], now[3]))
    assert found.rewritten == ((was[1], now[1]), (was[2], now[2]))
    assert found.appended == (now[4],)
    assert found.changed
    assert not compare(was, standing("D1/a C2/b R3/c D4/d R5/e")).changed


def test_an_unreadable_heading_is_none() -> None:
    odd = KnownBlock(id=1, digest="a", role=ROLES["C"], task=None, heading="no heading", wall=1.0, adopted=False)
    assert said(compare([odd], standing("C2/x"))) == "a>x"


@pytest.mark.parametrize(
    ("text", "unchanged_s", "expected"),
    [
        ("", 99.0, 0),
        ("DIR>COD t2", 0.0, 0),
        ("DIR>COD t2", 59.9, 0),
        ("DIR>COD t2", 60.0, 1),
        ("DIR>COD t2; COD>DIR", 0.0, 1),
        ("DIR>COD t2; COD>DIR", 60.0, 2),
        ("DIR>COD t2; COD>DIR ...", 999.0, 1),
    ],
)
def test_the_last_block_is_handed_on_when_it_is_whole_and_rests(text: str, unchanged_s: float, expected: int) -> None:
    assert handed_on(blocks_of(text), unchanged_s) == expected


# many


def test_too_many_alike_are_still_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands once is aligned first; the alike ones in between, one after another."""
    monkeypatch.setattr(audit, "MAX_PAIRS", 3)
    was = "C1/k D2/a C1/k R3/b C1/k C1/k H4/z"
    assert said(compare(known(was), standing("H0/n C1/k D2/a C1/k C1/k R3/b C1/k H4/z"))) == "-k +n +k"
    assert said(compare(known(was), standing("H0/n C1/k D2/a C1/k R3/b C1/k C1/k H9/y"))) == "z>y +n"
    assert (
        said(compare(known("C1/k C1/k D2/a C1/k R3/b"), standing("H0/n C1/k D2/a C1/k C1/k R3/b D4/d"))) == "-k +n +k d"
    )


MANY = range(10_000)
RANDOM = random.Random(7)  # noqa: S311 - no secret
HEADS = [f"{RANDOM.choice('CDR')}{RANDOM.randrange(1400)}" for _ in MANY]
MIXED = RANDOM.sample(MANY, len(MANY))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        pytest.param(lambda n: f"{HEADS[n]}/{n}", lambda n: f"{HEADS[n]}/x{n}", id="all changed"),
        pytest.param(lambda n: f"C1/{n}", lambda n: f"C1/x{n}", id="all changed under one heading"),
        pytest.param(lambda n: f"{HEADS[n]}/{n}", lambda n: f"{HEADS[MIXED[n]]}/{MIXED[n]}", id="mixed"),
        pytest.param(lambda n: f"{HEADS[n]}/{n}", lambda n: f"{HEADS[MIXED[n]]}/x{n}", id="mixed and changed"),
        pytest.param(lambda n: f"{HEADS[n]}/{n}", lambda n: f"{HEADS[n]}/{len(MANY) - n}", id="turned round"),
        pytest.param(lambda n: f"C1/{n % 5}", lambda n: f"C1/{MIXED[n] % 5}", id="five texts again and again"),
    ],
)
def test_10_000_blocks_are_compared_within_a_second(was: Callable[[int], str], now: Callable[[int], str]) -> None:
    before, after = known(" ".join(map(was, MANY))), standing(" ".join(map(now, MANY)))

    def once() -> tuple[Comparison, float]:
        begun = time.process_time()
        return compare(before, after), time.process_time() - begun

    found, took = once()
    for _ in range(2):  # a machine that is busy now may be less so the next time
        if took >= 1.0:
            found, took = once()
    assert took < 1.0
    assert len(found.kept) + len(found.rewritten) + len(found.vanished) == len(MANY)
