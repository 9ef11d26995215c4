"""What an agent that commits could plant in git's own folders, run for real: another's next git command tells.

Each attack is made once without a boundary, where a program of the agent's runs at the person's hands, and once within.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects.confine import means
from teamops.effects.ground import ground_of
from teamops.model.role import DEVELOPER
from tests.guard.yard import Yard, yard

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always")
PERSON = (
    "git status; echo x >> tracked; git add tracked; git -c user.name=t -c user.email=t@t commit --allow-empty -m x"
)
"""What a person, or another agent, does next."""
EVIL = """
printf '#!/bin/sh\\necho ran >> %s\\ncat\\n' "$MARK" > src/run; chmod +x src/run
git init -q src/evil; git -C src/evil config core.fsmonitor "$P/src/run"
cp src/run src/evil/.git/hooks/pre-commit
"""
"""A repository of the agent's own, by whose settings and hooks its program runs."""


@dataclass(frozen=True)
class Plant:
    name: str
    script: str
    where: str = "shop"
    """In which folder the next command is."""


PLANTS = (
    Plant("commondir", 'echo "$P/src/evil/.git" > .git/commondir'),
    Plant("commondir, in its place", 'rm -f .git/commondir; echo "$P/src/evil/.git" > c; mv -f c .git/commondir'),
    Plant("commondir, a link", 'echo "$P/src/evil/.git" > c; ln -sf ../c .git/commondir'),
    Plant(
        "commondir, git's folder moved",
        'mv .git g && cp -r g .git && rm -f .git/commondir && echo "$P/src/evil/.git" > .git/commondir',
    ),
    Plant("settings", 'git config core.fsmonitor "$P/src/run"'),
    Plant("a hook", "cp src/run .git/hooks/pre-commit"),
    Plant("settings of this work tree", "cp src/evil/.git/config .git/config.worktree"),
    Plant("another tree's settings", "cp src/evil/.git/config .git/worktrees/other/config.worktree", "home/other"),
    Plant("commondir of another work tree", 'echo "$P/src/evil/.git" > .git/worktrees/other/commondir', "home/other"),
    Plant(
        "another work tree's folder, moved",
        "mv .git/worktrees/other .git/o && cp -r .git/o .git/worktrees/other && "
        'echo "$P/src/evil/.git" > .git/worktrees/other/commondir',
        "home/other",
    ),
    Plant("a hook of a submodule", "cp src/run .git/modules/lib/hooks/pre-commit", "shop/lib"),
    Plant("commondir of a submodule", 'echo "$P/src/evil/.git" > .git/modules/lib/commondir', "shop/lib"),
    Plant("the submodules' folder, moved", "mv .git/modules m && cp -r m .git/modules && "
          "cp src/run .git/modules/lib/hooks/pre-commit", "shop/lib"),
    Plant("where a submodule's git is", 'echo "gitdir: $P/src/evil/.git" > lib/.git', "shop/lib"),
    Plant("what settings include", "cp src/evil/.git/config shared.gitconfig"),
    Plant("attributes", "echo 'tracked filter=run' > .git/info/attributes"),
)  # fmt: skip


class Held:
    """A yard with another work tree, a submodule, and settings that include a file of the project."""

    def __init__(self, made: Yard) -> None:
        self.yard = made
        self.mark = made.home / "ran"
        lib = made.base / "libsource"
        self.git("init", "-q", str(lib))
        self.git("commit", "-q", "--allow-empty", "-m", "lib", cwd=lib)
        made.write("shared.gitconfig", "")
        made.write("tracked", "1\n")
        self.git("config", "include.path", "../shared.gitconfig")
        self.git("config", "extensions.worktreeConfig", "true")
        self.git("config", "filter.run.clean", f"{made.project}/src/run")
        self.git("submodule", "-q", "add", str(lib), "lib")
        self.git("worktree", "add", "-q", str(made.home / "other"))
        (made.home / ".gitconfig").write_text('[protocol "file"]\nallow = always\n[user]\nname = a\nemail = a@b\n')

    def git(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run([*GIT, *words], cwd=cwd or self.yard.project, check=True, capture_output=True, text=True)
        return done.stdout

    def script(self, text: str) -> str:
        return f"MARK={self.mark}; {EVIL}({text})"

    def next_command(self, where: str) -> subprocess.CompletedProcess[bytes]:
        return self.yard.outside(f"cd {self.yard.base}/{where} && {PERSON}")


@pytest.fixture
def held() -> Iterator[Held]:
    assert means().bwrap, means().lacks
    assert means().landlock, means().lacks
    with yard(os.geteuid()) as made:
        yield Held(made)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_what_is_planted_runs_without_a_boundary(plant: Plant, held: Held) -> None:
    done = held.yard.outside(held.script(plant.script))
    held.mark.unlink(missing_ok=True)  # its own commands may have run it
    after = held.next_command(plant.where)
    assert held.mark.exists(), (done.stderr, after.stderr)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_what_is_planted_within_leads_nobody(plant: Plant, held: Held) -> None:
    done = held.yard.inside("DEVELOPER", f"{held.script(plant.script)}; echo held > src/control")
    assert (held.yard.project / "src" / "control").read_text() == "held\n", done.stderr
    after = held.next_command(plant.where)
    assert not held.mark.exists(), (done.stderr, after.stderr)
    assert after.returncode == 0 or "moved" in plant.name, after.stderr  # it may be gone


WORKS = """
set -e
git status; git log -1; git diff; git blame src/a.py
echo 1 > src/b.py; git add src/b.py; git commit -qm one
git branch aside; git checkout -q aside; echo 2 > src/c.py; git add src/c.py; git commit -qm two
git checkout -q -; git merge -q aside -m merged; git tag t
git checkout -qb topic HEAD~1; echo 3 > src/d.py; git add src/d.py; git commit -qm three; git rebase -q aside
GIT_SEQUENCE_EDITOR=: git rebase -q -i HEAD~1; git commit -q --amend -m four
git cherry-pick --allow-empty aside~1 || git cherry-pick --skip
echo 4 >> src/b.py; git stash -q; git stash pop -q; git checkout -q src/b.py; git reset -q --hard HEAD
git worktree add -q src/more; git -C src/more commit -q --allow-empty -m five; git worktree list
git worktree remove src/more; git worktree prune
git -C lib checkout -q HEAD; git submodule update; git submodule status
git -C lib commit -q --allow-empty -m six; git add lib; git commit -qm seven
git gc -q; git fsck
git clone -q . src/clone; rm -rf src/clone
echo done > src/done
"""


def test_git_goes_on_working_within(held: Held) -> None:
    held.git("add", "-A")
    held.git("commit", "-qm", "begin")
    done = held.yard.inside("DEVELOPER", WORKS)
    assert (held.yard.project / "src" / "done").exists(), done.stderr.decode()
    assert held.git("log", "--format=%s", "-1") == "seven\n"
    assert held.git("status", "--short").endswith("?? src/done\n")


def test_git_goes_on_working_in_a_work_tree_of_its_own(held: Held) -> None:
    other = held.yard.home / "other"
    script = (
        "set -e; echo 1 > src/b.py; git add -A; git commit -qm one; git checkout -qb more; echo 2 > src/b.py; "
        "git commit -qam two; git checkout -q other; git merge -q more; git stash list; git status"
    )
    done = held.yard.inside("DEVELOPER", script, cwd=other)
    assert held.git("log", "--format=%s", "-1", "other") == "two\n", done.stderr
    done = held.yard.inside(
        "DEVELOPER", held.script('cd "$P"; echo "$P/src/evil/.git" > .git/worktrees/other/commondir'), cwd=other
    )
    held.next_command("home/other")
    assert not held.mark.exists(), done.stderr


def test_what_is_made_to_be_held_changes_nothing_for_others(held: Held) -> None:
    """What git says is the same before and after."""
    held.yard.inside("REVIEWER", "true")  # the handoff file's lock is there
    asked = ("status", "worktree list", "submodule status", "log --oneline", "config --list", "fsck", "branch -a")
    before = [held.git(*line.split()) for line in asked]
    held.yard.inside("DEVELOPER", "true")
    made = held.yard.project / ".git" / "commondir"
    assert made.read_text() == "./\n"  # libgit2 takes a bare dot for no repository
    assert made.stat().st_mode & 0o444
    assert [held.git(*line.split()) for line in asked] == before
    made.write_text(f"{held.yard.project}/.git\n")  # a person's own stays
    held.yard.inside("DEVELOPER", "true")
    assert made.read_text() == f"{held.yard.project}/.git\n"


@pytest.mark.parametrize("inside", [False, True], ids=["without", "within"])
def test_a_folder_of_hooks_in_the_project(inside: bool, held: Held) -> None:
    held.yard.write(".githooks/README", "ours\n")
    held.git("config", "core.hooksPath", ".githooks")
    plant = held.script("cp src/run .githooks/pre-commit")
    done = held.yard.inside("DEVELOPER", plant) if inside else held.yard.outside(plant)
    held.next_command("shop")
    assert held.mark.exists() is not inside, done.stderr


def test_a_role_that_commits_nothing_reads_git_without_a_fault(held: Held) -> None:
    held.yard.write("src/a.py", "third = 3\n")
    (held.yard.project / "src" / "a.py").touch()  # git would like to write its index
    script = (
        "git status --short; git log --oneline -2; git diff --stat; git blame -s src/a.py; git show --stat; "
        "git ls-files src; git stash list; git worktree list; git submodule status"
    )
    done = held.yard.inside("REVIEWER", f"set -e; {script}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"M src/a.py" in done.stdout
    assert b"third = 3" in done.stdout


def test_what_is_around_a_repository(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(held.yard.project)
    role = settings.role(DEVELOPER)
    assert role is not None
    own = held.yard.project / ".git"
    seen = ground_of(settings, role, held.yard.state / "shop-1", ("true",))
    assert seen.git == (str(own),)
    assert seen.git_inner == (f"{own}/worktrees/other", f"{own}/modules/lib")
    assert seen.git_held == (f"{held.yard.project}/lib/.git", f"{held.yard.project}/shared.gitconfig")
    assert seen.git_unasked == ""
    monkeypatch.setenv("PATH", str(held.yard.base))
    assert "no program git" in ground_of(settings, role, held.yard.state / "shop-1", ("true",)).git_unasked
