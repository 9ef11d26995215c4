"""The git room on real repositories: what it says, and that it leaves nothing behind."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

import pytest

from teamops.git.around import around
from teamops.git.command import Git, GitFailed
from teamops.git.repository import Repository
from teamops.model.errors import TeamopsError

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }.items():
        monkeypatch.setenv(name, value)


def git(root: Path, *words: str, at: int | None = None, ok: bool = True) -> str:
    env = os.environ if at is None else {**os.environ, "GIT_COMMITTER_DATE": f"@{at} +0000"}
    done = subprocess.run(["git", *words], cwd=root, env=env, capture_output=True, timeout=30, check=ok)
    return os.fsdecode(done.stdout.rstrip(b"\n"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    return root


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(root: Path, at: int | None = None) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "work", at=at)
    return git(root, "rev-parse", "HEAD")


def repository(root: Path, seconds: float = 30.0) -> Repository:
    found = Repository.find(root, seconds)
    assert found is not None
    return found


def stat_of(root: Path, base: str) -> dict[str, tuple[int, int]]:
    return {
        file.path: (file.added, file.removed) for file in repository(root).changed_since(base, ["current.md"]).files
    }


def traces(root: Path) -> dict[str, str]:
    """Return every file of the repository's own folder, by its content and time."""
    return {
        str(path): f"{path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted((root / ".git").rglob("*"))
        if path.is_file()
    } | {str(path): "" for path in (root / ".git").rglob("*") if path.is_dir()}


# what is there


def test_the_work_tree_is_the_tree_that_a_commit_of_all_would_have(root: Path) -> None:
    write(root, a="one\n", d__b="x\n", _dot_gitignore="*.log\n", old="goes\n")
    commit(root)
    assert repository(root).work_tree() == git(root, "rev-parse", "HEAD^{tree}")
    write(root, a="two\n", new__er="untracked\n", noise_dot_log="ignored\n")
    (root / "d" / "b").chmod(0o755)
    (root / "link").symlink_to("a")
    (root / "old").unlink()
    before = repository(root).work_tree()
    commit(root)
    assert before == git(root, "rev-parse", "HEAD^{tree}") == repository(root).work_tree()


def test_nothing_is_left_in_the_repository(root: Path) -> None:
    write(root, a="one\n", staged="1\n")
    commit(root)
    write(root, a="two\n", staged="2\n", new="x" * 100_000)
    git(root, "add", "staged")
    git(root, "stash", "push", "-q", "--", "a")
    write(root, a="three\n")
    before, temp = traces(root), set(Path(os.environ["TMPDIR"]).iterdir())
    repo = repository(root)
    repo.work_tree(["current.md"])
    repo.changed_since(repo.head(), ["current.md"])
    repo.changed_paths(EMPTY)
    repo.base_at(time.time())
    assert traces(root) == before
    assert set(Path(os.environ["TMPDIR"]).iterdir()) == temp
    assert git(root, "status", "--short").splitlines() == [" M a", "M  staged", "?? new"]


def test_the_handoff_with_all_beside_it_is_no_work(root: Path) -> None:
    write(root, a="one\n", current_dot_md="### [CODER]\n")
    commit(root)
    repo, names = repository(root), ["current.md"]
    before = repo.work_tree(names)
    assert before != repo.work_tree()
    write(root, current_dot_md="### [CODER]\nmore\n")
    (root / ".current.md.lock").touch()
    write(root, **{"archive__current-2026-03_dot_md": "old\n", "_dot_teamops__spool__CODER__beats_dot_jsonl": "{}\n"})
    assert repo.work_tree(names) == before == repo.work_tree([root / "current.md", root / ".teamops"])
    assert stat_of(root, repo.head()) == {}
    write(root, archive__other="work\n")
    assert repo.work_tree(names) != before


def test_a_change_that_keeps_size_and_second_is_seen(root: Path) -> None:
    """What git calls racy: the index is as young as the file."""
    repo = None
    for number in range(20):
        write(root, a=f"{number:04}\n")
        git(root, "add", "a")
        write(root, a=f"{number + 1:04}\n")
        repo = repository(root)
        seen = repo.work_tree()
        write(root, a=f"{number:04}\n")
        assert repo.work_tree() != seen


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_is_told_not_to_look_at_is_looked_at(root: Path, flag: str) -> None:
    write(root, a="one\n", b="one\n")
    base = commit(root)
    before = repository(root).work_tree()
    git(root, "update-index", flag, "a")
    write(root, a="two, and longer\n")
    assert repository(root).work_tree() != before
    assert stat_of(root, base) == {"a": (1, 1)}


def test_names_with_anything_in_them(root: Path) -> None:
    names = [b"a b", b"new\nline", b"\xff\xfe", b"tab\there", b'quo"te', b":(top)x", b"-rf", b"*"]
    for name in names:
        (root / os.fsdecode(name)).write_text("1\n")
    repo = repository(root)
    tree = repo.work_tree()
    assert sorted(os.fsencode(path) for path in repo.changed_paths(EMPTY)) == sorted(names)
    shown = stat_of(root, EMPTY)
    assert len(shown) == len(names)
    assert set(shown.values()) == {(1, 0)}
    assert all("\n" not in path and path.isprintable() for path in shown)
    commit(root)
    assert repo.work_tree() == tree


def test_a_project_below_the_top_sees_its_own_folder(root: Path) -> None:
    write(root, a="one\n", shop__x="one\n", shop__deep__y="one\n", other__z="one\n")
    base = commit(root)
    below = repository(root / "shop")
    before = below.work_tree(["current.md"])
    assert before == git(root, "rev-parse", "HEAD:shop")
    write(root, a="two\n", other__z="two\n", other__w="new\n")
    assert below.work_tree(["current.md"]) == before
    assert below.changed_since(base).files == ()
    write(root, shop__current_dot_md="### x\n", shop__new="1\n", shop__x="1\n2\n")
    assert stat_of(root / "shop", base) == {"new": (1, 0), "x": (2, 1)}
    assert below.changed_paths(base, ["current.md"]) == ("new", "x")
    (root / "shop" / "current.md").unlink()
    seen = below.work_tree()
    commit(root)
    assert seen == git(root, "rev-parse", "HEAD:shop")
    assert below.changed_since(base).commits == 1
    (root / "bare folder").mkdir()
    assert repository(root / "bare folder").work_tree() == EMPTY


def test_a_conflict_is_judged_by_what_lies_in_the_folder(root: Path) -> None:
    write(root, a="one\n", sub__b="one\n", gone="one\n")
    base = commit(root)
    git(root, "checkout", "-q", "-b", "side")
    write(root, a="side\n", gone="side\n")
    commit(root)
    git(root, "checkout", "-q", "main")
    write(root, a="main\n")
    (root / "gone").unlink()
    commit(root)
    git(root, "merge", "-q", "side", ok=False)
    assert git(root, "ls-files", "-u")
    (root / "gone").unlink()
    conflict = (root / "a").read_text()
    before = traces(root)
    assert stat_of(root, base) == {"a": (conflict.count("\n"), 1), "gone": (0, 1)}
    tree = repository(root).work_tree()
    assert repository(root / "sub").work_tree() == git(root, "rev-parse", "HEAD:sub")
    assert traces(root) == before
    git(root, "add", "-A")
    assert tree == git(root, "write-tree")


def test_a_linked_work_tree_and_a_detached_head(root: Path, tmp_path: Path) -> None:
    write(root, a="one\n")
    first = commit(root)
    write(root, a="two\n")
    commit(root)
    git(root, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"), first)
    repo = repository(tmp_path / "linked")
    assert repo.head() == first
    assert repo.work_tree() == git(root, "rev-parse", f"{first}^{{tree}}")
    write(tmp_path / "linked", a="three\n")
    assert stat_of(tmp_path / "linked", first) == {"a": (1, 1)}
    assert stat_of(root, first) == {"a": (1, 1)}


def test_before_the_first_commit(root: Path) -> None:
    repo = repository(root)
    assert (repo.head(), repo.work_tree(), repo.base_at(time.time())) == ("", EMPTY, EMPTY)
    write(root, a="one\n")
    assert stat_of(root, EMPTY) == {"a": (1, 0)}
    assert repo.changed_since(EMPTY).commits == 0
    assert repo.work_tree() != EMPTY


def test_other_repositories_below_count_with_what_lies_in_them(root: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    write(library, code="one\n")
    commit(library)
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    base = commit(root)
    repo = repository(root)
    clean = repo.work_tree()
    assert clean == git(root, "rev-parse", "HEAD^{tree}")
    write(root / "lib", code="two\n")
    dirty = repo.work_tree()
    assert dirty != clean
    assert stat_of(root, base) == {"lib": (0, 0)}
    write(root / "lib", code="three\n")
    assert repo.work_tree() not in {dirty, clean}
    commit(root / "lib")
    assert list(stat_of(root, base)) == ["lib"]
    git(root, "submodule", "--quiet", "deinit", "-f", "lib")
    git(root, "update-index", "--cacheinfo", f"160000,{git(root, 'rev-parse', 'HEAD:lib')},lib")
    assert repo.work_tree() == clean
    # One that nobody has added, and one without a commit.
    for name in ("kept", "fresh"):
        (root / name).mkdir()
        git(root / name, "init", "-q")
    write(root, kept__x="1\n", fresh__x="1\n")
    commit(root / "kept")
    first = repo.work_tree()
    write(root, fresh__x="2\n")
    assert repo.work_tree() not in {first, clean}
    assert {"kept", "fresh"} <= set(repo.changed_paths(base))


def test_a_broken_submodule_is_not_the_repository_around_it(root: Path) -> None:
    write(root, a="one\n")
    first = commit(root)
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{first},lib")
    (root / "lib" / ".git").mkdir(parents=True)
    tree = repository(root).work_tree()
    write(root, a="two\n")
    assert repository(root).work_tree() != tree


def test_what_cannot_be_read_stops_nothing(root: Path) -> None:
    write(root, a="one\n", b="one\n", c__d="one\n", e="one\n")
    base = commit(root)
    (root / "a").unlink()
    os.mkfifo(root / "a")
    (root / "b").unlink()
    write(root, b__inner="one\n")
    shutil.rmtree(root / "c")
    (root / "elsewhere").mkdir()
    write(root, elsewhere__d="one\n")
    (root / "c").symlink_to("elsewhere")
    os.mkfifo(root / "pipe")
    (root / "e").chmod(0)
    repo = repository(root)
    repo.work_tree()
    assert {"a", "b", "b/inner", "c", "c/d", "elsewhere/d"} <= set(repo.changed_paths(base))
    assert {"a", "b/inner", "elsewhere/d"} <= set(repo.changed_paths(base))


# since when


def test_the_base_is_what_was_checked_out_then(root: Path) -> None:
    write(root, a="one\n")
    first = commit(root, at=1_000_000_000)
    write(root, a="two\n")
    second = commit(root, at=1_000_001_000)
    git(root, "checkout", "-q", "--detach", first, at=1_000_002_000)
    repo = repository(root)
    assert repo.base_at(999_999_999.9) == EMPTY
    assert repo.base_at(0) == EMPTY
    assert repo.base_at(1_000_000_000) == first
    assert repo.base_at(1_000_000_999) == first
    assert repo.base_at(1_000_001_000.5) == second
    assert repo.base_at(1_000_002_000) == first
    assert repo.base_at(time.time() + 9e6) == first


def test_a_clone_knows_by_the_commits_dates(root: Path, tmp_path: Path) -> None:
    write(root, a="one\n")
    first = commit(root, at=1_000_000_000)
    commit(root, at=1_000_001_000)
    git(tmp_path, "clone", "-q", str(root), "clone")
    repo = repository(tmp_path / "clone")
    assert repo.base_at(1_000_000_500) == first
    assert repo.base_at(999_999_999) == EMPTY
    git(tmp_path / "clone", "reflog", "expire", "--expire=now", "--all")
    shutil.rmtree(tmp_path / "clone" / ".git" / "logs")
    assert repo.base_at(1_000_000_500) == first


def test_all_that_changed_since_counts_committed_or_not(root: Path) -> None:
    write(root, kept="k\n", code="1\n2\n3\n", moved="\n".join(map(str, range(40))), gone="x\n", touched="t\n")
    (root / "picture").write_bytes(b"\0\1\2")
    base = commit(root)
    write(root, code="1\n2\n3\n4\n")
    commit(root)
    write(root, code="1\n2\n3\n4\n5\n", new="n\nn\n")
    (root / "picture").write_bytes(b"\0\1\2\3")
    (root / "moved").rename(root / "to here")
    (root / "gone").unlink()
    os.utime(root / "touched", (1, 1))
    shown = repository(root).changed_since(base)
    assert stat_of(root, base) == {
        "code": (2, 0), "gone": (0, 1), "new": (2, 0), "picture": (0, 0), "to here": (0, 0),
    }  # fmt: skip
    assert (shown.base, shown.commits) == (base, 1)
    assert repository(root).changed_paths(base) == ("code", "gone", "moved", "new", "picture", "to here")


def test_two_trees_name_what_differs(root: Path, tmp_path: Path) -> None:
    write(root, a="one\n", d__b="one\n")
    repo, trees = repository(root), tmp_path / "trees"
    trees.mkdir()
    one = repo.work_tree(trees=trees)
    write(root, d__b="two\n", ä="new\n")
    assert repo.between(one, repo.work_tree(trees=trees), trees) == ("d/b", "ä")


# what is no repository, and hostile ones


def test_where_there_is_none(tmp_path: Path, root: Path) -> None:
    assert Repository.find(tmp_path) is None
    assert Repository.find(root / ".git") is None
    git(tmp_path, "init", "-q", "--bare", "bare")
    assert Repository.find(tmp_path / "bare") is None
    write(root, _dot_gitignore="inner/\n", inner__a="1\n")
    assert Repository.find(root / "inner") is None
    git(root, "add", "-f", "inner/a")
    assert Repository.find(root / "inner") is not None
    with pytest.raises(GitFailed, match="no folder"):
        Repository.find(tmp_path / "missing")


def test_without_the_program(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = repository(root)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Repository.find(tmp_path) is None
    with pytest.raises(TeamopsError) as said:
        Repository.find(root)
    assert "install git" in str(said.value)
    with pytest.raises(TeamopsError, match="no program git"):
        repo.head()


def test_another_commands_repository_is_not_ours(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, a="one\n")
    first = commit(root)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nowhere"))
    assert repository(root).head() == first


def test_nothing_of_the_repository_runs(root: Path, tmp_path: Path) -> None:
    write(root, a="one\n", b_dot_txt="one\n")
    base = commit(root)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for hook in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction"):
        shutil.copy(trap, root / ".git" / "hooks" / hook)
    for key in (
        "core.fsmonitor", "core.pager", "filter.x.clean", "filter.x.process", "filter.odd=name.clean", "diff.x.command",
        "diff.x.textconv", "diff.external", "core.sshCommand", "core.askPass", "credential.helper", "gpg.program",
    ):  # fmt: skip
        git(root, "config", key, str(trap))
    git(root, "config", "filter.x.required", "true")
    write(
        root, _dot_gitattributes="* filter=x diff=x\n*.txt filter=odd=name\n", a="two\n", b_dot_txt="two\n", new="1\n"
    )
    repo = repository(root)
    repo.work_tree()
    repo.base_at(time.time())
    repo.changed_paths(base)
    assert stat_of(root, base) == {".gitattributes": (2, 0), "a": (1, 1), "b.txt": (1, 1), "new": (1, 0)}
    assert not (tmp_path / "sprung").exists()
    git(root, "hash-object", "a", ok=False)
    assert (tmp_path / "sprung").exists(), "the trap would not have sprung anyway"


def test_the_persons_own_filter_counts(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "mine"))
    git(root, "config", "--global", "filter.upper.clean", "tr a-z A-Z")
    write(root, _dot_gitattributes="* filter=upper\n", a="one\n")
    commit(root)
    write(root, b="two\n")
    tree = repository(root).work_tree()
    commit(root)
    assert tree == git(root, "rev-parse", "HEAD^{tree}")
    assert git(root, "show", "HEAD:b") == "TWO"


def test_git_that_does_not_end_is_ended(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = repository(root, seconds=0.5)
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 600 &\nsleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    begun = time.monotonic()
    with pytest.raises(TeamopsError, match="did not end within"):
        repo.work_tree()
    assert time.monotonic() - begun < 5


def test_a_refusal_is_in_gits_words(root: Path) -> None:
    write(root, a="one\n")
    commit(root)
    (root / ".git" / "index").write_bytes(b"nonsense")
    with pytest.raises(TeamopsError) as said:
        repository(root).work_tree()
    assert "index" in str(said.value)
    with pytest.raises(TeamopsError):
        repository(root).changed_since("f" * 40)


def test_a_repository_with_long_hashes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "long")
    write(tmp_path / "long", a="one\n", current_dot_md="x\n")
    repo = repository(tmp_path / "long")
    empty = repo.base_at(1.0)
    assert len(empty) == 64
    assert len(repo.work_tree(["current.md"])) == 64
    assert [file.path for file in repo.changed_since(empty, ["current.md"]).files] == ["a"]


def test_a_big_file_costs_no_room(root: Path) -> None:
    with (root / "big").open("wb") as file:
        file.truncate(64 << 20)
    temp = Path(os.environ["TMPDIR"])
    before = shutil.disk_usage(temp).used
    repo = repository(root)
    assert repo.work_tree() != EMPTY
    assert stat_of(root, EMPTY) == {"big": (0, 0)}
    assert not any(temp.glob("teamops-git-*"))
    assert shutil.disk_usage(temp).used - before < 32 << 20


def test_many_files_take_no_more_commands_than_few(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = Git.ask

    def count(self: Git, *words: str, stdin: bytes = b"", codes: Collection[int] = (0,)) -> tuple[int, bytes, str]:
        asked.append(words[0])
        return ask(self, *words, stdin=stdin, codes=codes)

    monkeypatch.setattr(Git, "ask", count)
    for number in range(300):
        (root / f"new {number}").touch()
        (root / f"staged {number}").touch()
    git(root, "add", "--", *[f"staged {number}" for number in range(300)])
    for number in range(300):
        (root / f"staged {number}").unlink()
    repo = repository(root)
    repo.work_tree()
    assert len(repo.changed_since(EMPTY).files) == 300
    assert len(asked) < 40


def test_what_is_put_in_an_environment_list_is_read_back(tmp_path: Path) -> None:
    odd = tmp_path / 'odd:"name\\with\nall'
    odd.mkdir()
    git(odd, "init", "-q")
    write(odd, a="one\n")
    commit(odd)
    assert repository(odd).work_tree() == git(odd, "rev-parse", "HEAD^{tree}")
    assert Git(odd, time.monotonic() + 9, 9).run("rev-parse", "HEAD")


def test_settings_that_name_a_user_whom_nobody_knows_are_read(root: Path) -> None:
    git(root, "config", "core.hooksPath", "~no-such-user/hooks")
    assert around(root, [str(root / ".git")]) == ((), (str(root / "~no-such-user" / "hooks"),), "")
