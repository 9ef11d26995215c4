"""``teamops append`` beside real sessions: who is next is poked once, by the supervisor that acts or by us."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.handoff import parse
from teamops.supervisor.lease import Lease, state_dir_of
from tests.tmux.private import PrivateTmux, private_tmux, until

pytestmark = [pytest.mark.tmux]

OPENED = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: in progress
**Turn**: CODER
**Tier**: 2
**Task**: login

#### For Coder
Build it.
"""
GATES = "runs=pass (pytest -q: 3 passed); correct=pass (tried it); complete=pass (docs, tests)"
HAND_ON = (
    "--role",
    "CODER",
    "--status",
    "done",
    "--turn",
    "DIRECTOR",
    "--gates",
    GATES,
    "--section",
    "For Director=Look",
)


class Project:
    def __init__(self, folder: Path, tmux: PrivateTmux) -> None:
        self.root, self.state, self.tmux = folder / "p", folder / "state", tmux
        self.root.mkdir()
        (self.root / "current.md").write_text(OPENED)
        self.configure()

    def configure(self, more: str = "") -> None:
        (self.root / "teamops.toml").write_text(
            f'project = "shop"\n{more}\n[tmux]\nsocket_path = "{self.tmux.socket.path}"\n[notify]\ndesktop = false\n'
            '[roles.DIRECTOR]\nclient = "command"\n[roles.CODER]\nclient = "command"\n'
        )

    def append(self, *words: str) -> tuple[dict[str, object], str]:
        done = subprocess.run(
            [sys.executable, "-m", "teamops", "append", "--json", *words, "-C", self.root, "--state-dir", self.state],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout), done.stderr


@pytest.fixture
def project(short_dir: Path) -> Iterator[Project]:
    with private_tmux(short_dir) as tmux:
        tmux.new("shop-director")
        tmux.new("shop-coder")
        yield Project(short_dir, tmux)


async def test_who_is_next_is_poked_where_nobody_acts(project: Project) -> None:
    said, err = project.append(*HAND_ON)
    assert isinstance(said["announced"], dict)
    assert (said["announced"]["how"], err) == ("poked", "")
    await until("the poke", lambda: "It is your turn" in project.tmux.screen("shop-director"))
    assert "login" in project.tmux.screen("shop-director")
    assert "It is your turn" not in project.tmux.screen("shop-coder")


def test_the_supervisor_that_acts_pokes(project: Project) -> None:
    lease = Lease(state_dir_of(load(project.root), project.state))
    assert lease.acquire(1.7e9)
    try:
        said, _ = project.append(*HAND_ON)
    finally:
        lease.release()
    assert isinstance(said["announced"], dict)
    assert said["announced"]["how"] == "supervisor"
    assert str(said["announced"]["message"]).endswith(") pokes it")
    assert "It is your turn" not in project.tmux.screen("shop-director")


def test_the_supervisor_that_acts_pokes_who_does_not_run_later(project: Project) -> None:
    project.tmux("kill-session", "-t", "=shop-director")
    lease = Lease(state_dir_of(load(project.root), project.state))
    assert lease.acquire(1.7e9)
    try:
        said, _ = project.append(*HAND_ON)
    finally:
        lease.release()
    assert isinstance(said["announced"], dict)
    assert said["announced"]["how"] == "supervisor"
    assert str(said["announced"]["message"]).endswith(
        " pokes it when it runs: there is no agent in its session shop-director now"
    )


@pytest.mark.parametrize("more", ["poke.auto = false", ""])
def test_nobody_is_poked_where_it_is_switched_off(project: Project, more: str) -> None:
    project.configure(more)
    if not more:
        toml = project.root / "teamops.toml"
        toml.write_text(toml.read_text().replace("[roles.DIRECTOR]\n", "[roles.DIRECTOR]\nauto_poke = false\n"))
    said, _ = project.append(*HAND_ON)
    assert isinstance(said["announced"], dict)
    assert said["announced"]["how"] == "off"
    assert "It is your turn" not in project.tmux.screen("shop-director")
    assert not project.state.exists()


def test_a_block_stands_though_nobody_can_be_poked(project: Project) -> None:
    project.tmux("kill-session", "-t", "=shop-director")
    said, _ = project.append(*HAND_ON)
    assert isinstance(said["announced"], dict)
    assert said["announced"]["how"] == "failed"
    assert "DIRECTOR has the light" in str(said["announced"]["message"])
    assert len(parse((project.root / "current.md").read_bytes()).blocks) == 2


async def test_inside_tmux_the_session_is_noted(project: Project) -> None:
    command = [sys.executable, "-m", "teamops", "append", *HAND_ON, "-C", str(project.root)]
    script = project.root.parent / "go.sh"
    script.write_text(f"exec {' '.join(repr(word) for word in command)} --state-dir {project.state} </dev/null")
    project.configure("poke.auto = false")
    project.tmux.new("mine", f"exec sh {script}")
    await until("the block", lambda: len(parse((project.root / "current.md").read_bytes()).blocks) == 2)
    assert parse((project.root / "current.md").read_bytes()).blocks[1].fields["Session"] == "mine"
