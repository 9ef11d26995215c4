from __future__ import annotations

import time

import pytest

from teamops.domain.undo import Undo, handed_on_again
from teamops.model.protocol import KnownBlock, Tamper
from teamops.model.role import CODER


def known(digest: str, number: int = 1) -> KnownBlock:
    return KnownBlock(id=number, digest=digest, role=CODER, task=None, heading="", wall=1.0, adopted=False)


def tamper(number: int, before: str, after: str, *, accepted: str = "") -> Tamper:
    kind = "rewritten" if before and after else "inserted" if after else "vanished"
    return Tamper(
        id=number, wall=1.0, kind=kind, before=known(before) if before else None, after=after, accepted=accepted
    )


def test_the_old_text_undoes_a_rewrite_and_all_that_came_of_it() -> None:
    undo = Undo([tamper(1, "a", "b"), tamper(2, "b", "c"), tamper(3, "x", "y")])
    assert undo.rewritten("c", "z") == []
    assert undo.rewritten("c", "a") == [2, 1]
    assert undo.rewritten("c", "b") == [], "each is undone once"
    assert undo.rewritten("y", "x") == [3]


def test_a_text_that_goes_to_and_fro_comes_to_an_end() -> None:
    undo = Undo([tamper(1, "a", "b"), tamper(2, "b", "a"), tamper(3, "a", "b")])
    assert undo.rewritten("b", "a") == [3]
    assert undo.rewritten("b", "z") == []


def test_what_a_person_accepted_is_not_undone_by_itself() -> None:
    undo = Undo([tamper(1, "a", "b", accepted="me"), tamper(2, "v", "", accepted="me")])
    assert undo.rewritten("b", "a") == []
    assert undo.put_back("v") == []


def test_each_loss_and_each_insertion_is_undone_once() -> None:
    undo = Undo([tamper(1, "v", ""), tamper(2, "v", ""), tamper(3, "", "n")])
    assert undo.waits_for("v")
    assert sorted(undo.put_back("v") + undo.put_back("v") + undo.put_back("v")) == [1, 2]
    assert not undo.waits_for("v")
    assert undo.was_put_in("n")
    assert not undo.was_put_in("v")
    assert undo.taken_out("n") + undo.taken_out("n") == [3]
    assert undo.rewritten("n", "a") == [], "nothing stood there before"


def test_a_loss_of_nothing_known_waits_for_nothing() -> None:
    assert not Undo([tamper(1, "", "")]).waits_for("")


@pytest.mark.parametrize("alike", [False, True])
def test_ten_thousand_are_undone_in_no_time(alike: bool) -> None:
    count = 10_000
    names = [("", "") if alike else (f"a{number}", f"b{number}") for number in range(count)]
    undo = Undo(
        [tamper(3 * number, f"old{was}", f"new{now}") for number, (was, now) in enumerate(names)]
        + [tamper(3 * number + 1, f"gone{was}", "") for number, (was, _) in enumerate(names)]
        + [tamper(3 * number + 2, "", f"put{now}") for number, (_, now) in enumerate(names)]
    )
    begun = time.perf_counter()
    undone: list[int] = []
    for was, now in names:
        undone += undo.rewritten(f"new{now}", f"old{was}")
        undone += undo.put_back(f"gone{was}")
        if undo.was_put_in(f"put{now}"):
            undone += undo.taken_out(f"put{now}")
    assert sorted(undone) == list(range(3 * count))
    assert time.perf_counter() - begun < 1.0


def change(number: int, before: tuple[str, int] | None, after: str, *, accepted: str = "") -> Tamper:
    was = known(*before) if before else None
    return Tamper(id=number, wall=1.0, kind="", before=was, after=after, accepted=accepted)


def stands(*rows: tuple[str, int]) -> list[KnownBlock]:
    return [known(*row) for row in rows]


SWAPPED = (change(1, ("b", 2), ""), change(2, None, "b"))


@pytest.mark.parametrize(
    ("rows", "tampers", "now", "count"),
    [
        # swapped, and back: what is appended after counts for nothing
        (stands(("a", 1), ("c", 3), ("b", 4)), SWAPPED, "abc", 3),
        (stands(("a", 1), ("c", 3), ("b", 4)), SWAPPED, "abcd", 3),
        (stands(("a", 1), ("c", 3), ("b", 4)), SWAPPED, "acb", 0),
        (stands(("a", 1), ("c", 3), ("b", 4)), SWAPPED, "ab", 0),
        (stands(("a", 1), ("c", 3), ("b", 4), ("d", 5)), SWAPPED, "abcd", 4),
        # rewritten again and again
        (stands(("y", 4), ("b", 2)), (change(1, ("a", 1), "x"), change(2, ("x", 3), "y")), "ab", 2),
        (stands(("y", 4), ("b", 2)), (change(1, ("a", 1), "x"), change(2, ("x", 3), "y")), "xb", 0),
        # what is accepted counts as handed on, in the place of what it took
        (stands(("x", 3), ("b", 2)), (change(1, ("a", 1), "x", accepted="me"), change(2, None, "n")), "xb", 2),
        (stands(("y", 4), ("b", 2)), (change(1, ("a", 1), "x", accepted="me"), change(2, ("x", 3), "y")), "xb", 2),
        (
            stands(("y", 5), ("b", 2)),
            (change(1, ("a", 1), "x", accepted="me"), change(2, ("x", 4), "y", accepted="me"), change(3, ("z", 3), "")),
            "ybz",
            3,
        ),
        (stands(("b", 2)), (change(1, ("a", 1), "", accepted="me"), change(2, ("c", 3), "")), "bc", 2),
        # nobody knows where one belongs that was put in
        (stands(("a", 1), ("n", 3)), (change(1, None, "n", accepted="me"), change(2, ("b", 2), "")), "anb", 0),
        # alike ones
        (stands(("a", 1), ("b", 3), ("a", 4)), (change(1, ("a", 2), ""), change(2, None, "a")), "aab", 3),
        (stands(), (change(1, None, "n"),), "", 0),
    ],
)
def test_the_text_as_it_was_handed_on_is_known_whatever_was_done_to_it(
    rows: list[KnownBlock], tampers: tuple[Tamper, ...], now: str, count: int
) -> None:
    assert handed_on_again(rows, tampers, list(now)) == count
