"""A real work tree, watched: which files are others than before, and what they held."""

from __future__ import annotations

import asyncio
import ctypes
import mmap
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from teamops.model.boundary import ChangeKind, FileChange, FileKind
from teamops.model.events import Event, SourceTroubled, WorkTreeChanged
from teamops.model.role import CODER
from teamops.sources import work_tree as work_tree_module
from teamops.sources.clock import Clock
from teamops.sources.inotify import Inotify
from teamops.sources.kept_bytes import KeptBytes, digest_of
from teamops.sources.tree_facts import Looked
from teamops.sources.tree_state import TreeState
from teamops.sources.work_tree import WorkTree

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")]
DEADLINE_S = 15.0
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@t.example")


class Watched:
    """A project, and what its watcher told."""

    def __init__(self, folder: Path, *, git: bool = True) -> None:
        self.root, self.state = folder / "p", folder / "state"
        (self.root / "src").mkdir(parents=True)
        self.file = self.root / "src" / "a.py"
        self.file.write_bytes(b"one\n")
        (self.root / ".gitignore").write_text("build/\nnode_modules/\n*.log\n.claude/\n")
        if git:
            self.git("init", "-q")
            self.git("add", "-A")
            self.git("commit", "-qm", "first")
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self.source = WorkTree([self.root], self.root / "current.md", self.state, Clock(), poll_s=0.2)

    def git(self, *words: str) -> None:
        subprocess.run([*GIT, *words], cwd=self.root, check=True)

    def emit(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def start(self) -> None:
        await self.source.start(self.emit)
        async with asyncio.timeout(DEADLINE_S):
            while not self.source.is_ready():  # noqa: ASYNC110 - a condition over a thread
                await asyncio.sleep(0.01)

    @property
    def changes(self) -> list[FileChange]:
        return [change for event in self.events if isinstance(event, WorkTreeChanged) for change in event.changes]

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(change.path, change.change.value) for change in self.changes]

    def troubles(self) -> dict[str, str]:
        return {event.source: event.message for event in self.events if isinstance(event, SourceTroubled)}

    async def until(self, wanted: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not wanted():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"not told: {what}; told: {self.told} {self.troubles()}")

    async def seen(self, path: str, kind: ChangeKind) -> FileChange:
        await self.until(lambda: (path, kind.value) in self.told, f"{path} {kind}")
        return next(one for one in reversed(self.changes) if (one.path, one.change) == (path, kind))

    async def fence(self) -> None:
        """Return when all that was done before this was looked at."""
        name = f"fence-{len(self.events)}-{len(self.changes)}"
        (self.root / name).write_text("x")
        await self.seen(name, ChangeKind.CREATED)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    made = Watched(tmp_path)
    await made.start()
    yield made
    await made.source.stop()


async def test_a_change_is_told_with_what_was_there_before(watched: Watched) -> None:
    watched.file.write_bytes(b"two\n")
    change = await watched.seen("src/a.py", ChangeKind.CHANGED)
    assert change.before is not None
    assert change.before.kept.startswith("git:")
    bytes_of = watched.source.bytes_of
    assert bytes_of(str(watched.root), change.before) == b"one\n"
    assert bytes_of(str(watched.root), change.after) == b"two\n"
    assert change.since == pytest.approx(watched.file.stat().st_ctime)
    # The next one begins where this one ended, committed or not.
    watched.file.write_bytes(b"three\n")
    await watched.until(lambda: len(watched.changes) == 2, "the second")
    second = watched.changes[1]
    assert second.before is not None
    assert bytes_of(str(watched.root), second.before) == b"two\n"


async def test_what_comes_and_goes(watched: Watched) -> None:
    (watched.root / "new.py").write_bytes(b"new")
    change = await watched.seen("new.py", ChangeKind.CREATED)
    assert change.before is not None
    assert (change.before.kind, change.after.digest) == (FileKind.NOTHING, digest_of(b"new"))
    watched.file.unlink()
    change = await watched.seen("src/a.py", ChangeKind.DELETED)
    assert change.before is not None
    assert watched.source.bytes_of(str(watched.root), change.before) == b"one\n"
    assert change.after.kind is FileKind.NOTHING


async def test_an_editor_s_way_of_saving_is_one_change(watched: Watched) -> None:
    aside = watched.root / "src" / ".a.py.tmp"
    aside.write_bytes(b"two\n")
    aside.rename(watched.file)
    await watched.seen("src/a.py", ChangeKind.CHANGED)
    watched.file.rename(watched.root / "src" / "a.py~")  # as vim and emacs do
    watched.file.write_bytes(b"three\n")
    (watched.root / "src" / "a.py~").unlink()
    await watched.until(lambda: len(watched.changes) >= 2, "the second save")
    await watched.fence()
    assert [one for one in watched.told if "fence" not in one[0]] == [("src/a.py", "changed")] * 2


async def test_touched_and_the_same_again_is_no_change_but_rights_are(watched: Watched) -> None:
    os.utime(watched.file)
    watched.file.write_bytes(b"one\n")
    await watched.fence()
    watched.file.chmod(0o755)
    await watched.seen("src/a.py", ChangeKind.CHANGED)
    assert len([one for one in watched.told if one[0] == "src/a.py"]) == 1


async def test_what_git_ignores_is_not_told_but_what_no_agent_may_change_is(watched: Watched) -> None:
    (watched.root / "x.log").write_text("x")
    (watched.root / "node_modules" / "m").mkdir(parents=True)
    (watched.root / "node_modules" / "m" / "i.js").write_text("x")
    (watched.root / ".claude").mkdir()
    (watched.root / ".claude" / "settings.json").write_text("{}")
    change = await watched.seen(".claude/settings.json", ChangeKind.CREATED)
    assert not change.counts
    (watched.root / ".claude" / "settings.json").write_text('{"hooks": {}}')
    await watched.seen(".claude/settings.json", ChangeKind.CHANGED)
    (watched.root / ".git" / "hooks" / "pre-commit").write_text("exit 0")
    await watched.seen(".git/hooks/pre-commit", ChangeKind.CREATED)
    watched.git("config", "core.hooksPath", "/nowhere")
    await watched.seen(".git/config", ChangeKind.CHANGED)
    await watched.fence()
    assert not [one for one in watched.told if "node_modules" in one[0] or one[0].endswith(".log")]


async def test_what_teamops_writes_itself_is_not_told(watched: Watched) -> None:
    (watched.root / "current.md").write_text("x")
    (watched.root / ".current.md.lock").write_text("")
    (watched.root / "archive").mkdir()
    (watched.root / "archive" / "current-2026-03.md").write_text("x")
    spool = watched.root / ".teamops" / "spool" / "CODER"
    spool.mkdir(parents=True)
    (spool / "hooks.jsonl").write_text("{}")
    await watched.fence()
    assert [one[0] for one in watched.told if not one[0].startswith("fence")] == []


async def test_folders_that_come_move_and_go(watched: Watched) -> None:
    deep = watched.root / "x" / "y"
    deep.mkdir(parents=True)
    (deep / "one").write_text("1")
    await watched.seen("x/y/one", ChangeKind.CREATED)
    (deep / "two").write_text("2")
    await watched.seen("x/y/two", ChangeKind.CREATED)
    (watched.root / "x").rename(watched.root / "z")
    await watched.seen("x/y/one", ChangeKind.DELETED)
    await watched.seen("z/y/two", ChangeKind.CREATED)
    (watched.root / "z" / "y" / "three").write_text("3")
    await watched.seen("z/y/three", ChangeKind.CREATED)
    shutil.rmtree(watched.root / "z")
    for name in ("one", "two", "three"):
        await watched.seen(f"z/y/{name}", ChangeKind.DELETED)


async def test_a_commit_is_no_change_and_a_checkout_is_a_few_events(watched: Watched) -> None:
    for number in range(1500):
        (watched.root / "src" / f"m{number}.py").write_text(f"{number}\n")
    await watched.until(lambda: len(watched.changes) >= 1500, "all of them")
    before = len(watched.events)
    watched.git("add", "-A")
    watched.git("commit", "-qm", "many")
    await watched.fence()
    assert [one for one in watched.told[1500:] if "fence" not in one[0]] == []
    watched.git("checkout", "-q", "HEAD~1")
    await watched.until(lambda: sum(kind == "deleted" for _, kind in watched.told) == 1500, "the checkout")
    assert len(watched.events) - before < 40


async def test_who_has_the_file_open_is_told(watched: Watched) -> None:
    watched.source.watch({CODER: os.getpid()})
    with watched.file.open("ab") as file:
        file.write(b"two\n")
        file.flush()
        change = await watched.seen("src/a.py", ChangeKind.CHANGED)
    assert change.writers == (CODER,)


async def aged(*paths: Path) -> None:
    """Return when it is longer than ``ADOPTED_S`` since these were changed."""
    async with asyncio.timeout(DEADLINE_S):
        while time.time() - max(path.lstat().st_ctime for path in paths) <= work_tree_module.ADOPTED_S:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_tree_module, "ADOPTED_S", 0.5)


@pytest.mark.usefixtures("soon")
async def test_what_git_no_longer_ignores_is_no_change(watched: Watched) -> None:
    old = watched.root / "old.log"
    old.write_text("x")
    await watched.fence()
    await aged(old)
    (watched.root / ".gitignore").write_text("build/\n")
    await watched.seen(".gitignore", ChangeKind.CHANGED)
    await watched.fence()
    assert ("old.log", "created") not in watched.told
    old.write_text("changed")
    await watched.seen("old.log", ChangeKind.CHANGED)


async def test_a_time_that_was_set_back_hides_nothing(watched: Watched) -> None:
    """Where git's rules change in the same moment, too: a user sets what ``touch`` sets, and no more."""
    new, changed = watched.root / "new.py", watched.file
    new.write_text("x")
    changed.write_bytes(b"two\n")
    for path in (new, changed):
        os.utime(path, (1, 1))
    (watched.root / ".gitignore").write_text("build/\n")
    created = await watched.seen("new.py", ChangeKind.CREATED)
    other = await watched.seen("src/a.py", ChangeKind.CHANGED)
    for path, change in ((new, created), (changed, other)):
        assert change.since == pytest.approx(path.stat().st_ctime, abs=0.05)


@pytest.mark.usefixtures("soon")
async def test_a_folder_that_was_made_ready_elsewhere_is_new(watched: Watched, tmp_path: Path) -> None:
    """Its files are older than their names here: moving a folder changes none of them."""
    (tmp_path / "ready" / "deep").mkdir(parents=True)
    (tmp_path / "ready" / "deep" / "b.py").write_text("x")
    await aged(tmp_path / "ready" / "deep" / "b.py", tmp_path / "ready" / "deep")
    (tmp_path / "ready").rename(watched.root / "src" / "lib")
    (watched.root / ".gitignore").write_text("build/\n")
    change = await watched.seen("src/lib/deep/b.py", ChangeKind.CREATED)
    assert change.since == pytest.approx((watched.root / "src" / "lib").stat().st_ctime, abs=0.5)


async def test_another_repository_below_is_left_to_itself(watched: Watched) -> None:
    inner = watched.root / "inner"
    inner.mkdir()
    watched.git("init", "-q", str(inner))
    (inner / "x").write_text("x")
    await watched.fence()
    assert not [one for one in watched.told if one[0].startswith("inner")]


async def test_links_are_told_as_links_and_not_followed(watched: Watched, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("x")
    (watched.root / "link").symlink_to(outside)
    change = await watched.seen("link", ChangeKind.CREATED)
    assert change.after.kind is FileKind.LINK
    assert watched.source.bytes_of(str(watched.root), change.after) == str(outside).encode()
    (outside / "y").write_text("y")
    await watched.fence()
    assert not [one for one in watched.told if one[0].startswith("link/")]


async def test_line_ends_that_git_converts_are_restored_by_the_byte(tmp_path: Path) -> None:
    made = Watched(tmp_path)
    (made.root / ".gitattributes").write_text("*.txt text eol=crlf\n")
    (made.root / "dos.txt").write_bytes(b"a\r\nb\r\n")
    made.git("add", "-A")
    made.git("commit", "-qm", "dos")
    await made.start()
    try:
        os.utime(made.root / "dos.txt")
        await made.fence()
        assert ("dos.txt", "changed") not in made.told
        (made.root / "dos.txt").write_bytes(b"c\r\n")
        change = await made.seen("dos.txt", ChangeKind.CHANGED)
        assert change.before is not None
        assert made.source.bytes_of(str(made.root), change.before) == b"a\r\nb\r\n"
    finally:
        await made.source.stop()


async def test_without_git_it_is_watched_too(tmp_path: Path) -> None:
    made = Watched(tmp_path, git=False)
    (made.root / "node_modules").mkdir()
    await made.start()
    try:
        (made.root / "node_modules" / "x").write_text("x")
        (made.root / "x.log").write_text("x")
        made.file.write_bytes(b"two\n")
        change = await made.seen("src/a.py", ChangeKind.CHANGED)
        assert change.before is not None
        assert made.source.bytes_of(str(made.root), change.before) == b"one\n"
        await made.fence()
        assert [one[0] for one in made.told if "fence" not in one[0]] == ["src/a.py"]
    finally:
        await made.source.stop()


@pytest.mark.parametrize("when", ["at once", "later"])
async def test_a_machine_out_of_watches_is_polled_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    why = "no inotify watches left (raise fs.inotify.max_user_watches)"
    real = Inotify.add

    def add(self: Inotify, folder: str) -> str:
        return why if when == "at once" or folder.endswith("/late") else real(self, folder)

    monkeypatch.setattr(Inotify, "add", add)
    made = Watched(tmp_path)
    await made.start()
    try:
        if when == "later":
            (made.root / "late").mkdir()
        await made.until(lambda: why in made.troubles().get("work tree (watching)", ""), "the trouble")
        made.file.write_bytes(b"two\n")
        await made.seen("src/a.py", ChangeKind.CHANGED)
        (made.root / "new").write_text("x")
        await made.seen("new", ChangeKind.CREATED)
    finally:
        await made.source.stop()


async def test_a_system_without_inotify_is_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        pass

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc())
    made = Watched(tmp_path)
    await made.start()
    try:
        made.file.write_bytes(b"two\n")
        assert not (await made.seen("src/a.py", ChangeKind.CHANGED)).single  # nobody knows how often it was written
        assert "no inotify" in made.troubles()["work tree (watching)"]
    finally:
        await made.source.stop()


async def test_more_at_once_than_is_remembered_is_all_looked_at(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_tree_module, "MAX_NAMES", 5)
    monkeypatch.setattr(work_tree_module, "MAX_TOLD", 30)
    for number in range(50):
        (watched.root / f"n{number}").write_text("x")
    await watched.until(lambda: sum(isinstance(one, WorkTreeChanged) for one in watched.events) > 0, "an event")
    await watched.until(
        lambda: sum(len(one.changes) for one in watched.events if isinstance(one, WorkTreeChanged)) == 50, "all of them"
    )
    parts = [one for one in watched.events if isinstance(one, WorkTreeChanged)]
    assert all(len(one.changes) <= 30 for one in parts)
    # A moment's events know of each other.
    for one in parts:
        assert one.beside == sum(len(each.changes) for each in parts if each.stamp == one.stamp) - len(one.changes)
    assert any(one.beside for one in parts)


async def test_nothing_is_looked_at_while_there_is_no_room_and_nothing_is_lost(watched: Watched) -> None:
    room = False
    watched.source.room = lambda: room
    for number in range(30):
        (watched.root / f"n{number}").write_text("1")
    storm = "work tree (storm)"
    await watched.until(lambda: bool(watched.troubles().get(storm)), "that it waits")
    (watched.root / "n0").write_text("2")
    (watched.root / "n1").unlink()
    assert watched.told == []
    room = True
    await watched.until(lambda: len(watched.told) == 29, "all of them")
    assert {path for path, _ in watched.told} == {f"n{number}" for number in range(30)} - {"n1"}
    assert watched.troubles()[storm] == ""
    assert watched.source.bytes_of(str(watched.root), watched.changes[0].after) == b"2"


async def test_more_changes_than_one_look_tells_come_by_more_looks(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    from teamops.sources import tree_state

    monkeypatch.setattr(tree_state, "MAX_CHANGES", 7)
    monkeypatch.setattr(work_tree_module, "MAX_NAMES", 5)
    for number in range(40):
        (watched.root / f"n{number}").write_text("1")
    await watched.until(lambda: len(watched.told) == 40, "all of them")
    parts = [len(one.changes) for one in watched.events if isinstance(one, WorkTreeChanged)]
    assert max(parts) <= 7


async def test_git_that_fails_is_said_and_it_goes_on_afterwards(watched: Watched) -> None:
    index = watched.root / ".git" / "index"
    good = index.read_bytes()
    index.write_bytes(b"damaged")
    (watched.root / "new").write_text("x")
    await watched.until(lambda: bool(watched.troubles().get("work tree (git)")), "the trouble")
    index.write_bytes(good)
    await watched.seen("new", ChangeKind.CREATED)
    await watched.until(lambda: watched.troubles().get("work tree (git)") == "", "well again")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    made = Watched(tmp_path)
    before = open_files()
    await made.start()
    await made.source.stop()
    assert open_files() <= before + 1


def test_bytes_are_kept_once_and_no_more_than_allowed(tmp_path: Path) -> None:
    kept = KeptBytes(tmp_path / "before", most=10)
    kept.begin()
    one = kept.keep(b"12345", digest_of(b"12345"))
    assert Path(one).read_bytes() == b"12345"
    assert kept.keep(b"12345", digest_of(b"12345")) == one
    assert kept.keep(b"123456", digest_of(b"123456")) == ""
    assert "MB of files" in kept.trouble
    kept.drop({digest_of(b"12345"), "unknown"})
    assert not Path(one).exists()
    assert kept.keep(b"123456", digest_of(b"123456"))
    blocked = KeptBytes(tmp_path / "file" / "x")
    (tmp_path / "file").write_text("")
    blocked.begin()
    assert "can't be made" in blocked.trouble
    assert blocked.keep(b"1", digest_of(b"1")) == ""


async def test_what_no_folder_tells_of_is_seen_a_little_later(tmp_path: Path) -> None:
    """A hard link from elsewhere, and a change through memory."""
    made = Watched(tmp_path)
    made.source = WorkTree([made.root], made.root / "current.md", made.state, Clock(), sweep_s=0.3)
    await made.start()
    try:
        other = tmp_path / "other"
        other.hardlink_to(made.file)
        other.write_bytes(b"two\n")
        other.unlink()
        assert not (await made.seen("src/a.py", ChangeKind.CHANGED)).single
        with made.file.open("r+b") as file, mmap.mmap(file.fileno(), 4) as mapped:
            mapped[:4] = b"six\n"
        await made.until(lambda: len(made.changes) == 2, "the change through memory")
        assert made.source.bytes_of(str(made.root), made.changes[1].after) == b"six\n"
    finally:
        await made.source.stop()


async def test_folders_that_are_deleted_are_not_looked_for_among_all_others(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []
    drop = Inotify.drop

    def counted(self: Inotify, folder: str, *, below: bool) -> None:
        if below:
            searched.append(folder)
        drop(self, folder, below=below)

    monkeypatch.setattr(Inotify, "drop", counted)
    for number in range(20):
        (watched.root / "x" / str(number)).mkdir(parents=True)
    (watched.root / "x" / "one").write_text("1")
    await watched.seen("x/one", ChangeKind.CREATED)
    await watched.fence()
    known = len(watched.source._inotify)
    shutil.rmtree(watched.root / "x")
    await watched.seen("x/one", ChangeKind.DELETED)
    await watched.fence()
    assert searched == []
    assert len(watched.source._inotify) == known - 21
    (watched.root / "src").rename(watched.root / "lib")
    await watched.seen("lib/a.py", ChangeKind.CREATED)
    assert searched == [str(watched.root / "src")]


async def test_whether_one_act_made_a_change_is_told(watched: Watched) -> None:
    with watched.file.open("ab") as file:
        file.write(b"two\n")
    assert (await watched.seen("src/a.py", ChangeKind.CHANGED)).single
    (watched.root / "new").mkdir()
    (watched.root / "new" / "b.py").write_text("1")
    assert (await watched.seen("new/b.py", ChangeKind.CREATED)).single
    (watched.root / "new" / "b.py").unlink()
    assert (await watched.seen("new/b.py", ChangeKind.DELETED)).single
    await watched.fence()
    # Two between two looks: nobody knows what stood there before the second.
    watched.source.room = lambda: False
    for line in (b"a person's\n", b"an agent's\n"):
        with watched.file.open("ab") as file:
            file.write(line)
    (watched.root / "src" / "c.py").write_text("made")
    (watched.root / "src" / "c.py").write_text("and written once more")
    (watched.root / "src" / "d.py").write_text("once")
    before = len(watched.changes)
    watched.source.room = lambda: True
    assert not (await watched.seen("src/c.py", ChangeKind.CREATED)).single
    await watched.until(lambda: len(watched.changes) == before + 3, "all three")
    assert {one.path: one.single for one in watched.changes[before:]} == {
        "src/a.py": False, "src/c.py": False, "src/d.py": True,
    }  # fmt: skip


async def test_what_settles_keeps_its_count_while_others_are_looked_at(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_tree_module, "SETTLE_S", 1.0)
    (watched.root / "src" / "c.py").write_text("once")
    (watched.root / "src" / "d.py").write_text("once")
    (watched.root / "src" / "d.py").write_text("and again")
    for number in range(1, 4):  # looks at another, before those are told
        watched.file.write_text(f"{number}")
        await watched.until(lambda: len(watched.told) == number, "another")  # noqa: B023 - asked at once
    assert {path for path, _ in watched.told} == {"src/a.py"}
    assert (await watched.seen("src/c.py", ChangeKind.CREATED)).single
    assert not (await watched.seen("src/d.py", ChangeKind.CREATED)).single


async def test_what_is_written_while_it_is_looked_at_is_not_known_to_be_one_act_s(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = TreeState.look

    def slowly(state: TreeState, *given: Any, **named: Any) -> Looked:
        looked = look(state, *given, **named)
        if any(one.path == "src/a.py" for one in looked.changes):
            with watched.file.open("ab") as file:
                file.write(b"meanwhile\n")
            monkeypatch.setattr(TreeState, "look", look)
        return looked

    monkeypatch.setattr(TreeState, "look", slowly)
    with watched.file.open("ab") as file:
        file.write(b"two\n")
    assert not (await watched.seen("src/a.py", ChangeKind.CHANGED)).single
    await watched.until(lambda: len([one for one in watched.changes if one.path == "src/a.py"]) == 2, "the second")
    assert watched.changes[-1].single
