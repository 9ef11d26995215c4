"""Rotation: whatever blocks there are and whatever is wanted, nothing is lost, doubled or changed in meaning."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from teamops.handoff import ROLES, parse
from teamops.handoff.leaving import Leaving, divide
from teamops.model.handoff import Block

NOW = datetime.fromisoformat("2026-07-01T12:00")
HEADINGS = [
    "### [CODER] 2026-03-28 14:30",
    "### [HUMAN] 2026-04-01 10:00",
    "  ### [DIRECTOR] 2026-03-29 9:00",
    "### [CODER]",
]
FIELDS = ["**Turn**: NONE", "**Turn**: CODER", "**Status**: done", "**Tier**: 2"]
TASKS = ["**Task**: a", "**Task**: A", "**Task**: b", "**Task**: *b*", "**Task**: c", "**Task**:", ""]
BODY = [
    "text",
    "- item",
    "1. item",
    "```",
    "<!--",
    "-->",
    "<b>",
    "#### X",
    "> q",
    "    code",
    "",
    "# Top",
    "###[CODER] x",
]


@st.composite
def blocks(draw: st.DrawFn) -> str:
    lines = [draw(st.sampled_from(HEADINGS)), "", *draw(st.lists(st.sampled_from(FIELDS), max_size=3))]
    lines += [draw(st.sampled_from(TASKS)), ""]
    lines += draw(st.lists(st.sampled_from(BODY), max_size=4))
    return "\n".join(lines) + draw(st.sampled_from(["\n", "\n\n", "\n\n\n"]))


PREAMBLES = st.sampled_from(["", "# Team\n\n", "\ufeff", "- list\n", "text"])
FILES = st.tuples(PREAMBLES, st.lists(blocks(), max_size=10), st.booleans()).map(
    lambda file: (file[0] + "\n" * (file[0] == "text") + "".join(file[1])).removesuffix("\n" * file[2])
)
WANTED = st.sets(st.sampled_from([None, "a", "b", "c"]))


def key(block: Block) -> str | None:
    return block.task.lower() if block.task else None


def rotate(data: bytes, tasks: set[str | None], archives: dict[str, bytes]) -> Leaving:
    def wanted(blocks: tuple[Block, ...]) -> list[int]:
        return [block.index for block in blocks if key(block) in tasks]

    return divide(data, wanted, lambda month: archives.get(month, b""), NOW, ROLES)


def digests(*texts: bytes) -> Counter[str]:
    return Counter(block.digest for text in texts for block in parse(text).blocks)


def meaning(data: bytes) -> list[tuple[object, ...]]:
    """Return what each block means: its task, and the tier that it has from its task's blocks before it, too."""
    tiers: dict[str | None, int | None] = {}
    found: list[tuple[object, ...]] = []
    for block in parse(data).blocks:
        tiers[key(block)] = block.tier or tiers.get(key(block))
        found.append(
            (block.digest, block.role, block.task, block.turn, block.status, block.complete, tiers[key(block)])
        )
    return found


@given(FILES, WANTED)
@settings(max_examples=400, deadline=None)
def test_nothing_is_lost_and_what_stays_means_the_same(text: str, tasks: set[str | None]) -> None:
    data = text.encode()
    leaving = rotate(data, tasks, {})
    moved = [block.index for block in leaving.moved]
    gone = {key(block) for block in leaving.moved}
    assert gone <= tasks
    assert not gone & {task.lower() if task else None for task in leaving.kept}

    assert digests(leaving.rest, *leaving.archives.values()) == digests(data)
    before = meaning(data)
    assert meaning(leaving.rest) == [one for index, one in enumerate(before) if index not in moved]
    archived = [one for month in sorted(leaving.archives) for one in parse(leaving.archives[month]).blocks]
    assert Counter((block.digest, key(block)) for block in archived) == Counter(
        (block.digest, key(block)) for block in leaving.moved
    )
    start = min([block.start for block in parse(data).blocks], default=len(data))
    assert leaving.rest.startswith(data[:start])
    assert sum(map(len, leaving.archives.values())) + len(leaving.rest) - len(data) in range(3)


@given(FILES, st.lists(st.tuples(WANTED, FILES), max_size=4))
@settings(max_examples=200, deadline=None)
def test_one_rotation_after_another_loses_nothing(text: str, rounds: list[tuple[set[str | None], str]]) -> None:
    data, archives = text.encode(), dict[str, bytes]()
    for tasks, more in rounds:
        before = digests(data, *archives.values())
        leaving = rotate(data, tasks, archives)  # an archive that rotations have written can always take more
        after = {**archives, **leaving.archives}
        # A block whose words an archive holds already is not put there once more: those alone may be fewer.
        assert set(digests(leaving.rest, *after.values())) == set(before)
        assert not digests(leaving.rest, *after.values()) - before
        assert all(digests(after[month]) >= digests(archives[month]) for month in archives)
        data, archives = leaving.rest + b"\n" + more.encode(), after


@given(FILES, WANTED)
@settings(max_examples=200, deadline=None)
def test_a_rotation_that_was_killed_after_the_archive_doubles_nothing(text: str, tasks: set[str | None]) -> None:
    data = text.encode()
    killed = rotate(data, tasks, {})
    again = rotate(data, tasks, dict(killed.archives))
    assert (again.rest, again.archives, again.moved) == (killed.rest, killed.archives, killed.moved)
