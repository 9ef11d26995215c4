from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from teamops.domain import audit
from teamops.domain.audit import compare
from teamops.model.handoff import Block
from teamops.model.protocol import KnownBlock
from teamops.model.role import CODER, DIRECTOR, Role

DAY = datetime(2026, 3, 28)  # noqa: DTZ001 - a heading's
Word = tuple[str, Role, int | None]
"""Digest, role, minute of the heading."""

words = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([CODER, DIRECTOR]), st.none() | st.integers(0, 5))
files = st.lists(words, max_size=14)


def known(file: list[Word]) -> list[KnownBlock]:
    return [
        KnownBlock(id=n, digest=digest, role=role, task=None, heading=heading(role, at), wall=1.0, adopted=False)
        for n, (digest, role, at) in enumerate(file)
    ]


def heading(role: Role, at: int | None) -> str:
    return f"### [{role}]" + ("" if at is None else f" {DAY + timedelta(minutes=at):%Y-%m-%d %H:%M}")


def standing(file: list[Word]) -> list[Block]:
    return [
        Block(
            index=n, role=role, at=None if at is None else DAY + timedelta(minutes=at), line=n, end_line=n, start=n,
            end=n, digest=digest,
        )
        for n, (digest, role, at) in enumerate(file)
    ]  # fmt: skip


def longest(was: list[Word], now: list[Word]) -> int:
    """The length of the longest common series of digests, by the textbook."""
    row = [0] * (len(now) + 1)
    for one in was:
        before = row
        row = [0]
        for place, other in enumerate(now):
            row.append(before[place] + 1 if one[0] == other[0] else max(row[-1], before[place + 1]))
    return row[-1]


@given(was=files, now=files, many=st.booleans())
def test_every_block_has_one_fate(was: list[Word], now: list[Word], many: bool) -> None:
    before, after = known(was), standing(now)
    with patch.object(audit, "MAX_PAIRS", 2 if many else audit.MAX_PAIRS):
        found = compare(before, after)
    pairs = [*found.kept, *found.rewritten]
    fates = [*(block.id for block, _ in pairs), *(block.id for block in found.vanished)]
    assert sorted(fates) == list(range(len(was)))
    places = [block.index for block in (*(block for _, block in pairs), *found.inserted, *found.appended)]
    assert sorted(places) == list(range(len(now)))
    assert all(one.digest == other.digest for one, other in found.kept)
    assert all(one.digest != other.digest for one, other in found.rewritten)
    for series in (found.kept, found.rewritten):
        assert [block.id for block, _ in series] == sorted(block.id for block, _ in series)
        assert [block.index for _, block in series] == sorted(block.index for _, block in series)
    end = max((block.index for _, block in pairs), default=-1)
    assert [block.index for block in found.appended] == list(range(end + 1, len(now)))
    if not many:
        assert len(found.kept) == longest(was, now), "as many as possible are kept"


@given(was=files, more=files)
def test_what_is_only_appended_to_has_not_changed(was: list[Word], more: list[Word]) -> None:
    found = compare(known(was), standing([*was, *more]))
    assert not found.changed
    assert (len(found.kept), len(found.appended)) == (len(was), len(more))


@given(was=files.filter(bool), data=st.data())
def test_one_edit_is_found_as_it_was_made(was: list[Word], data: st.DataObject) -> None:
    """The digests differ, as those of a real file nearly always do."""
    was = [(f"{n}", role, at) for n, (_, role, at) in enumerate(was)]
    place = data.draw(st.integers(0, len(was) - 1))
    edit = data.draw(st.sampled_from(["rewrite", "remove", "insert"]))
    new = ("new", was[place][1], was[place][2])
    end = place + (edit != "insert")
    found = compare(known(was), standing([*was[:place], *([] if edit == "remove" else [new]), *was[end:]]))
    assert [(one.id, other.index) for one, other in found.rewritten] == [(place, place)] * (edit == "rewrite")
    assert [block.id for block in found.vanished] == [place] * (edit == "remove")
    assert [block.index for block in found.inserted] == [place] * (edit == "insert")
    assert not found.appended
