"""The demo's agents really behave, and go when they should: real processes in a real, private tmux."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from teamops import handoff
from teamops.demo.console import PROMPT
from teamops.demo.folder import parent_folder
from teamops.demo.script import story_of
from teamops.demo.stories import LEFT_OPEN
from teamops.demo.team import DemoTeam, start_team
from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block
from teamops.model.role import AGENT_ROLES, DIRECTOR, HUMAN, NONE, Role
from teamops.usage.claude import ClaudeReader
from teamops.usage.locate import read_session
from teamops.usage.locate import transcript as locate_transcript

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

DEADLINE_S = 60.0
"""For a busy machine; on an idle one each of these waits is over within seconds."""
MOST_MEMORY = 30 * 1024 * 1024

Seen = TypeVar("Seen")

KINDS = [
    ("input", "input_tokens"),
    ("output", "output_tokens"),
    ("cache_write", "cache_creation_input_tokens"),
    ("cache_read", "cache_read_input_tokens"),
]

OWNER = """
import sys, time
from teamops.demo.stories import LEFT_OPEN
from teamops.demo.team import start_team
with start_team(pace=50) as team:
    print(team.folder, flush=True)
    time.sleep(600)
"""


def wait_for(what: str, look: Callable[[], Seen], seconds: float = DEADLINE_S) -> Seen:
    """Return the first true answer of ``look``."""
    deadline = time.monotonic() + seconds
    while True:
        if seen := look():
            return seen
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def own_folder(short_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this test's demos apart from all others', also in the processes that it starts.

    ``tmp_path`` is asked for first: pytest puts its own folders where the temporary folder is at that moment.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(short_dir))
    monkeypatch.setenv("TMPDIR", str(short_dir))


def tmux(team: DemoTeam, *words: str) -> str:
    done = subprocess.run(
        ["tmux", "-S", str(team.socket), *words], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout


def blocks(team: DemoTeam) -> tuple[Block, ...]:
    return handoff.parse((team.root / "current.md").read_bytes()).blocks


def of_demo(team: DemoTeam) -> list[Block]:
    """The blocks that this demo's agents opened and wrote, without the sample's."""
    return [block for block in blocks(team) if story_of(block.task) not in {None, LEFT_OPEN}]


def pane(role: Role) -> str:
    return f"=demo-{role.lower()}:"


def pid_of(team: DemoTeam, role: Role) -> int:
    return int(tmux(team, "display-message", "-p", "-t", pane(role), "#{pane_pid}"))


def screen(team: DemoTeam, role: Role) -> str:
    return tmux(team, "capture-pane", "-p", "-t", pane(role))


def poke(team: DemoTeam, role: Role, text: str) -> None:
    tmux(team, "send-keys", "-l", "-t", pane(role), "--", text)
    tmux(team, "send-keys", "-t", pane(role), "Enter")


def status(team: DemoTeam, role: Role) -> dict[str, Any]:
    """What the agent's status file says; nothing before there is one."""
    path = team.claude_dir / "sessions" / f"{pid_of(team, role)}.json"
    row: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {"status": "none yet"}
    return row


def transcript(team: DemoTeam, role: Role) -> list[dict[str, Any]]:
    session = status(team, role)["sessionId"]
    (path,) = team.claude_dir.glob(f"projects/*/{session}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def closed_task(team: DemoTeam, tier: int) -> list[Block]:
    """The blocks of the first task of that tier that a story of the pipeline tells and that is closed."""
    told = [block for block in of_demo(team) if (story := story_of(block.task)) is not None and not story.consults]
    closed = next((block.task for block in told if block.turn == NONE and block.tier == tier), None)
    return [block for block in told if closed is not None and block.task == closed]


def agents_of(folder: Path) -> list[psutil.Process]:
    """All living processes that a demo's folder stands in the command line of, or that are its tmux server."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if str(folder) in words and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def test_the_light_moves_through_a_whole_tier_2_task() -> None:
    with start_team(pace=50) as team:
        task = wait_for("a closed task of tier 2", lambda: closed_task(team, 2))
        story = story_of(task[0].task)
        assert story is not None
        assert [block.role for block in task] == [DIRECTOR, DIRECTOR, story.worker, DIRECTOR]
        assert [block.turn for block in task] == [DIRECTOR, story.worker, DIRECTOR, NONE]
        assert task[-1].gates is not None
        assert handoff.parse((team.root / "current.md").read_bytes()).problems == ()


def test_all_six_work_and_are_small() -> None:
    with start_team(pace=50) as team:
        wait_for("a block of each role", lambda: {block.role for block in of_demo(team)} >= set(AGENT_ROLES), 120)
        for role in AGENT_ROLES:
            assert psutil.Process(pid_of(team, role)).memory_info().rss < MOST_MEMORY, role
            spool = team.root / ".teamops" / "spool" / role
            assert any(file.stat().st_size for file in spool.glob("*.jsonl")), role


def test_a_team_that_is_poked_at_every_light_breaks_no_rule() -> None:
    said: set[tuple[str | None, str]] = set()
    with start_team(pace=50) as team:

        def everybody_wrote() -> bool:
            for task in read(blocks(team), Limits()).tasks:
                if task.turn in AGENT_ROLES and (task.task, task.since_digest) not in said:
                    said.add((task.task, task.since_digest))
                    poke(team, task.turn, f"current.md line {task.since_line}: your turn")
            return {block.role for block in of_demo(team)} >= set(AGENT_ROLES)

        wait_for("a block of each role", everybody_wrote, 120)
        assert len(said) > len(AGENT_ROLES)
        assert read(blocks(team), Limits()).findings == ()


def test_something_moves_within_ten_seconds_at_the_usual_pace() -> None:
    with start_team() as team:
        wait_for("a tool call on a screen", lambda: any("⎿" in screen(team, role) for role in AGENT_ROLES), 10)


def test_each_response_is_written_as_the_real_client_writes_it() -> None:
    with start_team(pace=50) as team:
        wait_for("a closed task", lambda: closed_task(team, 1) or closed_task(team, 2))
        rows = [row for row in transcript(team, DIRECTOR) if row["type"] == "assistant"]
        by_id: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_id.setdefault(row["message"]["id"], []).append(row)
        assert len(by_id) < len(rows), "several lines per response, as the real one has"
        for lines in by_id.values():
            assert len({line["requestId"] for line in lines}) == 1
            assert all(line["message"]["usage"] == lines[0]["message"]["usage"] for line in lines)
        row = status(team, DIRECTOR)
        assert row["status"] in {"busy", "idle"}
        assert row["cwd"] == str(team.root.resolve())


def test_the_reader_of_transcripts_counts_what_the_agents_used() -> None:
    with start_team(pace=50) as team:
        wait_for("a closed task", lambda: closed_task(team, 1) or closed_task(team, 2))
        for role in AGENT_ROLES:
            tmux(team, "kill-session", "-t", pane(role).removesuffix(":"))
        wait_for("the agents' end", lambda: not list((team.claude_dir / "sessions").glob("*.json")))
        files = list(team.claude_dir.glob("projects/*/*.jsonl"))
        assert files
        for file in files:
            lines = file.read_bytes().splitlines()
            rows = [row for line in lines if (row := json.loads(line))["type"] == "assistant"]
            expected = {row["message"]["id"]: row["message"]["usage"] for row in rows}
            reading = ClaudeReader().read(lines)
            assert reading.bad_lines == 0
            tokens = [usage.tokens for usage in reading.usages]
            assert len(tokens) == len(expected) <= len(rows)
            for kind, name in KINDS:
                assert sum(getattr(one, kind) for one in tokens) == sum(usage[name] for usage in expected.values()), (
                    kind
                )


def test_the_finder_of_sessions_finds_an_agent() -> None:
    with start_team() as team:
        role = AGENT_ROLES[-1]
        wait_for("its name", lambda: "simulated agent" in screen(team, role))
        wait_for("its status", lambda: status(team, role)["status"] == "idle")
        pid = pid_of(team, role)
        session = read_session(team.claude_dir / "sessions" / f"{pid}.json")
        assert session is not None
        assert (session.pid, session.cwd) == (pid, str(team.root.resolve()))
        poke(team, role, "hello")
        wait_for("its transcript", locate_transcript(team.claude_dir, session).exists)


def test_a_poke_is_heard() -> None:
    with start_team() as team:
        role = AGENT_ROLES[-1]
        wait_for("the prompt", lambda: "simulated agent" in screen(team, role))
        words = "what; about $(this) 'and' #{that}?"
        poke(team, role, words)
        wait_for("a reaction", lambda: re.search(r"● (Thank you|On it)", screen(team, role)))
        assert f"{PROMPT} {words}" in screen(team, role)
        assert any(row["message"]["content"] == words for row in transcript(team, role) if row["type"] == "user")


def test_a_draft_is_erased_by_ctrl_u() -> None:
    with start_team() as team:
        role = AGENT_ROLES[-1]
        wait_for("the prompt", lambda: "simulated agent" in screen(team, role))
        tmux(team, "send-keys", "-l", "-t", pane(role), "half a thou")
        wait_for("the draft", lambda: f"{PROMPT} half a thou" in screen(team, role))
        tmux(team, "send-keys", "-t", pane(role), "C-u")
        poke(team, role, "whole")
        wait_for("a reaction", lambda: f"{PROMPT} whole" in screen(team, role))
        assert "half" not in screen(team, role)


def test_a_sleeping_agent_ignores_its_turn_until_it_is_woken() -> None:
    with start_team(pace=50) as team:
        wait_for("work", lambda: of_demo(team))
        poke(team, DIRECTOR, "sleep")
        wait_for("sleep", lambda: "until I hear" in screen(team, DIRECTOR))

        def nobody_else_has_a_turn() -> bool:
            lights = {block.task: block.turn for block in blocks(team) if block.turn is not None}
            return set(lights.values()) <= {DIRECTOR, NONE, HUMAN}

        written = sum(block.role == DIRECTOR for block in blocks(team))
        wait_for("the team waits", nobody_else_has_a_turn)
        assert sum(block.role == DIRECTOR for block in blocks(team)) == written
        assert status(team, DIRECTOR)["status"] == "idle"
        poke(team, DIRECTOR, "wake")
        wait_for("work", lambda: sum(block.role == DIRECTOR for block in blocks(team)) > written)


def test_a_dialog_waits_for_its_person() -> None:
    with start_team(pace=50) as team:
        poke(team, DIRECTOR, "dialog")
        row = wait_for("the dialog", lambda: (now := status(team, DIRECTOR))["status"] == "waiting" and now)
        assert "git push" in row["waitingFor"]
        poke(team, DIRECTOR, "1")
        wait_for("the answer", lambda: status(team, DIRECTOR)["status"] != "waiting")


def test_an_agent_that_was_killed_takes_its_turn_after_a_restart() -> None:
    with start_team(pace=50) as team:
        wait_for("work", lambda: status(team, DIRECTOR)["status"] == "busy")
        before = pid_of(team, DIRECTOR)
        os.kill(before, signal.SIGKILL)
        wait_for(
            "its death", lambda: tmux(team, "display-message", "-p", "-t", pane(DIRECTOR), "#{pane_dead}") == "1\n"
        )
        tmux(team, "respawn-pane", "-k", "-t", pane(DIRECTOR))
        assert pid_of(team, DIRECTOR) != before
        wait_for("a closed task", lambda: closed_task(team, 1) or closed_task(team, 2))


def test_a_person_may_give_the_light_by_hand() -> None:
    with start_team(pace=50) as team:
        with (team.root / "current.md").open("a") as file:
            file.write(
                "\n### [HUMAN] 2026-03-28 14:30\n\n**Status**: open\n**Turn**: CODER\n**Tier**: 2\n**Task**: mine\n"
            )

        def answered() -> list[Role | None]:
            return [block.turn for block in blocks(team) if block.task == "mine" and block.role != "HUMAN"]

        wait_for("its end", lambda: answered() == [DIRECTOR, NONE])


def test_an_agent_that_is_told_to_end_says_so() -> None:
    with start_team() as team:
        role = AGENT_ROLES[-1]
        wait_for("the prompt", lambda: "simulated agent" in screen(team, role))
        pid = pid_of(team, role)
        os.kill(pid, signal.SIGTERM)
        wait_for("its end", lambda: tmux(team, "display-message", "-p", "-t", pane(role), "#{pane_dead}") == "1\n")
        assert not (team.claude_dir / "sessions" / f"{pid}.json").exists()
        (spool,) = (team.root / ".teamops" / "spool" / role).glob("*.jsonl")
        assert json.loads(spool.read_text().splitlines()[-1])["kind"] == "shutdown"


def test_nothing_of_the_persons_reaches_the_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    (Path.home() / ".tmux.conf").write_text("set -g status-left 'the person'\nset -g remain-on-exit off\n")
    with start_team() as team:
        for role in AGENT_ROLES:
            env = psutil.Process(pid_of(team, role)).environ()
            assert "ANTHROPIC_API_KEY" not in env
            assert env["HOME"].startswith(str(team.folder))
            assert (env["TEAMOPS_ROLE"], env["TEAMOPS_PROJECT"]) == (role, str(team.root))
        assert "the person" not in tmux(team, "show-options", "-g", "status-left")
        assert "ANTHROPIC_API_KEY" not in tmux(team, "show-environment", "-g")


def test_a_demo_that_ends_leaves_nothing() -> None:
    with start_team(pace=50) as team:
        wait_for("work", lambda: of_demo(team))
    assert not team.folder.exists()
    wait_for("all processes' end", lambda: not agents_of(team.folder), 10)


def test_two_demos_do_not_disturb_each_other() -> None:
    with start_team(pace=50) as stays:
        with start_team(pace=50) as goes:
            assert stays.folder != goes.folder
            wait_for("work in both", lambda: of_demo(stays) and of_demo(goes))
        assert not goes.folder.exists()
        seen = len(of_demo(stays))
        wait_for("work in the other", lambda: len(of_demo(stays)) > seen)
        assert {pid_of(stays, role) for role in AGENT_ROLES} <= {process.pid for process in agents_of(stays.folder)}


@contextmanager
def owner(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A demo in another process; its folder."""
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_killed_owner_takes_everything_with_it(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, folder):
        assert len(agents_of(folder)) >= len(AGENT_ROLES) + 2  # and the server, and who waits for the owner's end
        process.kill()
        process.wait()
        wait_for("the folder's end", lambda: not folder.exists(), 20)
        wait_for("all processes' end", lambda: not agents_of(folder), 20)


def test_agents_notice_for_themselves_that_their_owner_is_gone(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, folder):
        (reaper,) = [one for one in agents_of(folder) if "teamops.demo.reaper" in one.cmdline()]
        reaper.kill()
        process.kill()
        process.wait()
        wait_for("all processes' end", lambda: not agents_of(folder), 20)
        assert not folder.exists()


def test_the_next_start_sweeps_what_nobody_was_left_to_clear(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, folder):
        alive = agents_of(folder)
        server = [one for one in alive if "-S" in one.cmdline()]
        assert len(server) == 1
        for one in [one for one in alive if one not in server]:
            one.kill()
        process.kill()
        process.wait()
        assert server[0].is_running()
        assert folder.exists()
        with start_team():
            assert not folder.exists()
            assert agents_of(folder) == []


def test_a_demo_without_tmux_names_the_line_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TeamopsError, match="tmux") as caught, start_team():
        pass
    assert "install" in caught.value.hint
    assert not list(parent_folder().glob("team-*"))
