"""A project with the shipped profiles, and the policies that its agents' hooks would have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from teamops.config.boundary import compiled_in
from teamops.config.load import load
from teamops.guard.decide import decide
from teamops.guard.judge import Decision, Light
from teamops.model.role import role_of

TOML = """
[roles.DIRECTOR]
[roles.DEVELOPER]
[roles.CODER]
[roles.REVIEWER]
[roles.OPTIMIZER]
[roles.PARTNER]
"""
HELD = Light(held=True, tiers=(2,), named=("src/a.py", "docs/"))
Ask = Callable[..., Decision]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with some files."""
    root = tmp_path / "shop"
    for name in ("src/a.py", "src/b.py", "docs/api.md", "docs/design/x.md", "reviews/one.md", "research/r.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("one\ntwo\nthree\n")
    (root / ".git" / "hooks").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "current.md").write_text("")
    (root / "teamops.toml").write_text(TOML)
    return root


@pytest.fixture
def policy(project: Path, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Give the policy of a role, as it is stored."""

    def made(role: str) -> dict[str, Any]:
        settings = load(project)
        own = settings.role(role_of(role))
        assert own is not None
        told: dict[str, Any] = json.loads(json.dumps(compiled_in(settings, own, tmp_path / "state")))
        told["scratch"] = [folder for folder in told["scratch"] if not str(project).startswith(folder)]
        return told

    return made


@pytest.fixture
def ask(project: Path, policy: Callable[[str], dict[str, Any]]) -> Ask:
    """Give what is decided about a tool call of a role, which holds the light unless another one is given."""

    def asked(role: str, tool: str, light: Light = HELD, folder: str = "", **given: object) -> Decision:
        return decide(policy(role), tool, given, folder or str(project), light)

    return asked
