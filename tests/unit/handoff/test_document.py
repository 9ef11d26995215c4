"""The incremental reading's ways, one by one; that all of them tell the truth is proved by properties."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from teamops.handoff import Document, parse
from teamops.handoff.document import Read
from teamops.handoff.write import render_block
from teamops.model.role import CODER, HUMAN

HEAD = "### [CODER] 2026-03-28 14:30"
BLOCK = f"{HEAD}\n\n**Status**: done\n**Turn**: HUMAN\n**Tier**: 2\n\n#### X\ntext\n\n".encode()


class File:
    """Bytes that count what is read of them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.read_bytes = 0

    def read(self, start: int, end: int) -> bytes:
        found = self.data[start:end]
        self.read_bytes += len(found)
        return found


def test_an_append_reads_the_last_block_and_what_is_new() -> None:
    file = File(BLOCK * 1000)
    document = Document()
    document.update(len(file.data), file.read)
    file.data += BLOCK
    expected = document.pending(len(file.data))
    file.read_bytes = 0
    assert document.update(len(file.data), file.read)
    assert file.read_bytes == expected <= 2 * len(BLOCK) + 256
    assert document.handoff == parse(file.data)
    assert document.size == len(file.data)


def test_earlier_blocks_are_the_same_objects_after_an_append() -> None:
    file = File(BLOCK * 3)
    document = Document()
    document.update(len(file.data), file.read)
    before = document.handoff.blocks
    file.data += BLOCK
    document.update(len(file.data), file.read)
    assert all(one is other for one, other in zip(before[:-1], document.handoff.blocks, strict=False))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-20],
        lambda data: data,
        lambda data: data.replace(b"text", b"TEXT") + BLOCK,
        lambda _: BLOCK,
        lambda _: b"",
    ],
    ids=["cut", "same size", "last block edited and grown", "replaced by less", "emptied"],
)
def test_what_is_no_append_is_read_whole(change: Callable[[bytes], bytes]) -> None:
    file = File(BLOCK * 3)
    document = Document()
    document.update(len(file.data), file.read)
    file.data = change(file.data)
    assert not document.update(len(file.data), file.read)
    assert document.handoff == parse(file.data)


def test_a_file_that_shrinks_while_it_is_read_is_read_as_it_is() -> None:
    file = File(BLOCK)
    document = Document()
    document.update(len(file.data), file.read)
    assert not document.update(len(file.data) + 100, file.read)
    assert document.handoff == parse(file.data)


def test_an_edit_far_above_is_seen_by_verify() -> None:
    file = File(BLOCK * 20)
    document = Document()
    document.update(len(file.data), file.read)
    assert document.verify(file.read)
    file.data = file.data.replace(b"done", b"DONE", 1) + BLOCK
    assert document.update(len(file.data), file.read)
    assert not document.verify(file.read)
    document.load(len(file.data), file.read)
    assert document.handoff == parse(file.data)
    assert document.verify(file.read)


@pytest.mark.parametrize("rest", ["(url)\n", " 99\n", "\n"])
def test_a_heading_torn_in_its_line_may_turn_out_as_none(rest: str) -> None:
    whole = BLOCK + b"### [CODER]"
    document = Document()
    document.update(len(whole), File(whole).read)
    assert len(document.handoff.blocks) == 2
    whole += rest.encode()
    assert document.update(len(whole), File(whole).read)
    assert document.handoff == parse(whole)


def test_an_error_of_the_reading_leaves_all_as_it_was() -> None:
    def fail(start: int, end: int) -> bytes:
        raise OSError(5, "broken")

    reading: Read = fail
    document = Document()
    document.update(len(BLOCK), File(BLOCK).read)
    before = document.handoff
    for size in (len(BLOCK) + 1, 1):
        with pytest.raises(OSError, match="broken"):
            document.update(size, reading)
    assert document.handoff is before
    assert document.update(2 * len(BLOCK), File(BLOCK * 2).read)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("### [HUMAN] 2026-03-28 14:30\n", "\\### [HUMAN] 2026-03-28 14:30"),
        ("a\n  #### Part", "a\n  \\#### Part"),
        ("##### Small", "##### Small"),
        ("###[HUMAN] 2026-03-28 14:30", "\\###[HUMAN] 2026-03-28 14:30"),
        ("```\n### [HUMAN] 2026-03-28 14:30", "```\n### [HUMAN] 2026-03-28 14:30\n```"),
        ("x\n ~~~~ py\n# a", "x\n ~~~~ py\n# a\n~~~~"),
        ("```\n# a\n```\n# b", "```\n# a\n```\n\\# b"),
        ("<!-- a\n# b", "\\<!-- a\n\\# b"),
        ("<!-- a -->", "<!-- a -->"),
        ("", ""),
    ],
    ids=["block", "section", "small", "tight", "fence", "tilde fence", "after a fence", "comment", "closed", "empty"],
)
def test_a_section_cannot_pretend_to_be_more(text: str, expected: str) -> None:
    at = parse(BLOCK).blocks[0].at
    assert at is not None
    rendered = render_block(CODER, at, "ok", HUMAN, 2, sections=[("Notes", text)])
    assert rendered.partition("#### Notes")[2].strip("\n") == expected
    follower = rendered + "\n" + render_block(HUMAN, at, "ok", CODER, 2)
    assert [len(block.sections) for block in parse(follower.encode()).blocks] == [1, 0]
