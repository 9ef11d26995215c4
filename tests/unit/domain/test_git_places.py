"""Which files of git's own are looked at, and in which nothing stands that git would go by."""

from __future__ import annotations

import pytest

from teamops.domain.client_files import with_excluded
from teamops.domain.git_places import COMMON, NEUTRAL, is_gits, is_looked_at, is_neutral, is_planted, is_watched

MODULES = frozenset({".git/modules/lib", ".git/modules/a/b"})


@pytest.mark.parametrize(
    ("path", "gits", "planted"),
    [
        (".git", True, False),
        (".git/HEAD", True, False),
        ("src/.git", True, True),
        ("src/.git/HEAD", True, True),
        ("src/.git/config", True, False),
        (".gitignore", False, False),
        ("src/a.py", False, False),
    ],
)
def test_what_is_gits_own(path: str, gits: bool, planted: bool) -> None:
    assert (is_gits(path), is_planted(path)) == (gits, planted)


@pytest.mark.parametrize(
    ("path", "looked_at"),
    [
        (".git", True),
        (".git/commondir", True),
        (".git/config", True),
        (".git/config.worktree", True),
        (".git/hooks/pre-commit", True),
        (".git/hooks/inner/x", True),
        (".git/info/attributes", True),
        (".git/info/exclude", True),
        (".git/info/grafts", True),
        (".git/info/refs", False),
        (".git/rebase-merge/git-rebase-todo", True),
        (".git/rebase-merge/strategy", True),
        (".git/sequencer/opts", True),
        (".git/sequencer/todo", False),
        (".git/rebase-merge/done", False),
        (".git/index", False),
        (".git/HEAD", False),
        (".git/worktrees", False),
        (".git/worktrees/w/commondir", True),
        (".git/worktrees/w/gitdir", True),
        (".git/worktrees/w/index", False),
        (".git/worktrees/w/rebase-merge/git-rebase-todo", True),
        (".git/modules/lib/config", True),
        (".git/modules/a/b/hooks/pre-commit", True),
        (".git/modules/a/b/objects/x", False),
        (".git/modules/new/config", False),
        ("src/.git", True),
        ("src/.git/HEAD", True),
        ("src/.git/config", False),
        ("src/a.py", False),
    ],
)
def test_what_is_looked_at(path: str, looked_at: bool) -> None:
    assert is_looked_at(path, MODULES) is looked_at


@pytest.mark.parametrize(
    ("path", "watched"),
    [
        (".git", True),
        (".git/hooks", True),
        (".git/info", True),
        (".git/rebase-merge", True),
        (".git/worktrees", True),
        (".git/worktrees/w", True),
        (".git/worktrees/w/rebase-merge", True),
        (".git/worktrees/w/logs", False),
        (".git/modules", False),
        (".git/modules/new", False),
        (".git/modules/lib", True),
        (".git/modules/lib/hooks", True),
        (".git/objects", False),
        ("src/.git", True),
        ("src/.git/objects", False),
        ("src", False),
    ],
)
def test_what_is_looked_into(path: str, watched: bool) -> None:
    assert is_watched(path, MODULES) is watched


@pytest.mark.parametrize(
    ("path", "raw", "neutral"),
    [
        (".git/commondir", b".\n", True),
        (".git/commondir", NEUTRAL[COMMON].encode(), True),
        (".git/commondir", b"/p/.git", True),
        (".git/commondir", b"../.git/\n", True),
        (".git/commondir", b"", False),  # git reads nothing any more
        (".git/commondir", b"\n", False),
        (".git/commondir", b"../evil/.git\n", False),
        (".git/commondir", b".\n/evil", False),
        (".git/worktrees/w/commondir", b"../..\n", True),
        (".git/worktrees/w/commondir", b"/p/.git\n", True),
        (".git/worktrees/w/commondir", b".\n", False),
        (".git/worktrees/w/commondir", b"../../../evil\n", False),
        (".git/modules/lib/commondir", b".\n", True),
        (".git/modules/lib/commondir", b"../..\n", False),
        (".git/worktrees/w/gitdir", b"/w/.git\n", True),
        (".git/gitdir", b"/w/.git\n", False),
        (".git/config.worktree", b"", True),
        (".git/config.worktree", b"[core]\nfsmonitor = x\n", False),
        (".git/info/attributes", b" \n", True),
        (".git/info/exclude", b"*\n", False),
        (".git/info/exclude", b"\n" + with_excluded("", ["/.mcp.json"]).encode(), True),
        (".git/info/exclude", with_excluded("", ["/src/"]).encode(), False),
        (".git/info/grafts", b"", False),
        (".git/config", b"", False),
        (".git/hooks/pre-commit", b"", False),
        (".git/rebase-merge/git-rebase-todo", b"pick 1 x\nlabel exec\n", True),
        (".git/rebase-merge/git-rebase-todo", b"pick 1 exec x\n", True),
        (".git/rebase-merge/git-rebase-todo", b"pick 1\nexec make\n", False),
        (".git/worktrees/w/rebase-merge/git-rebase-todo", b" x\tmake\n", False),
        (".git/rebase-merge/strategy", b"ort\n", True),
        (".git/rebase-merge/strategy", b"../evil\n", False),
        (".git/sequencer/opts", b"[options]\n\tmainline = 1\n", True),
        (".git/sequencer/opts", b"[options]\n\tstrategy = ../evil\n", False),
        ("src/.git/HEAD", b"ref: refs/heads/x\n", False),
        (".git", b"gitdir: /p/x\n", False),
    ],
)
def test_by_what_git_does_not_go(path: str, raw: bytes, neutral: bool) -> None:
    assert is_neutral(path, raw, "/p", MODULES) is neutral
