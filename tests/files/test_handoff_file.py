"""The handoff file's source against a real file system."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from teamops.handoff import parse
from teamops.handoff.appending import append
from teamops.model.events import Event, HandoffChanged, HandoffLost, SourceTroubled
from teamops.model.role import Role
from teamops.sources import handoff_file, watch
from teamops.sources.clock import Clock
from teamops.sources.handoff_file import HandoffFile
from teamops.sources.watch import Watch

DEADLINE_S = 10.0
Kind = TypeVar("Kind", HandoffChanged, HandoffLost, SourceTroubled)


def block(number: int, turn: str = "CODER", text: str = "text") -> str:
    return (
        f"### [DIRECTOR] 2026-03-28 {number // 60 % 24:02}:{number % 60:02}\n\n**Status**: done\n**Turn**: {turn}\n"
        f"**Tier**: 2\n\n#### What I Did\n{text}\n\n"
    )


class Emitted:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def next(self, kind: type[Kind]) -> Kind:
        """Wait for the next event of ``kind`` and drop all up to it."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for number, event in enumerate(self.events):
                    if isinstance(event, kind):
                        del self.events[: number + 1]
                        return event
                self._news.clear()
                await self._news.wait()

    async def until(self, content: bytes) -> HandoffChanged:
        """Wait for the event that tells ``content``."""
        while True:
            event = await self.next(HandoffChanged)
            if event.handoff == parse(content):
                return event


Begin = Callable[[Path], Awaitable[Emitted]]


@pytest.fixture
async def begin() -> AsyncIterator[Begin]:
    watcher = Watch(check_s=0.05)
    watcher.start(asyncio.get_running_loop())
    sources: list[HandoffFile] = []

    async def start(path: Path) -> Emitted:
        emitted = Emitted()
        sources.append(HandoffFile(path, watcher, Clock(), [Role("QA")], verify_s=0.0))
        await sources[-1].start(emitted)
        return emitted

    yield start
    for source in sources:
        await source.stop()
    watcher.stop()


async def test_the_first_reading_comes_with_the_start(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text(block(1))
    emitted = await begin(path)
    assert [type(event) for event in emitted.events] == [HandoffChanged]
    first = await emitted.next(HandoffChanged)
    assert first.handoff == parse(path.read_bytes())
    assert first.mtime == path.stat().st_mtime
    assert not first.appended


async def test_an_append_is_told_as_one(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text(block(1))
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    append(path, block(2, "QA"))
    event = await emitted.next(HandoffChanged)
    assert event.appended
    assert [one.turn for one in event.handoff.blocks] == ["CODER", "QA"]
    assert "unknown-role" not in {problem.code for problem in event.handoff.problems}


async def test_a_torn_write_is_told_once_when_it_is_whole(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handoff_file, "QUIET_S", 0.5)
    monkeypatch.setattr(handoff_file, "LONGEST_S", 60.0)
    path = tmp_path / "current.md"
    path.write_text(block(1))
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    text = block(2).encode()
    with path.open("ab", buffering=0) as file:
        for at in range(0, len(text), 16):
            file.write(text[at : at + 16])
            await asyncio.sleep(0)
    event = await emitted.next(HandoffChanged)
    assert event.handoff == parse(path.read_bytes())
    assert emitted.events == []


async def test_while_writes_go_on_it_is_told_after_the_longest_time(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handoff_file, "QUIET_S", 60.0)
    monkeypatch.setattr(handoff_file, "LONGEST_S", 0.2)
    path = tmp_path / "current.md"
    path.write_text(block(1))
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    with path.open("a") as file:
        file.write(block(2))
    assert len((await emitted.next(HandoffChanged)).handoff.blocks) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(block(1)),
        lambda path: path.write_text(block(1, "REVIEWER") + block(2)),
        lambda path: path.write_text(""),
        lambda path: path.write_text(block(3, text="x" * 300_000)),
    ],
    ids=["truncated", "edited", "emptied", "replaced by a big one"],
)
async def test_a_rewritten_file_is_read_again(begin: Begin, tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "current.md"
    path.write_text(block(1) + block(2))
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    change(path)
    event = await emitted.until(path.read_bytes())
    assert not event.appended


async def test_a_rename_over_it_with_the_same_blocks_and_one_more_is_an_append(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text(block(1) + block(2))
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    new = tmp_path / "new"
    new.write_text(block(1) + block(2) + block(3))
    new.replace(path)
    event = await emitted.next(HandoffChanged)
    assert event.appended
    assert len(event.handoff.blocks) == 3


async def test_an_edit_in_the_middle_that_comes_with_an_append_is_noticed(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text(block(1) + block(2, text="x" * 1000))
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    with path.open("r+b") as file:
        file.seek(block(1).index("CODER"))
        file.write(b"HUMAN")
        file.seek(0, os.SEEK_END)
        file.write(block(3).encode())
    event = await emitted.until(path.read_bytes())
    assert event.handoff.blocks[0].turn == "HUMAN"


async def test_touching_it_is_no_change(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text(block(1))
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    os.utime(path, (1, 1))
    with path.open("a") as file:
        file.write(block(2))
    event = await emitted.next(HandoffChanged)
    assert event.appended
    assert emitted.events == []


async def test_a_missing_file_is_lost_and_found(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "project" / "current.md"
    emitted = await begin(path)
    assert [type(event) for event in emitted.events] == [HandoffLost]
    lost = await emitted.next(HandoffLost)
    assert "there is no current.md" in lost.reason
    assert lost.hint
    path.parent.mkdir()
    path.write_text(block(1))
    await emitted.until(path.read_bytes())
    path.unlink()
    await emitted.next(HandoffLost)
    path.write_text(block(1))
    event = await emitted.next(HandoffChanged)
    assert event.handoff == parse(path.read_bytes())
    assert event.appended


@pytest.mark.parametrize("kind", ["directory", "fifo", "loop"])
async def test_what_is_no_file_is_lost_with_a_hint(begin: Begin, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "current.md"
    match kind:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case _:
            path.symlink_to("current.md")
    emitted = await begin(path)
    lost = await emitted.next(HandoffLost)
    assert "current.md" in lost.reason
    assert lost.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_an_unreadable_file_is_lost_with_a_hint(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text(block(1))
    path.chmod(0)
    emitted = await begin(path)
    assert "permission" in (await emitted.next(HandoffLost)).reason
    path.chmod(0o644)
    await emitted.until(path.read_bytes())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(), "there is no"),
        (NotADirectoryError(), "there is no"),
        (PermissionError(), "permission denied"),
        (IsADirectoryError(), "no regular file"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError("odd"), "odd"),
    ],
    ids=["missing", "no folder", "forbidden", "directory", "broken disk", "no text of its own"],
)
def test_every_loss_has_a_reason_and_a_hint(error: OSError, reason: str) -> None:
    trouble = handoff_file._explain(error, Path("current.md"))
    assert reason in trouble.reason
    assert "current.md" in trouble.hint


async def test_a_link_to_a_file_elsewhere_is_followed(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "project").mkdir()
    real, path = tmp_path / "shared" / "team.md", tmp_path / "project" / "current.md"
    real.write_text(block(1))
    path.symlink_to(real)
    emitted = await begin(path)
    await emitted.next(HandoffChanged)
    append(path, block(2))
    assert (await emitted.next(HandoffChanged)).appended
    other = tmp_path / "other"
    other.mkdir()
    (other / "team.md").write_text(block(9))
    path.unlink()
    path.symlink_to(other / "team.md")
    await emitted.until((other / "team.md").read_bytes())
    append(other / "team.md", block(10))
    await emitted.until((other / "team.md").read_bytes())


async def test_without_inotify_it_says_so_and_still_sees(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(watch, "_start_observer", refuse)
    monkeypatch.setattr(handoff_file, "CHECK_S", 0.02)
    path = tmp_path / "current.md"
    path.write_text(block(1))
    emitted = await begin(path)
    troubled = await emitted.next(SourceTroubled)
    assert "inotify" in troubled.message
    append(path, block(2))
    await emitted.until(path.read_bytes())


@pytest.mark.slow
async def test_an_append_to_ten_megabytes_is_told_at_once_and_costs_little(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text("".join(block(number, text="line of text\n" * 70) for number in range(10_000)))
    assert path.stat().st_size > 10_000_000
    emitted = await begin(path)
    first = await emitted.next(HandoffChanged)
    event, costs, delays = first, [], []
    for number in range(5):
        cpu = time.process_time()
        begun = time.perf_counter()
        append(path, block(number))
        event = await emitted.next(HandoffChanged)
        delays.append(time.perf_counter() - begun)
        costs.append(time.process_time() - cpu)
        assert event.appended
    assert len(event.handoff.blocks) == len(first.handoff.blocks) + 5
    assert min(delays) < 0.3
    assert min(costs) < 0.01
