"""Appending to a real file: many processes at once, a full disk, links, and writers that know no lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from teamops.handoff import parse
from teamops.handoff.appending import Appended, append
from teamops.handoff.blocks import digest_of
from teamops.handoff.write import render_block
from teamops.model.handoff import Block
from teamops.model.role import CODER, DEVELOPER, HUMAN

AT = datetime.fromisoformat("2026-03-28T14:30")
DEADLINE_S = 300
WRITERS, BLOCKS = 8, 200


def block(status: str, text: str = "text") -> str:
    return render_block(CODER, AT, status, HUMAN, 2, task="t", sections=[("What I Did", text)])


def blocks(path: Path) -> tuple[Block, ...]:
    return parse(path.read_bytes()).blocks


WRITER = """
import sys
from datetime import datetime
from pathlib import Path
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.model.role import CODER, HUMAN
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
sys.stdin.read(1)
for number in range(count):
    text = f"{name} {number}\\n" * (1 + number % 40) + "é\\n"
    at = datetime(2026, 3, 28, 14, 30)
    sections = [("What I Did", text)]
    append(path, render_block(CODER, at, f"{name} {number}", HUMAN, 2, task="t", sections=sections))
"""
CAT = """
import pathlib, subprocess, sys
path, name, count = sys.argv[1:]
sys.stdin.read(1)
for number in range(int(count)):
    own = f"{path}.{number}"
    fields = f"**Status**: {name} {number}\\n**Turn**: HUMAN\\n**Tier**: 2\\n**Task**: t\\n"
    text = f"### [DEVELOPER] 2026-03-28 14:30\\n\\n{fields}\\n#### What I Did\\n" + "cat\\n" * 200
    pathlib.Path(own).write_text(text)
    subprocess.run(["sh", "-c", 'cat "$1" >> "$2"', "sh", own, path], check=True)
"""


def start(program: str, path: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program, str(path), name, str(count)], stdin=subprocess.PIPE)


def test_many_processes_lose_and_tear_nothing(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text("# Team\n\nOur file, whose last line has no end")
    wanted = {f"{writer} {number}" for writer in range(WRITERS) for number in range(BLOCKS)}
    texts = {f"{name} {number}\n" * (1 + number % 40) + "é" for name in range(WRITERS) for number in range(BLOCKS)}
    writers = [start(WRITER, path, str(number), BLOCKS) for number in range(WRITERS)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"x")
        writer.stdin.close()

    # A reader meanwhile: whatever it sees is a beginning of what comes later, and each block that is followed by
    # another is one that was written, whole.
    seen = b""
    while any(writer.poll() is None for writer in writers):
        now = path.read_bytes()
        assert now.startswith(seen)
        seen = now
        read = parse(now)
        assert {one.status for one in read.blocks[:-1]} <= wanted
        assert all(problem.line >= read.blocks[-1].line for problem in read.problems)
    assert [writer.wait(DEADLINE_S) for writer in writers] == [0] * WRITERS

    data = path.read_bytes()
    assert data.startswith(seen)
    read = parse(data)
    assert sorted(one.status or "" for one in read.blocks) == sorted(wanted)
    assert {data[one.start : one.end].decode().split("What I Did\n")[1].rstrip() for one in read.blocks} == texts
    assert read.problems == ()
    orders = [[one.status for one in read.blocks if (one.status or "").startswith(f"{name} ")] for name in range(8)]
    assert orders == [[f"{name} {number}" for number in range(BLOCKS)] for name in range(WRITERS)]


def test_a_writer_that_knows_no_lock_loses_nothing_either(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    count = 40
    writers = [start(WRITER, path, "a", count), start(WRITER, path, "b", count), start(CAT, path, "cat", count)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"x")
        writer.stdin.close()
    assert [writer.wait(DEADLINE_S) for writer in writers] == [0, 0, 0]
    read = parse(path.read_bytes())
    wanted = Counter(f"{name} {number}" for name in ("a", "b", "cat") for number in range(count))
    assert Counter(one.status for one in read.blocks) == wanted
    assert {one.role for one in read.blocks} == {CODER, DEVELOPER}
    assert read.problems == ()


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# Team",
        "# Team\n",
        "# Team\r\n\r\n",
        "# Team\r",
        "\ufeff# Team\n\n",
        block("first"),
        block("first").rstrip(),
    ],
    ids=["empty", "no end of line", "usual", "CRLF", "CR", "BOM", "block", "block without end of line"],
)
def test_what_is_returned_is_what_is_read(tmp_path: Path, before: str) -> None:
    path = tmp_path / "current.md"
    path.write_bytes(before.encode())
    said = append(path, block("second") + "\n\n")
    found = blocks(path)[-1]
    assert (found.status, found.start, found.digest) == ("second", said.offset, said.digest)
    assert said.digest == digest_of(block("second"))
    assert path.read_bytes().startswith(before.encode())
    # Nor does what comes after it change its digest.
    append(path, block("third"))
    assert blocks(path)[-2].digest == said.digest


def test_a_file_with_other_line_ends_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    old = ("# Team\n\n" + block("first")).replace("\n", "\r\n").encode()
    path.write_bytes(old)
    append(path, block("second"))
    assert path.read_bytes().startswith(old)
    assert [one.status for one in blocks(path)] == ["first", "second"]


class RefusedError(Exception):
    pass


class Asked:
    """A check that counts, and refuses from the ``refuse``-th time on."""

    def __init__(self, refuse: int = 99, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.seen: list[bytes] = []
        self.refuse = refuse
        self.meanwhile = meanwhile

    def __call__(self, data: bytes) -> None:
        self.seen.append(data)
        if len(self.seen) >= self.refuse:
            raise RefusedError
        if len(self.seen) == 1:
            self.meanwhile()


def test_a_check_sees_the_file_and_may_refuse(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    for expected in (b"", block("a").encode()):
        asked = Asked()
        append(path, block("a"), asked)
        assert asked.seen == [expected]
    before = path.read_bytes()
    with pytest.raises(RefusedError):
        append(path, block("c"), Asked(refuse=1))
    assert path.read_bytes() == before


def test_a_refusal_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    with pytest.raises(RefusedError):
        append(path, block("a"), Asked(refuse=1))
    assert not path.exists()


@pytest.mark.parametrize("exists", [False, True])
def test_a_check_is_asked_again_about_what_came_meanwhile(tmp_path: Path, *, exists: bool) -> None:
    path = tmp_path / "current.md"
    old = b"# Team\n" if exists else b""
    if exists:
        path.write_bytes(old)

    def write() -> None:
        with path.open("ab") as file:
            file.write(b"late\n")

    asked = Asked(refuse=2, meanwhile=write)
    with pytest.raises(RefusedError):
        append(path, block("a"), asked)
    assert asked.seen == [old, old + b"late\n"]
    assert path.read_bytes() == old + b"late\n"


def test_the_check_stands_under_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    began = threading.Event()

    def append_too() -> None:
        began.set()
        append(path, block("other"))

    other = threading.Thread(target=append_too)

    def check(_: bytes) -> None:
        if not began.is_set():
            other.start()
            assert began.wait(DEADLINE_S)

    append(path, block("first"), check)
    other.join(DEADLINE_S)
    assert [one.status for one in blocks(path)] == ["first", "other"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "current.md"
    link.symlink_to("real/team.md")
    asked = Asked()
    said = append(link, block("a"), asked)
    append(tmp_path / "real" / "team.md", block("b"), asked)
    assert link.is_symlink()
    assert [one.status for one in blocks(link)] == ["a", "b"]
    assert said == Appended(0, digest_of(block("a")))
    assert asked.seen[1] == block("a").encode()


FULL = """
import resource, sys
from pathlib import Path
from teamops.handoff.appending import append
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    append(Path(sys.argv[1]), sys.stdin.read())
except OSError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, room: int) -> None:
    path = tmp_path / "current.md"
    append(path, block("first"))
    before = path.read_bytes()
    limit = str(len(before) + room)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), limit], input=block("second", "x" * 500), text=True, check=False,
        capture_output=True, timeout=DEADLINE_S,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert path.read_bytes() == before
    append(path, block("second"))
    assert [one.status for one in blocks(path)] == ["first", "second"]


def test_a_file_that_may_not_be_written_raises(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        append(path, block("a"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_file_raises(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text("# Team\n")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        append(path, block("a"))
    assert path.read_text() == "# Team\n"


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    program = (
        "import os, signal, sys; from pathlib import Path; from teamops.handoff.appending import append\n"
        "append(Path(sys.argv[1]), 'x', lambda _: os.kill(os.getpid(), signal.SIGKILL))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=DEADLINE_S)
    assert done.returncode == -signal.SIGKILL
    append(path, block("a"))
    assert [one.status for one in blocks(path)] == ["a"]


@pytest.mark.parametrize("text", ["a", "a\n\n", "é\r\n\t\n", block("x"), "\ud800 x\n"])
def test_a_digest_is_that_of_the_words(text: str) -> None:
    assert digest_of(text) == digest_of(text.encode("utf-8", "replace")) == digest_of(text.rstrip() + "\n \n")
