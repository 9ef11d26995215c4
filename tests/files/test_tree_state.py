"""One look after the other at a work tree: what is told at once, what only when it has settled."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from teamops.domain.client_files import FILES, with_excluded
from teamops.git.repository import Repository
from teamops.model.boundary import ChangeKind
from teamops.sources import kept_bytes, tree_state
from teamops.sources.guarded import guarded
from teamops.sources.tree_facts import Looked, facts_of
from teamops.sources.tree_state import STALE_S, TreeState


class Looking:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "p"
        (self.root / "src").mkdir(parents=True)
        self.file = self.root / "src" / "a.py"
        self.file.write_bytes(b"one\n")
        (self.root / ".gitignore").write_text("*.log\n")
        for words in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *words], cwd=self.root, check=True)
        self.state = TreeState(self.root, folder / "before", (self.root / "current.md",))
        self.state.begin()

    def look(self, *names: str, settled: bool = False, adopt: float | None = None, wall: float | None = None) -> Looked:
        return self.state.look(set(names), {}, time.time() if wall is None else wall, settled=settled, adopt=adopt)


@pytest.fixture
def looking(tmp_path: Path) -> Looking:
    return Looking(tmp_path)


def told(looked: Looked) -> list[tuple[str, ChangeKind]]:
    return [(one.path, one.change) for one in looked.changes]


def test_what_came_is_told_when_it_has_settled(looking: Looking) -> None:
    aside = looking.root / "src" / "a.py.tmp"
    aside.write_text("two\n")
    first = looking.look("src/a.py.tmp")
    assert (told(first), first.again) == ([], frozenset({"src/a.py.tmp"}))
    aside.rename(looking.file)
    assert told(looking.look("src/a.py.tmp", "src/a.py")) == [("src/a.py", ChangeKind.CHANGED)]
    assert told(looking.look("src/a.py.tmp", settled=True)) == []
    aside.write_text("stays\n")
    assert told(looking.look("src/a.py.tmp", settled=True)) == [("src/a.py.tmp", ChangeKind.CREATED)]


def test_what_went_is_told_when_it_has_settled(looking: Looking) -> None:
    away = looking.file.rename(looking.root / "src" / "a.py~")
    first = looking.look("src/a.py")
    assert (told(first), first.again) == ([], frozenset({"src/a.py"}))
    away.rename(looking.file)
    assert told(looking.look("src/a.py", settled=True)) == []
    looking.file.unlink()
    (gone,) = looking.look("src/a.py", settled=True).changes
    assert gone.change is ChangeKind.DELETED
    assert gone.before is not None
    assert looking.state.bytes_of(gone.before) == b"one\n"
    assert told(looking.look("src/a.py", settled=True)) == []


def test_two_changes_within_one_tick_of_the_file_system_are_two(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking.file.write_bytes(b"two\n")
    facts = facts_of(str(looking.file))
    monkeypatch.setattr(tree_state, "facts_of", lambda _: facts)
    assert facts is not None
    wall = facts[3] / 1e9
    assert told(looking.look("src/a.py", wall=wall)) == [("src/a.py", ChangeKind.CHANGED)]
    looking.file.write_bytes(b"TWO\n")  # as long, in the same tick: by its facts it is the same
    assert told(looking.look("src/a.py", wall=wall)) == [("src/a.py", ChangeKind.CHANGED)]
    assert told(looking.look("src/a.py", wall=wall + 1)) == []


def test_a_file_whose_time_was_set_back_is_another_all_the_same(looking: Looking) -> None:
    import os

    before = looking.file.stat()
    looking.file.write_bytes(b"two\n")
    os.utime(looking.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert told(looking.look("src/a.py")) == [("src/a.py", ChangeKind.CHANGED)]


def test_what_changes_while_the_tree_is_first_taken_is_a_change(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Repository.held

    def held_and_changed(repository: Repository, exclude: tuple[str, ...] = ()) -> dict[str, str]:
        found = held(repository, exclude)
        looking.file.write_bytes(b"two\n")
        return found

    monkeypatch.setattr(Repository, "held", held_and_changed)
    again = TreeState(looking.root, looking.root.parent / "before", ())
    again.begin()
    (change,) = again.look({"src/a.py"}, {}, time.time(), settled=True).changes
    assert change.before is not None
    assert (again.bytes_of(change.before), again.bytes_of(change.after)) == (b"one\n", b"two\n")


def test_more_changes_than_one_look_tells_are_told_by_the_next(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_state, "MAX_CHANGES", 3)
    names = [f"n{number}" for number in range(7)]
    for name in names:
        (looking.root / name).write_text("x")
    found: list[str] = []
    for more in (True, True, False):
        looked = looking.state.look_all({}, time.time())
        assert looked.more is more
        found += [path for path, _ in told(looked)]
    assert found == names


def test_bytes_that_nothing_stands_for_are_dropped_after_a_while(looking: Looking) -> None:
    looking.file.write_bytes(b"two\n")
    (second,) = looking.look("src/a.py").changes
    looking.file.write_bytes(b"three\n")
    looking.look("src/a.py")
    now = time.time()
    assert looking.state.bytes_of(second.after) == b"two\n"
    looking.look(wall=now + STALE_S / 2)
    assert looking.state.bytes_of(second.after) == b"two\n"
    looking.look(wall=now + 2 * STALE_S)
    assert looking.state.bytes_of(second.after) is None
    assert looking.state.bytes_of(second.before or second.after) == b"one\n"


def test_a_big_file_is_told_and_its_bytes_are_not_known(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_bytes, "MAX_FILE", 10)
    (looking.root / "big").write_bytes(b"x" * 100)
    monkeypatch.setattr(tree_state, "read_state", lambda path: kept_bytes.read_state(path, 10))
    (one,) = looking.look("big", settled=True).changes
    assert (one.after.size, one.after.digest, one.after.kept) == (100, "", "")
    assert looking.state.bytes_of(one.after) is None


def test_a_blob_that_is_gone_is_not_known(looking: Looking) -> None:
    looking.file.write_bytes(b"two\n")
    (one,) = looking.look("src/a.py").changes
    assert one.before is not None
    for path in (looking.root / ".git" / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    assert looking.state.bytes_of(one.before) is None


def test_a_folder_in_place_of_a_file_and_a_pipe(looking: Looking) -> None:
    import os

    looking.file.unlink()
    looking.file.mkdir()
    (looking.file / "x").write_text("x")
    changes = {one.path: one.change for one in looking.look("src/a.py", "src/a.py/x", settled=True).changes}
    assert changes["src/a.py"] is ChangeKind.DELETED
    assert changes["src/a.py/x"] is ChangeKind.CREATED
    os.mkfifo(looking.root / "pipe")
    assert told(looking.look("pipe", "src/a.py", settled=True)) == []  # nor is a socket any work


def test_names_that_mean_something_to_git(looking: Looking) -> None:
    names = [":(glob)x", "-rf", "a b", "!x", "*.py", "é", "x\ny"]
    for name in names:
        (looking.root / name).write_text("x")
    assert {one.path for one in looking.look(*names, settled=True).changes} == set(names)


@pytest.mark.parametrize(
    ("path", "is_guarded"),
    [
        ("teamops.toml", True),
        ("profiles/coder.md", True),
        ("a/.claude/settings.local.json", True),
        (".git/hooks/pre-commit", True),
        (".git/config", True),
        (".mcp.json", True),
        ("src/a.py", False),
        (".claude/notes.md", False),
    ],
)
def test_what_no_agent_may_change(path: str, is_guarded: bool) -> None:
    assert guarded(path) is is_guarded


@pytest.mark.parametrize("real", [True, False], ids=["a repository", "an empty folder"])
def test_a_repository_that_is_made_over_the_tree_s_own_files_hides_nothing(looking: Looking, *, real: bool) -> None:
    inner = looking.root / "src" / ".git"
    if real:
        subprocess.run(["git", "init", "-q", str(inner.parent)], check=True)
    else:
        inner.mkdir()
    new = looking.root / "src" / "new.py"
    new.write_text("1\n")
    assert told(looking.look("src/new.py", settled=True)) == [("src/new.py", ChangeKind.CREATED)]
    (looking.root / "src" / "more.py").write_text("1\n")
    changes = told(looking.state.look_all({}, time.time()))
    assert changes == [*([("src/.git/HEAD", ChangeKind.CREATED)] if real else []), ("src/more.py", ChangeKind.CREATED)]
    # In the next life, too.
    again = TreeState(looking.root, looking.root.parent / "before", ())
    assert f"{looking.root}/src" in again.folders()
    again.begin()
    new.write_text("2\n")
    assert told(again.look({"src/new.py"}, {}, time.time(), settled=True)) == [("src/new.py", ChangeKind.CHANGED)]


def test_files_in_another_repository_are_not_this_tree_s(looking: Looking) -> None:
    inner = looking.root / "wt" / "coder"
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    (inner / "x").mkdir()
    (inner / "x" / "a.py").write_text("1\n")
    assert told(looking.look("wt/coder/x/a.py", "wt/coder/b.py", "wt", "wt/coder", settled=True)) == []


@pytest.mark.parametrize("name", ["exclude", "attributes"])
def test_what_git_is_told_to_leave_out_is_looked_at(looking: Looking, name: str) -> None:
    assert f"{looking.root}/.git/info" in looking.state.folders()
    (looking.root / ".git" / "info" / name).write_text("*\n")
    looked = looking.look(f".git/info/{name}", settled=True)
    assert [path for path, _ in told(looked)] == [f".git/info/{name}"]
    (looking.root / ".git" / "info" / "refs").write_text("git's own\n")
    assert told(looking.look(".git/info/refs", settled=True)) == []


def test_many_names_that_came_and_went_cost_one_look_at_what_is_known(looking: Looking) -> None:
    asked = 0

    class Known(dict[str, object]):
        def __iter__(self) -> Iterator[str]:
            nonlocal asked
            asked += 1
            return super().__iter__()

    looking.state._known = Known(looking.state._known)  # type: ignore[assignment]
    gone = [f"src/t{number}" for number in range(50)]
    assert told(looking.look(*gone, settled=True)) == []
    assert asked <= 2
    (looking.root / "src").rename(looking.root / "lib")
    assert told(looking.look(*gone, "src", "lib", settled=True)) == [
        ("lib/a.py", ChangeKind.CREATED),
        ("src/a.py", ChangeKind.DELETED),
    ]


@pytest.mark.parametrize("converts", [True, False])
def test_git_is_not_asked_whether_it_ignores_what_it_holds(
    looking: Looking, monkeypatch: pytest.MonkeyPatch, *, converts: bool
) -> None:
    """Git looks through its whole index for each name: of 100000 names that takes minutes."""
    if converts:
        (looking.root / ".gitattributes").write_text("* text\n")
    (looking.root / "new.py").write_text("1\n")
    (looking.root / "a.log").write_text("1\n")
    asked: set[str] = set()
    ignored = Repository.ignored

    def counted(self: Repository, paths: Iterable[str]) -> frozenset[str]:
        given = list(paths)
        asked.update(given)
        return ignored(self, given)

    monkeypatch.setattr(Repository, "ignored", counted)
    looking.state.begin()
    assert asked == {"a.log"}
    assert set(looking.state._known) >= {"src/a.py", ".gitignore", "new.py"}
    assert "a.log" not in looking.state._known
    looking.file.write_bytes(b"two\n")
    (change,) = looking.look("src/a.py").changes
    assert change.before is not None
    assert looking.state.bytes_of(change.before) == b"one\n"


def test_settings_of_a_client_that_teamops_makes_are_no_change_until_somebody_writes_them(looking: Looking) -> None:
    made = looking.root / ".mcp.json"
    made.write_text(FILES[".mcp.json"])
    assert told(looking.look(".mcp.json", settled=True)) == []
    made.write_text('{"mcpServers": {"x": {"command": "y"}}}\n')
    assert told(looking.look(".mcp.json", settled=True)) == [(".mcp.json", ChangeKind.CHANGED)]
    made.write_text(FILES[".mcp.json"])
    assert told(looking.look(".mcp.json", settled=True)) == [(".mcp.json", ChangeKind.CHANGED)]
    planted = looking.root / "opencode.json"
    planted.write_text("{}\n")
    assert told(looking.look("opencode.json", settled=True)) == [("opencode.json", ChangeKind.CREATED)]


def test_settings_that_were_made_before_may_go_and_come(looking: Looking) -> None:
    made = looking.root / "opencode.json"
    made.touch()
    looking.state.begin()
    made.unlink()
    assert told(looking.look("opencode.json", settled=True)) == []
    made.touch()
    assert told(looking.look("opencode.json", settled=True)) == []


def test_of_git_s_exclude_file_teamops_own_lines_are_no_change(looking: Looking) -> None:
    path, name = looking.root / ".git" / "info" / "exclude", ".git/info/exclude"
    path.write_text("*.own\n")
    looking.state.begin()
    path.write_text(with_excluded("*.own\n", ["/.mcp.json"]))
    assert told(looking.look(name, settled=True)) == []
    path.write_text("*.own\n")
    assert told(looking.look(name, settled=True)) == []
    path.write_text(with_excluded("*.own\n*.py\n", ["/.mcp.json"]))
    assert told(looking.look(name, settled=True)) == [(name, ChangeKind.CHANGED)]
    path.write_text(with_excluded("*.own\n*.py\n", ["/src/"]))
    assert told(looking.look(name, settled=True)) == [(name, ChangeKind.CHANGED)]
    path.unlink()
    assert told(looking.look(name, settled=True)) == [(name, ChangeKind.DELETED)]
