"""What is planted in git's own folders, seen in a real repository; what git itself writes there is none of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from teamops.git.repository import Repository
from teamops.model.boundary import ChangeKind
from teamops.sources.clock import Clock
from teamops.sources.work_tree import WorkTree
from tests.files.test_work_tree import GIT, Watched

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")]
CREATED, CHANGED = ChangeKind.CREATED, ChangeKind.CHANGED
ALLOWED = ("-c", "protocol.file.allow=always")


class Planted(Watched):
    """A project with another work tree and a submodule."""

    def __init__(self, folder: Path, **more: bool) -> None:
        super().__init__(folder, **more)
        lib, self.other = folder / "lib", folder / "other"
        subprocess.run([*GIT, "init", "-q", str(lib)], check=True)
        subprocess.run([*GIT, "commit", "-q", "--allow-empty", "-m", "lib"], cwd=lib, check=True)
        self.git(*ALLOWED, "submodule", "-q", "add", str(lib), "lib")
        self.git("commit", "-qm", "lib")
        self.git("worktree", "add", "-q", str(self.other))
        self.git("init", "-q", str(folder / "evil"))

    def put(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Planted]:
    made = Planted(tmp_path)
    await made.start()
    yield made
    await made.source.stop()


PLANTS = [
    (".git/commondir", CREATED, "../../evil/.git\n"),
    (".git/config.worktree", CREATED, "[core]\nfsmonitor = x\n"),
    (".git/hooks/post-checkout", CREATED, "#!/bin/sh\n"),
    (".git/info/grafts", CREATED, "x y\n"),
    (".git/info/attributes", CREATED, "* filter=x\n"),
    (".git/worktrees/other/commondir", CHANGED, "/evil/.git\n"),
    (".git/worktrees/other/config.worktree", CREATED, "[core]\nfsmonitor = x\n"),
    (".git/modules/lib/commondir", CREATED, "../../../evil/.git\n"),
    (".git/modules/lib/config", CHANGED, "[core]\nfsmonitor = x\n"),
    (".git/modules/lib/hooks/pre-commit", CREATED, "#!/bin/sh\n"),
    (".git/rebase-merge/git-rebase-todo", CREATED, "exec make\n"),
    (".git/worktrees/other/rebase-merge/git-rebase-todo", CREATED, "x make\n"),
    (".git/rebase-merge/strategy", CREATED, "../evil\n"),
    (".git/sequencer/opts", CREATED, "[options]\nstrategy = ../evil\n"),
    ("src/.git", CREATED, "gitdir: ../evil/.git\n"),
    ("src/.git/HEAD", CREATED, "ref: refs/heads/x\n"),
]


@pytest.mark.parametrize(("path", "kind", "text"), PLANTS, ids=[path for path, _, _ in PLANTS])
async def test_what_is_planted_is_told_within_a_second(
    watched: Planted, path: str, kind: ChangeKind, text: str
) -> None:
    watched.put(path, text)
    change = await watched.seen(path, kind)
    assert not change.counts  # it is no work
    event = next(one for one in watched.events if change in getattr(one, "changes", ()))
    assert event.stamp.wall - (watched.root / path).stat().st_mtime < 1.0
    assert watched.source.bytes_of(str(watched.root), change.after) == text.encode()
    assert watched.told == [(path, kind.value)]


async def test_a_link_and_a_file_whose_time_was_set_back(watched: Planted) -> None:
    (watched.root / ".git" / "commondir").symlink_to("../evil")
    await watched.seen(".git/commondir", CREATED)
    watched.put(".git/config.worktree", "[core]\n")
    os.utime(watched.root / ".git" / "config.worktree", (1e9, 1e9))
    watched.put(".gitignore", "*.log\n*.tmp\n")  # what git ignores is another: what is old may be no news
    await watched.seen(".git/config.worktree", CREATED)


async def test_where_git_itself_is_broken_by_it_it_is_seen_all_the_same(watched: Planted) -> None:
    watched.put(".git/commondir", "")  # git reads nothing any more
    watched.put("src/b.py", "1\n")
    change = await watched.seen(".git/commondir", CREATED)
    assert watched.source.bytes_of(str(watched.root), change.after) == b""
    await watched.until(lambda: bool(watched.troubles().get("work tree (git)")), "that git fails")
    assert ("src/b.py", CREATED.value) not in watched.told
    (watched.root / ".git" / "commondir").unlink()
    await watched.seen("src/b.py", CREATED)
    await watched.seen(".git/commondir", ChangeKind.DELETED)


async def test_what_is_made_to_be_held_is_no_news_and_what_then_stands_in_it_is(watched: Planted) -> None:
    """As a start of an agent makes it."""
    for name, text in (("commondir", ".\n"), ("config.worktree", ""), ("info/attributes", "")):
        watched.put(f".git/{name}", text)
        watched.put(f".git/modules/lib/{name}", text)
    watched.put(".git/worktrees/other/config.worktree", "")
    assert not Repository.find(watched.root).converts()  # type: ignore[union-attr]  # it is one
    await watched.fence()
    (watched.root / ".git" / "config.worktree").unlink()
    watched.put(".git/commondir", "../../evil/.git\n")
    change = await watched.seen(".git/commondir", CHANGED)
    assert change.before is not None
    assert watched.source.bytes_of(str(watched.root), change.before) == b".\n"
    assert [path for path, _ in watched.told if path.startswith(".git")] == [".git/commondir"]


def gits(told: Iterable[tuple[str, str]]) -> list[str]:
    return [path for path, _ in told if ".git" in path.split("/")]


async def test_what_git_writes_itself_is_no_news(watched: Planted, tmp_path: Path) -> None:
    watched.git("worktree", "add", "-q", str(tmp_path / "more"))
    watched.git("commit", "-q", "--allow-empty", "-m", "x")
    watched.git("checkout", "-qb", "aside", "HEAD~1")
    watched.put("aside", "1\n")
    watched.git("add", "aside")
    watched.git("commit", "-qm", "aside")
    watched.git("rebase", "-q", "master")
    watched.git(*ALLOWED, "submodule", "update")
    watched.git(*ALLOWED, "submodule", "-q", "add", str(tmp_path / "lib"), "second")
    watched.git("stash")
    watched.git("gc", "-q")
    watched.git("worktree", "remove", str(tmp_path / "more"))
    await watched.fence()
    # A branch, a submodule and their settings stand in the one file that no agent changes.
    assert set(gits(watched.told)) <= {".git/config"}


async def test_commands_in_a_rebase_that_goes_on(watched: Planted) -> None:
    watched.git("commit", "-q", "--allow-empty", "-m", "x")
    with pytest.raises(subprocess.CalledProcessError):
        watched.git("rebase", "-q", "--keep-empty", "-x", "test -e go", "-x", "true", "HEAD~1")
    await watched.seen(".git/rebase-merge/git-rebase-todo", CREATED)
    watched.put("go", "")
    watched.git("rebase", "--continue")
    await watched.seen(".git/rebase-merge/git-rebase-todo", ChangeKind.DELETED)


async def test_what_stands_there_at_the_start_is_no_news_and_its_change_is(tmp_path: Path) -> None:
    made = Planted(tmp_path)
    made.put(".git/commondir", f"{made.root}/.git\n")
    made.put("src/.git/HEAD", "ref: refs/heads/x\n")
    await made.start()
    try:
        await made.fence()
        assert gits(made.told) == []
        made.put(".git/commondir", "../../evil/.git\n")
        await made.seen(".git/commondir", CHANGED)
        made.put("src/.git/HEAD", "ref: refs/heads/y\n")
        await made.until(lambda: "src/.git/HEAD" in gits(made.told), "the repository that stood there")
    finally:
        await made.source.stop()


async def test_in_a_work_tree_of_its_own_where_its_git_is(tmp_path: Path) -> None:
    made = Planted(tmp_path)
    made.source = WorkTree([made.other], made.root / "current.md", made.state, Clock())
    await made.start()
    try:
        (made.other / ".git").write_text(f"gitdir: {tmp_path}/evil/.git\n")
        await made.seen(".git", CHANGED)
    finally:
        await made.source.stop()


async def test_without_watches_it_is_found_by_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from teamops.sources.inotify import Inotify

    monkeypatch.setattr(Inotify, "open", lambda _: "no inotify here")
    made = Planted(tmp_path)
    await made.start()
    try:
        made.put(".git/commondir", "../../evil/.git\n")
        made.put("src/.git/HEAD", "ref: refs/heads/x\n")
        made.put(".git/modules/lib/hooks/pre-commit", "x")
        for path in (".git/commondir", "src/.git/HEAD", ".git/modules/lib/hooks/pre-commit"):
            await made.seen(path, CREATED)
        shutil.rmtree(made.root / "src" / ".git")
        await made.seen("src/.git/HEAD", ChangeKind.DELETED)
    finally:
        await made.source.stop()
