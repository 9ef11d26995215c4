"""What may leave the handoff file, and what stays so that nothing changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest

from teamops.handoff import ROLES, parse
from teamops.handoff.leaving import Leaving, divide
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block

NOW = datetime.fromisoformat("2026-07-01T12:00")


def block(text: str, task: str | None = None, at: str = "2026-03-28 14:30", *, tier: bool = True) -> str:
    fields = "**Status**: done\n**Turn**: NONE\n" + ("**Tier**: 2\n" if tier else "")
    fields += f"**Task**: {task}\n" if task else ""
    return f"### [CODER] {at}\n\n{fields}\n#### What I Did\n{text}\n\n"


def split(text: str, *tasks: str | None, archives: Mapping[str, str] | None = None) -> Leaving:
    """Divide with the blocks of ``tasks`` wanted."""
    keys = [task.lower() if task else None for task in tasks]

    def wanted(blocks: tuple[Block, ...]) -> list[int]:
        return [one.index for one in blocks if (one.task.lower() if one.task else None) in keys]

    kept = {month: content.encode() for month, content in (archives or {}).items()}
    return divide(text.encode(), wanted, lambda month: kept.get(month, b""), NOW, ROLES)


def texts(leaving: Leaving) -> dict[str, str]:
    return {month: content.decode() for month, content in leaving.archives.items()}


A1, A2, A3 = block("a one", "a"), block("a two", "A"), block("a three")
B1, B2 = block("b one", "b"), block("b two")
N1, N2 = block("no task"), block("none either")


@pytest.mark.parametrize(
    ("text", "tasks", "rest", "archive"),
    [
        (A1 + B1 + B2 + A2, ["b"], A1 + A2, B1 + B2),
        (A1 + B1 + B2 + A2 + A3, ["a"], B1 + B2, A1 + A2 + A3),
        (A1 + B1 + A2, ["a", "b"], "", A1 + B1 + A2),
        ("# Team\n\ntext\n" + A1, ["a"], "# Team\n\ntext\n", A1),
        ("\ufeff" + A1 + B1, ["a"], "\ufeff" + B1, A1),
        (N1 + A1, [None], A1, N1),
        (N1 + A1, ["a"], N1, A1),
        (A1 + B1.rstrip(), ["b"], A1, B1.rstrip()),
        (A1 + B1.rstrip(), ["a"], B1.rstrip(), A1),
        (A1 + B1, [], A1 + B1, None),
        ("", ["a"], "", None),
        ("# Team\n", ["a"], "# Team\n", None),
    ],
    ids=[
        "with what inherits it", "its own tail", "all", "after a preamble", "after a BOM", "without a task", "but them",
        "last, no end of line", "before it", "nothing", "empty", "no blocks",
    ],
)  # fmt: skip
def test_a_task_goes_whole_and_the_rest_stays_byte_for_byte(
    text: str, tasks: list[str | None], rest: str, archive: str | None
) -> None:
    leaving = split(text, *tasks)
    assert leaving.rest.decode() == rest
    assert texts(leaving) == ({} if archive is None else {"2026-03": archive})
    assert leaving.kept == ()
    assert [one.digest for one in leaving.moved] == [one.digest for one in parse((archive or "").encode()).blocks]
    assert leaving.last == (bool(leaving.moved) and text.endswith((archive or "?")[-40:]))


def test_the_month_is_that_of_the_heading_and_what_inherits_goes_along() -> None:
    march, april = block("m", "a", "2026-03-31 23:50"), block("x", at="2026-04-01 00:10")
    own = block("o", "a", "2026-04-01 00:20")
    bare = block("n", "a", "some day")
    bad = bare.replace("[CODER] some day", "[CODER]")
    leaving = split(march + april + own + bad, "a")
    assert texts(leaving) == {"2026-03": march + april, "2026-04": own, "2026-07": bad}
    for content in leaving.archives.values():
        assert {one.task for one in parse(content).blocks} == {"a"}


def test_blocks_without_a_task_have_a_month_each() -> None:
    march, april = block("m", at="2026-03-31 23:50"), block("x", at="2026-04-01 00:10")
    assert texts(split(march + april, None)) == {"2026-03": march, "2026-04": april}


def test_blocks_without_a_task_come_first_in_an_archive() -> None:
    old = "# Old\n\n" + N1 + A1
    leaving = split(N2 + B1, None, "b", archives={"2026-03": old})
    assert texts(leaving) == {"2026-03": "# Old\n\n" + N1 + N2 + A1 + B1}
    assert [one.task for one in parse(leaving.archives["2026-03"]).blocks] == [None, None, "a", "b"]


def test_a_task_of_which_a_block_is_not_wanted_stays() -> None:
    leaving = divide((A1 + B1 + A2).encode(), lambda _: [0, 1, 99], lambda _: b"", NOW, ROLES)
    assert leaving.rest.decode() == A1 + A2
    assert leaving.kept == ("a",)


def test_a_block_in_writing_keeps_its_task() -> None:
    text = A1 + B1 + "### [CODER] 2026-03-28 15:00\n\n**Task**: b\n"
    leaving = split(text, "a", "b")
    assert leaving.rest.decode() == text.removeprefix(A1)
    assert leaving.kept == ("b",)


@pytest.mark.parametrize("tail", ["```\ncode\n", "<!-- note\n", "~~~~\n~~~\n"])
def test_a_block_that_ends_in_an_open_fence_keeps_its_task(tail: str) -> None:
    text = A1 + B1 + tail
    leaving = split(text, "a", "b")
    assert leaving.rest.decode() == B1 + tail
    assert leaving.kept == ("b",)


def test_an_archive_that_ends_in_an_open_fence_is_refused() -> None:
    with pytest.raises(TeamopsError, match="2026-03 ends in a code fence"):
        split(A1, "a", archives={"2026-03": B1 + "```\n"})


def test_an_archive_gets_what_it_does_not_hold() -> None:
    old = A1 + B1
    assert texts(split(A1 + A2 + B1, "a", "b", archives={"2026-03": old})) == {"2026-03": old + A2}
    # As often as it stands: two blocks of the same words are two.
    assert texts(split(A1 + A1 + A1, "a", archives={"2026-03": A1})) == {"2026-03": A1 * 3}
    assert texts(split(A1, "a", archives={"2026-03": A1 * 2})) == {"2026-03": A1 * 2}


def test_an_archive_whose_last_line_has_no_end_gets_one() -> None:
    old = A1.rstrip()
    assert texts(split(B1, "b", archives={"2026-03": old})) == {"2026-03": old + "\n\n" + B1}
    assert texts(split(B1, "b", archives={"2026-03": "# Old\r\n"})) == {"2026-03": "# Old\r\n" + B1}


LISTED = block("- an item", "a").rstrip() + "\n"
INDENTED = "  " + block("indented", "c")
"""After a list its heading would be part of the item."""


@pytest.mark.parametrize(
    ("text", "tasks", "rest", "archive", "kept"),
    [
        (LISTED + B1 + INDENTED, ["b"], LISTED + B1 + INDENTED, {}, ("b",)),
        (LISTED + B1 + INDENTED, ["b", "c"], LISTED, {"2026-03": B1 + INDENTED}, ()),
        (LISTED + B1 + INDENTED, ["a", "c"], B1 + INDENTED, {"2026-03": LISTED}, ("c",)),
        (LISTED + B1 + INDENTED, ["a"], B1 + INDENTED, {"2026-03": LISTED}, ()),
        ("- list\n" + A1 + INDENTED, ["a"], "- list\n" + A1 + INDENTED, {}, ("a",)),
    ],
    ids=["between", "with it", "in the archive", "before", "after the preamble"],
)
def test_what_would_read_differently_stays(
    text: str, tasks: list[str], rest: str, archive: dict[str, str], kept: tuple[str, ...]
) -> None:
    leaving = split(text, *tasks)
    assert leaving.rest.decode() == rest
    assert texts(leaving) == archive
    assert leaving.kept == kept


def test_what_an_archive_cannot_take_stays() -> None:
    leaving = split(INDENTED + B1, "c", "b", archives={"2026-03": LISTED})
    assert leaving.rest.decode() == INDENTED
    assert texts(leaving) == {"2026-03": LISTED + B1}
    assert leaving.kept == ("c",)


def test_a_block_that_would_count_as_unfinished_as_the_last_keeps_its_neighbour() -> None:
    open_ = "### [CODER] 2026-03-28 15:00\n\n**Status**: note\n"
    leaving = split(A1 + open_ + B1, "b")
    assert leaving.rest.decode() == A1 + open_ + B1
    assert leaving.kept == ("b",)
