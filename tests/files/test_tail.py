from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.tail import Position
from teamops.sources.tail import Tail


def read_all(tail: Tail, max_bytes: int = 1 << 20) -> tuple[list[bytes], int]:
    lines: list[bytes] = []
    skipped = 0
    while True:
        chunk = tail.read(max_bytes)
        lines += chunk.lines
        skipped += chunk.skipped
        if not chunk.more:
            return lines, skipped


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_a_file_that_comes_later_is_read_from_its_beginning(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "f", None)
    missing = tail.read()
    assert (missing.lines, missing.restarted) == ([], False)
    append(tmp_path / "f", b"a\nb\n")
    chunk = tail.read()
    assert (chunk.lines, chunk.restarted, chunk.position.offset) == ([b"a", b"b"], False, 4)


def test_a_line_without_its_newline_is_no_line_yet(tmp_path: Path) -> None:
    path = tmp_path / "f"
    append(path, b"a\nhal")
    tail = Tail(path, None)
    assert tail.read().lines == [b"a"]
    assert tail.read().lines == []
    append(path, b"f\n\n")
    assert tail.read().lines == [b"half", b""]


def test_the_next_life_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "f"
    append(path, b"a\nb")
    position = Tail(path, None).read().position
    append(path, b"b\n")
    assert Tail(path, position).read().lines == [b"bb"]


@pytest.mark.parametrize("content", [b"new\n", b"another line longer than before\n"], ids=["shorter", "longer"])
@pytest.mark.parametrize("way", ["truncated", "replaced", "rotated"])
def test_a_new_beginning_is_noticed(tmp_path: Path, way: str, content: bytes) -> None:
    path = tmp_path / "f"
    append(path, b"one\ntwo\n")
    tail = Tail(path, None)
    first = tail.read().position
    if way == "truncated":
        path.write_bytes(content)
    elif way == "replaced":
        append(tmp_path / "g", content)
        (tmp_path / "g").replace(path)
    else:
        path.rename(tmp_path / "f.1")
        append(path, content)
    for again in (tail, Tail(path, first)):
        chunk = again.read()
        assert chunk.restarted
        assert chunk.lines == content.splitlines()
        assert chunk.position.generation == first.generation + 1
        assert not again.read().restarted


def test_a_file_that_is_gone_for_a_while_is_followed_when_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "f"
    append(path, b"one\n")
    tail = Tail(path, None)
    tail.read()
    path.rename(tmp_path / "g")
    assert not tail.read().restarted
    (tmp_path / "g").rename(path)
    append(path, b"two\n")
    chunk = tail.read()
    assert (chunk.lines, chunk.restarted) == ([b"two"], False)


def test_an_absurd_line_is_skipped_counted_and_never_held(tmp_path: Path) -> None:
    path = tmp_path / "f"
    append(path, b"before\n")
    with path.open("ab") as file:
        for _ in range(50):
            file.write(b"x" * (1 << 20))
    tail = Tail(path, None, max_line=1 << 20)
    tracemalloc.start()
    lines, skipped = read_all(tail, 1 << 16)
    assert (lines, skipped) == ([b"before"], 0)
    assert tail.position.offset == 7  # its end has not come: the next life looks for it again
    append(path, b"\nafter\n")
    lines, skipped = read_all(tail, 1 << 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (lines, skipped) == ([b"after"], 1)
    assert peak < 6 << 20


def test_a_line_longer_than_asked_for_is_still_one(tmp_path: Path) -> None:
    append(tmp_path / "f", b"x" * 5000 + b"\ny\n")
    assert read_all(Tail(tmp_path / "f", None), 64) == ([b"x" * 5000, b"y"], 0)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "f"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert Tail(path, None).read().lines == []


def test_a_file_below_a_file_is_missing(tmp_path: Path) -> None:
    append(tmp_path / "f", b"")
    assert Tail(tmp_path / "f" / "g", Position("x", 1, 2, 3)).read().lines == []


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=12),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    max_bytes=st.integers(1, 40),
)
def test_however_it_is_written_and_read_every_line_comes_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cuts: list[int], max_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("t") / "f"
    whole = b"".join(line + b"\n" for line in lines)
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {len(whole)})
    got: list[bytes] = []
    position = None
    written = 0
    for end in ends:
        append(path, whole[written:end])
        written = end
        tail = Tail(path, position)
        new, skipped = read_all(tail, max_bytes)
        got += new
        position = tail.position
        assert skipped == 0
    assert got == lines
