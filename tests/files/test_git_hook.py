"""git's pre-commit hook in real repositories, by real commits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects.git_hook import NAME, command, install, is_ours
from teamops.effects.policies import light_now, write_policies
from teamops.model.errors import TeamopsError
from teamops.supervisor.lease import state_dir_of

BLOCK = "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: in progress\n**Turn**: {}\n**Tier**: 2\n**Task**: t\n"
TOML = "[roles.DIRECTOR]\n[roles.CODER]\n[roles.REVIEWER]\n[roles.OPTIMIZER]\n"


class Repo:
    def __init__(self, folder: Path) -> None:
        self.root, self.base = folder / "p", folder / "state"
        (self.root / "src").mkdir(parents=True)
        (self.root / "reviews").mkdir()
        (self.root / "src" / "a.py").write_text("1\n")
        (self.root / ".gitignore").write_text("current.md\n")
        (self.root / "teamops.toml").write_text(TOML)
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "first")
        self.state = state_dir_of(load(self.root), self.base)

    def git(self, *words: str, role: str = "", code: int = 0, cwd: Path | None = None) -> str:
        env = {**os.environ, "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t.example", "GIT_COMMITTER_NAME": "t"}
        env |= {"GIT_COMMITTER_EMAIL": "t@t.example", **({"TEAMOPS_ROLE": role} if role else {})}
        done = subprocess.run(
            ["git", *words], cwd=cwd or self.root, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def turn(self, role: str) -> None:
        (self.root / "current.md").write_text(BLOCK.format(role))
        settings = load(self.root)
        write_policies(settings, self.state)
        (self.state / "light.json").write_text(light_now(settings.handoff, ()))

    def commit(self, role: str, change: Callable[[], object], code: int = 0) -> str:
        change()
        self.git("add", "-A")
        return self.git("commit", "-qm", "more", role=role, code=code)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path)
    made.turn("REVIEWER")
    install(made.root, made.state)
    return made


def test_a_role_commits_what_is_its_own_and_nothing_else(repo: Repo) -> None:
    repo.commit("REVIEWER", lambda: (repo.root / "reviews" / "one.md").write_text("fine\n"))
    said = repo.commit("REVIEWER", lambda: (repo.root / "src" / "a.py").write_text("2\n"), code=1)
    assert "deny src/a.py: it is not among what REVIEWER may change (rule write.allow)" in said
    assert "not committed: 1 of the staged changes are not REVIEWER's to make" in said
    assert len(repo.git("log", "--oneline").splitlines()) == 2
    repo.git("commit", "-qm", "the person's own")  # without a role it passes
    said = repo.commit("REVIEWER", (repo.root / "src" / "a.py").unlink, code=1)
    assert "src/a.py" in said


def test_no_light_no_commit(repo: Repo) -> None:
    repo.turn("CODER")
    said = repo.commit("REVIEWER", lambda: (repo.root / "reviews" / "one.md").write_text("fine\n"), code=1)
    assert "rule light" in said
    repo.git("rm", "-qf", "reviews/one.md")
    repo.commit("CODER", lambda: (repo.root / "src" / "a.py").write_text("2\n"))


def test_a_warning_is_said_and_lets_through(repo: Repo) -> None:
    repo.turn("CODER")
    said = repo.commit("CODER", lambda: (repo.root / "unnamed.py").write_text("2\n"))
    assert "warn unnamed.py: no block of the task names it" in said


def test_new_files_and_lines_of_an_optimizer(repo: Repo) -> None:
    repo.turn("OPTIMIZER")
    said = repo.commit("OPTIMIZER", lambda: (repo.root / "src" / "new.py").write_text("2\n"), code=1)
    assert "write.new_files" in said
    repo.git("rm", "-qf", "src/new.py")
    repo.commit("OPTIMIZER", lambda: (repo.root / "src" / "a.py").write_text("1\n" * 21))
    said = repo.commit("OPTIMIZER", lambda: (repo.root / "src" / "a.py").write_text("1\n" * 42), code=1)
    assert "would grow by 21 lines, and OPTIMIZER adds 20 at most" in said


def test_strange_names_and_protected_files(repo: Repo) -> None:
    repo.turn("CODER")
    name = "a b\n\x1b[31m'\u202e.py"
    said = repo.commit("CODER", lambda: (repo.root / name).write_text("x"))
    assert "\x1b" not in said
    said = repo.commit("CODER", lambda: (repo.root / "teamops.toml").write_text("\n"), code=1)
    assert "protected" in said


def test_what_can_t_be_judged_is_not_committed(repo: Repo) -> None:
    (repo.state / "policy" / "REVIEWER.json").unlink()
    said = repo.commit("REVIEWER", lambda: (repo.root / "reviews" / "one.md").write_text("x"), code=1)
    assert "not committed, because it can't be judged for REVIEWER" in said
    assert "can't be judged for ../X" in repo.git("commit", "-qm", "x", role="../x", code=1)


def test_at_the_first_commit(tmp_path: Path) -> None:
    made = Repo(tmp_path)
    made.turn("REVIEWER")
    top = tmp_path / "p"
    install(top, made.state)
    (top / ".git").rename(tmp_path / "old.git")
    made.git("init", "-q")
    install(top, made.state)
    made.git("add", "reviews", "src")
    said = made.git("commit", "-qm", "first", role="REVIEWER", code=1)
    assert "src/a.py" in said


def test_a_hook_that_is_there_is_never_touched(repo: Repo) -> None:
    path = repo.root / ".git" / "hooks" / NAME
    assert is_ours(path)
    assert "there already" in install(repo.root, repo.state)
    path.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(TeamopsError, match="a hook of yours") as said:
        install(repo.root, repo.state)
    assert f"{command(repo.state)} || exit 1" in said.value.hint
    assert path.read_text() == "#!/bin/sh\nexit 0\n"
    # The line does what it says, in the person's own hook.
    path.write_text(f"#!/bin/sh\n{command(repo.state)} || exit 1\nexit 0\n")
    repo.commit("REVIEWER", lambda: (repo.root / "src" / "a.py").write_text("2\n"), code=1)
    path.unlink()
    path.symlink_to("/nowhere")
    with pytest.raises(TeamopsError, match="a hook of yours"):
        install(repo.root, repo.state)


def test_an_old_one_of_ours_is_renewed(repo: Repo) -> None:
    path = repo.root / ".git" / "hooks" / NAME
    path.write_text(path.read_text().replace("exec ", "exec /gone/"))
    assert "renewed" in install(repo.root, repo.state)
    assert "/gone/" not in path.read_text()


def test_hooks_that_are_kept_elsewhere_are_left_alone(repo: Repo, tmp_path: Path) -> None:
    (repo.root / ".git" / "hooks" / NAME).unlink()
    (repo.root / ".husky").mkdir()
    repo.git("config", "core.hooksPath", ".husky")
    with pytest.raises(TeamopsError, match=r"core\.hooksPath") as said:
        install(repo.root, repo.state)
    assert str(repo.root / ".husky") in said.value.message
    assert not list((repo.root / ".husky").iterdir())
    repo.git("config", "core.hooksPath", ".git/hooks")
    assert "installed" in install(repo.root, repo.state)


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(TeamopsError, match="no git repository"):
        install(tmp_path, tmp_path / "state")


def test_the_commands(repo: Repo) -> None:
    def run(*words: str, role: str = "", code: int = 0) -> str:
        env = {**os.environ, **({"TEAMOPS_ROLE": role} if role else {})}
        done = subprocess.run(
            [sys.executable, "-m", "teamops", "guard", *words, "-C", str(repo.root), "--state-dir", str(repo.base)],
            env=env, capture_output=True, text=True, check=False, cwd=repo.root,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    (repo.root / ".git" / "hooks" / NAME).unlink()
    assert "installed" in run("install-git-hook", "--yes")
    assert "--yes" in run("install-git-hook", code=2)
    said = run("install-git-hook", "--yes", role="CODER", code=2)
    assert "install-git-hook is the person's, and this is CODER's shell" in said
    (repo.root / "src" / "a.py").write_text("2\n")
    repo.git("add", "-A")
    assert "src/a.py" in run("pre-commit", role="REVIEWER", code=1)
    assert run("pre-commit") == ""
