"""The project that a demo makes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from teamops import handoff
from teamops.config.load import load
from teamops.demo import team as teams
from teamops.demo.reading import Follower, entries
from teamops.demo.script import threads, turn_of
from teamops.demo.team import DemoTeam
from teamops.model.handoff import Block
from teamops.model.role import AGENT_ROLES, CODER


@pytest.fixture
def team(tmp_path: Path) -> DemoTeam:
    folder = tmp_path / "team-x"
    folder.mkdir()
    made = DemoTeam(
        folder=folder,
        root=folder / teams.PROJECT,
        state_dir=folder / "state",
        claude_dir=folder / "claude",
        socket=folder / "tmux",
    )
    teams._settle(made, pace=2.5, seed=7)
    return made


def test_the_configuration_is_one_that_is_accepted(team: DemoTeam) -> None:
    settings = load(team.root)
    assert settings.project == "demo"
    assert settings.tmux.socket_path == str(team.socket)
    assert (settings.spike.floor, settings.spike.ceiling) == (12_500, 50_000)  # a fast team runs not away
    assert [role.role for role in settings.roles] == list(AGENT_ROLES)
    for role in settings.roles:
        assert role.command[0] == sys.executable
        assert role.command[role.command.index("--role") + 1] == role.role
        assert role.command[role.command.index("--pace") + 1] == "2.5"
        assert role.env["CLAUDE_CONFIG_DIR"] == str(team.claude_dir)
        assert role.env["HOME"] == str(team.folder / "home")
        assert role.session == f"demo-{role.role.lower()}"


def test_thresholds_are_those_of_every_team(team: DemoTeam, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "teamops.toml").write_text('project = "bare"\n')
    assert load(team.root).limits == load(tmp_path / "bare").limits


def test_the_sample_is_as_fresh_as_if_it_had_been_written_now(team: DemoTeam) -> None:
    sample = handoff.parse(teams._sample().read_bytes())
    made = handoff.parse((team.root / "current.md").read_bytes())
    assert len(made.blocks) == len(sample.blocks) >= 30
    assert [problem.code for problem in made.problems] == [problem.code for problem in sample.problems]
    age = datetime.now() - times(made.blocks)[-1]  # noqa: DTZ005 - headings carry naive local times by the protocol
    assert 60 <= age.total_seconds() <= 240
    for later, (new, old) in enumerate(zip(times(made.blocks), times(sample.blocks), strict=True)):
        assert new - times(made.blocks)[0] == old - times(sample.blocks)[0], later


def times(blocks: Sequence[Block]) -> list[datetime]:
    return [block.at for block in blocks if block.at is not None]


def test_headings_of_another_day_move_and_all_else_stays() -> None:
    text = "### [CODER] 2026-03-26 10:48\n\nOn 2026-03-26 10:48 we met.\n\n### [DIRECTOR] 2026-03-27 00:10\n"
    moved = teams._as_of_today(text, datetime(2026, 11, 22, 12, 2))  # noqa: DTZ001 - as above
    assert moved == "### [CODER] 2026-11-21 22:38\n\nOn 2026-03-26 10:48 we met.\n\n### [DIRECTOR] 2026-11-22 12:00\n"
    assert teams._as_of_today("nothing to move") == "nothing to move"


def test_the_light_that_the_sample_leaves_on_is_carried_on(team: DemoTeam) -> None:
    thread = turn_of(CODER, threads(entries((team.root / "current.md").read_bytes())))
    assert thread is not None
    assert thread.task == "retry-ladder"


def test_keys_of_the_person_are_not_handed_on(team: DemoTeam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.setenv("TMUX", "/tmp/theirs,1,0")
    env = teams._environment(team)
    assert not {"ANTHROPIC_API_KEY", "TMUX", "XDG_STATE_HOME"} & set(env)
    assert env["PATH"] == os.environ["PATH"]


def test_a_follower_reads_what_was_appended_and_stands_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    follower = Follower(path)
    assert not follower.look()
    fields = "**Status**: open\n**Turn**: CODER\n**Tier**: 2\n**Task**: x\n"
    block = f"### [DIRECTOR] 2026-03-26 10:48\n\n{fields}\n#### For Coder\nDo it.\n"
    path.write_text(block)
    assert follower.look()
    assert not follower.look()
    assert [(thread.task, thread.holder) for thread in follower.tasks] == [("x", "CODER")]
    path.write_text(block + "\n" + block.replace(": CODER", ": NONE").replace("10:48", "10:49"))
    assert follower.look()
    assert [thread.holder for thread in follower.tasks] == ["NONE"]
    path.unlink()
    assert not follower.look()
    assert follower.tasks
