"""git says nothing of the clients' settings that teamops makes, and of a person's own it does."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.domain.client_files import EXCLUDE, FILES
from teamops.effects.confine import Means, confined
from teamops.effects.recipe import Recipe
from teamops.model.errors import TeamopsError
from teamops.model.role import Role

BOTH = Means("/usr/bin/bwrap", 7, ())


def git(folder: Path, *words: str) -> str:
    own = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(own, cwd=folder, check=True, capture_output=True, text=True).stdout


def start(folder: Path, root: Path, role: str = "CODER", cwd: Path | None = None) -> Recipe:
    (root / "teamops.toml").write_text(f"[roles.{role}]\ncommand = 'x'\nenv = {{ HOME = '{folder}' }}\n")
    settings = load(root)
    own = settings.role(Role(role))
    assert own is not None
    own = replace(own, cwd=cwd or root)
    done = confined(settings, own, folder / "s" / "p-1", Recipe(argv=("x",), env={}), having=BOTH)
    done.recipe.write()
    return done.recipe


def shown(root: Path) -> set[str]:
    return {line[3:] for line in git(root, "status", "--short", "-uall").splitlines()}


@pytest.mark.parametrize("within", ["", "apps/a [b] #c"])
def test_what_is_made_is_not_in_git_status(within: str, tmp_path: Path) -> None:
    root = tmp_path / "p" / within
    root.mkdir(parents=True)
    git(tmp_path / "p", "init", "-q")
    exclude = tmp_path / "p" / ".git" / EXCLUDE
    exclude.write_text("*.own")
    start(tmp_path, root)
    assert all((root / name).is_file() for name in FILES)
    assert not {name for name in shown(tmp_path / "p") if any(part in name for part in ("mcp", "opencode"))}
    before = exclude.read_text()
    assert before.startswith("*.own\n")
    start(tmp_path, root)
    assert exclude.read_text() == before
    (root / ".mcp.json").write_text("{}\n")
    start(tmp_path, root)
    assert {Path(name.strip('"')).name for name in shown(tmp_path / "p")} & set(FILES) == {".mcp.json"}
    for name in FILES:
        (root / name).unlink()
    (root / "opencode.json").symlink_to("/dev/null")
    start(tmp_path, root, "REVIEWER")  # it can't make them, so none are made
    assert exclude.read_text() == "*.own\n"


def test_a_linked_work_tree_s_are_not_either(tmp_path: Path) -> None:
    root, tree = tmp_path / "p", tmp_path / "w"
    root.mkdir()
    git(root, "init", "-q")
    git(root, "commit", "-q", "--allow-empty", "-m", "one")
    git(root, "worktree", "add", "-q", str(tree))
    start(tmp_path, root, cwd=tree)
    assert all((tree / name).is_file() for name in FILES)
    assert not {name for name in (*shown(tree), *shown(root)) if any(part in name for part in ("mcp", "opencode"))}


def test_without_git_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    assert start(tmp_path, tmp_path / "p").excluded == {}


def test_an_exclude_file_that_can_t_be_written_is_said(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    git(root, "init", "-q")
    exclude = root / ".git" / EXCLUDE
    exclude.unlink()
    exclude.mkdir()
    with pytest.raises(TeamopsError, match="can't write"):
        start(tmp_path, root)
    os.rmdir(exclude)  # noqa: PTH106 - so that git can be asked again
