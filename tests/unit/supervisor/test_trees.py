"""Which work trees are watched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.sources.clock import Clock
from teamops.supervisor.trees import watched_trees
from tests.unit.supervisor.life import Life

TOML = '[roles.DIRECTOR]\n[roles.CODER]\ncwd = "{}"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with a folder, another repository below, and a folder beside it."""
    for folder in ("p/src", "p/wt/coder/src", "own"):
        (tmp_path / folder).mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(tmp_path / "p" / "wt" / "coder")], check=True)
    return tmp_path / "p"


@pytest.mark.parametrize(
    ("cwd", "watched"),
    [
        ("src", ["p"]),
        ("wt", ["p"]),
        ("wt/coder", ["p", "p/wt/coder"]),  # who watches the project leaves other repositories out
        ("wt/coder/src", ["p", "p/wt/coder/src"]),
        ("../own", ["p", "own"]),
        ("../gone", ["p"]),
    ],
)
async def test_an_agent_s_own_repository_below_the_project_is_watched_too(
    root: Path, cwd: str, watched: list[str]
) -> None:
    above = root.parent
    (root / "teamops.toml").write_text(TOML.format(cwd))
    found = watched_trees(Life(above / "life").core, load(root), above / "state", Clock())
    assert found is not None
    assert [str(each.relative_to(above)) for each in found._roots] == watched
