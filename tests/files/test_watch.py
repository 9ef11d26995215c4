"""The shared directory watcher against a real file system."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from teamops.sources import watch as watch_module
from teamops.sources.watch import Watch

DEADLINE_S = 10.0


class Heard:
    """What the watcher told."""

    def __init__(self) -> None:
        self.calls: list[frozenset[str]] = []
        self.threads: set[int] = set()
        self._news = asyncio.Event()

    def __call__(self, names: frozenset[str]) -> None:
        self.calls.append(names)
        self.threads.add(threading.get_ident())
        self._news.set()

    @property
    def names(self) -> set[str]:
        return {name for call in self.calls for name in call}

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def clear(self) -> None:
        self.calls.clear()


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    made = Watch(check_s=0.05)
    made.start(asyncio.get_running_loop())
    yield made
    made.stop()


async def test_an_append_is_told_once_and_in_the_loop(watch: Watch, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text("one\n")
    heard = Heard()
    watch.directory(tmp_path, heard)
    with path.open("a") as file:
        file.write("two\n")
    await heard.until(lambda: "current.md" in heard.names)
    assert heard.calls == [frozenset({"current.md"})]
    assert heard.threads == {threading.get_ident()}


async def test_reading_a_file_is_no_change(watch: Watch, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text("one\n")
    heard = Heard()
    watch.directory(tmp_path, heard)
    path.read_text()
    (tmp_path / "other").touch()
    await heard.until(lambda: "other" in heard.names)
    assert heard.names == {"other"}


async def test_a_replaced_file_is_told(watch: Watch, tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    path.write_text("one\n")
    heard = Heard()
    watch.directory(tmp_path, heard)
    for text in ("two\n", "three\n"):
        heard.clear()
        new = tmp_path / "current.md.new"
        new.write_text(text)
        new.replace(path)
        await heard.until(lambda: "current.md" in heard.names)


async def test_a_directory_that_comes_later_is_told_with_all_that_is_in_it(watch: Watch, tmp_path: Path) -> None:
    folder = tmp_path / "later" / "deep"
    heard = Heard()
    watch.directory(folder, heard)
    folder.mkdir(parents=True)
    (folder / "a").touch()
    await heard.until(lambda: "a" in heard.names)
    (folder / "b").touch()
    await heard.until(lambda: "b" in heard.names)


@pytest.mark.parametrize("recursive", [False, True], ids=["flat", "recursive"])
async def test_a_directory_deleted_and_made_again_is_watched_again(
    watch: Watch, tmp_path: Path, *, recursive: bool
) -> None:
    folder = tmp_path / "spool"
    heard = Heard()
    watch.directory(folder, heard, recursive=recursive)
    for _ in range(3):
        folder.mkdir()
        (folder / "a").touch()
        await heard.until(lambda: "a" in heard.names)
        heard.clear()
        (folder / "fresh").touch()
        await heard.until(lambda: "fresh" in heard.names)
        heard.clear()
        shutil.rmtree(folder)
        await heard.until(lambda: frozenset() in heard.calls)
        heard.clear()


async def test_a_directory_moved_away_and_replaced_at_once_is_watched_again(watch: Watch, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    heard = Heard()
    watch.directory(folder, heard)
    other = tmp_path / "other"
    other.mkdir()
    (other / "inside").touch()
    folder.rename(tmp_path / "away")
    other.rename(folder)
    await heard.until(lambda: "inside" in heard.names)
    heard.clear()
    (folder / "fresh").touch()
    await heard.until(lambda: "fresh" in heard.names)


async def test_a_link_that_comes_to_point_elsewhere_is_followed(watch: Watch, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link = tmp_path / "link"
    link.symlink_to("one")
    heard = Heard()
    watch.directory(link, heard)
    (tmp_path / "one" / "a").touch()
    await heard.until(lambda: "a" in heard.names)
    (tmp_path / "link.new").symlink_to("two")
    (tmp_path / "link.new").replace(link)
    await heard.until(lambda: frozenset() in heard.calls)
    (tmp_path / "two" / "b").touch()
    await heard.until(lambda: "b" in heard.names)


async def test_recursive_tells_what_is_there_and_what_comes_in_new_directories(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "old.jsonl").touch()
    heard = Heard()
    watch.directory(tmp_path, heard, recursive=True)
    await heard.until(lambda: "p1/old.jsonl" in heard.names)
    deep = tmp_path / "p2" / "subagents" / "deep"
    deep.mkdir(parents=True)
    (deep / "new.jsonl").touch()
    await heard.until(lambda: "p2/subagents/deep/new.jsonl" in heard.names)


async def test_the_library_s_harmless_warning_is_no_error(watch: Watch, tmp_path: Path) -> None:
    # Raised, it would end the library's thread; it comes when a new folder within a new folder is found twice.
    watch.directory(tmp_path, Heard())
    warnings.warn(
        "Callback with id '1' already exists for watch x. It will be Overwritten.", RuntimeWarning, stacklevel=1
    )


async def test_two_listeners_on_one_directory_and_one_leaves(watch: Watch, tmp_path: Path) -> None:
    first, second = Heard(), Heard()
    leave = watch.directory(tmp_path, first)
    watch.directory(tmp_path, second)
    leave()
    leave()
    (tmp_path / "a").touch()
    await second.until(lambda: "a" in second.names)
    assert first.calls == []


async def test_the_same_directory_by_two_paths(watch: Watch, tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to("real")
    by_real, by_link = Heard(), Heard()
    leave = watch.directory(real, by_real)
    watch.directory(link, by_link)
    (real / "a").touch()
    await by_real.until(lambda: "a" in by_real.names)
    await by_link.until(lambda: "a" in by_link.names)
    leave()
    (real / "b").touch()
    await by_link.until(lambda: "b" in by_link.names)
    (real / "c").touch()
    await by_link.until(lambda: "c" in by_link.names)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EMFILE], ids=["watches", "instances"])
@pytest.mark.parametrize("recursive", [False, True], ids=["flat", "recursive"])
async def test_without_inotify_it_polls_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, recursive: bool
) -> None:
    def refuse() -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(watch_module, "_start_observer", refuse)
        patch.setattr(watch_module, "RETRY_CHECKS", 1_000_000)
        (tmp_path / "gone").touch()
        watch = Watch(check_s=0.02)
        watch.start(asyncio.get_running_loop())
        heard = Heard()
        watch.directory(tmp_path, heard, recursive=recursive)
        if recursive:
            await heard.until(lambda: "gone" in heard.names)
        heard.clear()
        (tmp_path / "a").write_text("1")
        (tmp_path / "gone").unlink()
        await heard.until(lambda: {"a", "gone"} <= heard.names)
        assert "fs.inotify.max_user" in watch.trouble
        heard.clear()
        (tmp_path / "a").write_text("22")
        await heard.until(lambda: "a" in heard.names)
        assert heard.names == {"a"}
    monkeypatch.setattr(watch_module, "RETRY_CHECKS", 1)
    await heard.until(lambda: not watch.trouble)
    watch.stop()


async def test_stop_leaves_no_thread_and_tells_nothing_more(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    watch = Watch()
    heard = Heard()
    watch.directory(tmp_path, heard)
    watch.start(asyncio.get_running_loop())
    (tmp_path / "a").touch()
    await heard.until(lambda: "a" in heard.names)
    heard.clear()
    (tmp_path / "b").touch()
    watch.stop()
    assert set(threading.enumerate()) == before
    await asyncio.sleep(0)
    assert heard.calls == []


async def test_who_is_told_at_the_start_may_begin_and_end_other_watches(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "late", "later"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text("")
    watch = Watch(check_s=0.05)
    last, late, ended = Heard(), Heard(), Heard()

    def first(_: frozenset[str]) -> None:
        if not late.calls:
            watch.directory(tmp_path / "late", late)
            watch.directory(tmp_path / "later", late)
            end()

    watch.directory(tmp_path / "a", first)
    end = watch.directory(tmp_path / "b", ended)
    watch.directory(tmp_path / "c", last)
    try:
        watch.start(asyncio.get_running_loop())
        assert last.calls == [frozenset({"f"})]
        for name in ("late", "b", "c"):
            (tmp_path / name / "g").write_text("")
        await late.until(lambda: "g" in late.names)
        await last.until(lambda: "g" in last.names)
        assert ended.calls == []
    finally:
        watch.stop()
