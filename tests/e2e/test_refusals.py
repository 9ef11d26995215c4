"""What a client's hook refuses, from the real hook to the ledger and to whoever asks."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from teamops.config.load import load
from teamops.effects.policies import write_policies
from teamops.effects.recipe import entry_words
from teamops.guard import holds
from teamops.ledger.store import open_ledger
from teamops.model.role import REVIEWER
from teamops.supervisor.lease import state_dir_of

TOML = """\
project = "shop"
[tmux]
socket_path = "s"
[notify]
desktop = false
[roles.REVIEWER]
"""
BLOCK = "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: in progress\n**Turn**: REVIEWER\n**Tier**: 3\n**Task**: login\n"
DEADLINE_S = 30.0


class Project:
    """A project whose REVIEWER holds the light, and whose agent is a hook that is asked."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "p", folder / "state"
        self.root.mkdir()
        (self.root / "teamops.toml").write_text(TOML, encoding="utf-8")
        (self.root / "current.md").write_text(BLOCK, encoding="utf-8")
        settings = load(self.root)
        self.folder = state_dir_of(settings, self.state)
        holds.prepare(str(self.folder))
        write_policies(settings, self.folder)
        self.asked = 0
        self.gate = holds.path_of(str(self.folder), REVIEWER)

    def ask(self, path: str, event: str = "PreToolUse") -> subprocess.CompletedProcess[str]:
        """Let the client ask whether it may write ``path``."""
        told: dict[str, object] = {
            "hook_event_name": event,
            "cwd": str(self.root),
            "tool_name": "Write",
            "session_id": "s",
        }
        if event == "PreToolUse":
            told["tool_input"] = {"file_path": str(self.root / path), "content": "x"}
        env = {"PATH": "/usr/bin:/bin", "TEAMOPS_ROLE": "REVIEWER", "TEAMOPS_PROJECT": str(self.root)}
        words = entry_words(event, self.gate, "claude")
        given = json.dumps(told)
        self.asked += 1
        return subprocess.run(words, input=given, env=env, capture_output=True, text=True, timeout=30, check=False)

    def words(self, *words: str) -> list[str]:
        where = ["-C", str(self.root), "--state-dir", str(self.state)]
        return [sys.executable, "-m", "teamops", *words, *where]

    def status(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            self.words("status", *words, "--json"), capture_output=True, text=True, timeout=60, check=True
        )
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def boundary(self) -> dict[str, Any]:
        (found,) = [agent["boundary"] for agent in self.status()["agents"] if agent["role"] == "REVIEWER"]
        told: dict[str, Any] = found
        return told

    def stored(self) -> list[tuple[str, str, str]]:
        with closing(open_ledger(self.folder / "ledger.sqlite3")) as ledger:
            rows = ledger._connection.execute("SELECT verdict, rule, about FROM decision ORDER BY id")
            return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


@pytest.fixture
def project(short_dir: Path) -> Iterator[Project]:
    made = Project(short_dir)
    yield made
    subprocess.run(["tmux", "-S", str(made.root / "s"), "kill-server"], capture_output=True, check=False)


def test_what_a_hook_decides_is_recorded_once_and_told(project: Project) -> None:
    denied = project.ask("src/a.py")
    assert (denied.returncode, project.ask("reviews/a.md").returncode) == (2, 0)
    holds.hold(str(project.folder), "REVIEWER", "held: $5.00 of $5.00", 1.0)
    assert project.ask("reviews/b.md").returncode == 2
    assert project.ask("", "UserPromptSubmit").returncode == 2
    expected = [
        ("deny", "write.allow", "src/a.py"),
        ("allow", 'write.allow "/reviews/"', "reviews/a.md"),
        ("deny", "held", "Write"),
        ("deny", "held", "Write"),
    ]
    # Nobody acts: it is told, and not stored.
    boundary = project.boundary()
    assert boundary["blocked_today"] == 3
    last = boundary["last_blocked"]
    assert (last["rule"], last["about"], last["why"]) == ("held", "Write", "held: $5.00 of $5.00")
    told = project.status("REVIEWER")
    assert [one["rule"] for one in told["refused"]] == ["held", "held", "write.allow"]
    assert told["refused"][-1]["why"] in denied.stderr
    assert project.stored() == []
    for _ in range(2):  # the second life reads on where the first has stopped
        watch = subprocess.Popen(project.words("watch"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            end = time.monotonic() + DEADLINE_S
            while len(project.stored()) < len(expected):
                assert watch.poll() is None, watch.communicate()[1]
                assert time.monotonic() < end, project.stored()
                time.sleep(0.05)
            assert project.boundary()["blocked_today"] == 3
        finally:
            watch.kill()
            watch.communicate()
        assert project.stored() == expected
    assert project.status("REVIEWER")["refused"][0]["times"] == 2


def test_a_refusal_is_news_to_who_watches(project: Project) -> None:
    watch = subprocess.Popen(project.words("status", "--watch", "--json"), stdout=subprocess.PIPE, text=True)
    assert watch.stdout is not None
    ender = threading.Timer(DEADLINE_S, watch.kill)
    ender.start()
    try:
        blocked = 0
        for line in watch.stdout:
            (blocked,) = [
                agent["boundary"]["blocked_today"]
                for agent in json.loads(line)["agents"]
                if agent["role"] == "REVIEWER"
            ]
            if blocked:
                break
            if not project.asked:
                project.ask("src/a.py")
        assert blocked == 1, "the watch ended before it told of the refusal"
    finally:
        ender.cancel()
        watch.kill()
        watch.communicate()
