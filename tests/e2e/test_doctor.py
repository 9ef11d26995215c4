"""``teamops doctor``, and what a start tries, through the real command line; on a tmux server of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from teamops.effects.confine import CONFINED
from tests.e2e.test_team import Team, until

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[stop]
grace_s = "1s"

[roles.REVIEWER]
command = "{bin}/claude"
"""
CLIENT = '#!/bin/sh\nif [ "$1" = --version ]; then echo "2.1.330 (Claude Code)"; exit; fi\nexec sleep 300\n'
OFF = '{"disableAllHooks": true}'


class Tried(Team):
    """A team of one reviewer, whose client only waits."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        client = folder / "bin" / "claude"
        client.parent.mkdir()
        client.write_text(CLIENT)
        client.chmod(0o755)
        (self.root / "src").mkdir()
        (self.root / "current.md").write_text("")
        self.toml = TOML.format(bin=client.parent)
        self.configure()

    def configure(self, more: str = "") -> None:
        (self.root / "teamops.toml").write_text(self.toml + more)

    def doctor(self, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words("doctor", *words),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, **(env or {})},
        )

    def status(self) -> dict[str, Any]:
        done = subprocess.run(self.words("status", "--json"), capture_output=True, text=True, timeout=60, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def up(self, code: int) -> dict[str, str]:
        done = subprocess.run(self.words("up", "--json"), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        row: dict[str, str] = json.loads(done.stdout)["agents"][0]
        return row


@pytest.fixture
def team(short_dir: Path) -> Iterator[Tried]:
    made = Tried(short_dir)
    yield made
    made.tmux("kill-server")


def turn_hooks_off() -> Path:
    """Have an administrator's settings turn the hooks of a start off, as the client keeps them at home."""
    path = Path(os.environ["HOME"]) / ".claude" / "remote-settings.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(OFF)
    return path


def test_a_person_sees_a_table_and_a_program_the_same(team: Tried) -> None:
    done = team.doctor()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "machine and project"
    assert "REVIEWER" in lines
    assert lines[-1] == "nothing is broken; all of it was tried"
    assert any(line.split()[:2] == ["hook", "works"] and "claude 2.1.330" in line for line in lines)
    told = json.loads(team.doctor("--json").stdout)
    assert (told["schema"], told["ok"], told["quick"]) == ("teamops.doctor/1", True, False)
    assert {row["layer"] for row in told["machine"]} >= {"python", "tmux", "git", "handoff", "disk", "clock", "inotify"}
    (role,) = told["roles"]
    assert [(row["layer"], row["word"]) for row in role["layers"]] == [
        ("kernel", "works"),
        ("hook", "works"),
        ("budget hold", "works"),
        ("audit", "works"),
        ("git commit", "not supported"),
    ]
    assert not team.state.exists()  # nothing was ever remembered here, and nothing is now
    assert sorted(path.name for path in team.root.iterdir()) == ["current.md", "src", "teamops.toml"]


def test_one_role_alone_and_wrong_use(team: Tried) -> None:
    told = json.loads(team.doctor("--role", "reviewer", "--quick", "--json").stdout)
    assert [row["layer"] for row in told["machine"]] == ["teamops.toml"]
    assert [row["layer"] for row in told["roles"][0]["layers"]] == ["kernel", "hook"]
    done = team.doctor("--role", "CODER")
    assert (done.returncode, done.stdout) == (2, "")
    assert "roles: REVIEWER" in done.stderr
    done = team.doctor(env={CONFINED: "REVIEWER"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "a terminal of your own" in done.stderr


def test_a_broken_configuration_is_a_row(team: Tried) -> None:
    (team.root / "teamops.toml").write_text("projet = 1\n")
    done = team.doctor()
    assert done.returncode == 1
    assert "teamops.toml  BROKEN" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 BROKEN: teamops.toml"


def test_what_teamops_stands_on_is_looked_at(team: Tried) -> None:
    (team.root / "current.md").write_bytes(b"### [DIRECTOR] 2026-03-28 14:30\n\n**Turn**: NOBODY\n")
    (team.root / "teamops.toml").write_text(team.toml.replace("/claude", "/gone/claude"))
    os.utime(team.root / "current.md", (4e9, 4e9))
    done = team.doctor(env={"PATH": "/nowhere"})
    lines = [line for line in done.stdout.splitlines() if line.startswith("  ") and line[2] != " "]
    rows = {line[2:].partition("  ")[0]: line for line in lines}
    assert done.returncode == 1
    for part in ("tmux", "handoff", "clock", "claude"):
        assert "BROKEN" in rows[part], done.stdout
    assert "off" in rows["git"]
    assert "works" in rows["audit"]


def test_a_ledger_that_is_damaged_is_a_row(team: Tried) -> None:
    assert team.up(0)["result"] == "started"
    (ledger,) = team.state.glob("*/ledger.sqlite3")
    for path in ledger.parent.glob("ledger.sqlite3-*"):
        path.unlink()
    ledger.write_bytes(b"no ledger" * 1000)
    done = team.doctor("--quick")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 BROKEN: ledger"


@pytest.mark.parametrize(
    ("where", "text", "says"),
    [
        ("hook.py", "def main(words: list[str]) -> int:\n    raise RuntimeError('x')\n", "refuses what is allowed"),
        ("hook.py", "def main(words: list[str]) -> int:\n    print('{'); return 0\n", "refuses what is allowed"),
        ("recipe.py", "_LOOK = 'exit 0 # '\n", "lets through what is forbidden"),
        ("recipe.py", "_LOOK = 'o=$(\"$@\"); exit 1 # '\n", "refuses what is allowed"),
        ("confine.py", "def restrict(*words: object) -> None: pass\n", "lets through what is forbidden"),
        ("confine.py", "def restrict(*words: object) -> None: raise LandlockError('x')\n", "nothing starts in it"),
    ],
    ids=["hook crashes", "hook prints garbage", "nothing is asked", "the look fails", "no Landlock", "Landlock fails"],
)
def test_a_teamops_that_is_broken_says_so(team: Tried, short_dir: Path, where: str, text: str, says: str) -> None:
    """Each fault is put into a copy of teamops: what runs at the agents' hands is that copy."""
    package = Path(__file__).parents[2] / "teamops"
    copy = short_dir / "broken" / "teamops"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(package.parent / "profiles", copy.parent / "profiles")
    path = copy / ("effects" if where == "recipe.py" else "guard") / where
    own = path.read_text("utf-8")
    at = own.rindex('\nif __name__ == "__main__":') if where != "recipe.py" else len(own)
    path.write_text(f"{own[:at]}\n{text}{own[at:]}", "utf-8")
    words = [sys.executable, "-P", "-m", *team.words("doctor", "--json", "--quick")[2:]]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(copy.parent)},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [row for row in json.loads(done.stdout)["roles"][0]["layers"] if row["word"] == "BROKEN"]
    assert any(says in row["why"] for row in broken), broken


def test_a_boundary_that_is_broken_is_an_alert_until_a_trial_finds_it_well(team: Tried) -> None:
    settings = turn_hooks_off()
    row = team.up(0)
    assert row["result"] == "started"
    assert "its boundary is BROKEN: hook lets through what is forbidden" in row["message"]
    assert "disableAllHooks" in row["message"]
    watcher = subprocess.Popen(team.words("watch"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:

        def alert() -> dict[str, Any] | None:
            told = team.status()
            if told["supervisor"]["pid"] != watcher.pid:
                return None  # nobody acts yet: this is a viewer's own judgement
            rows = [row for row in told["alerts"] if row["code"] == "boundary-broken" and row["state"] != "resolved"]
            return rows[0] if rows else None

        until("the alert", lambda: (alert() or {}).get("state") == "firing")
        told = alert()
        assert told is not None
        assert (told["severity"], told["agent"]) == ("critical", "REVIEWER")
        assert "disableAllHooks" in told["message"]
        assert "teamops doctor --role REVIEWER" in told["do"]
        assert team.doctor("--quick").returncode == 1
        settings.unlink()
        assert team.doctor("--role", "REVIEWER").returncode == 0
        until("its end", lambda: alert() is None)
    finally:
        watcher.terminate()
        watcher.wait(timeout=20)


def test_strict_starts_no_agent_whose_boundary_is_broken(team: Tried) -> None:
    settings = turn_hooks_off()
    team.configure("\n[guard]\nstrict = true\n")
    row = team.up(1)
    assert row["result"] == "failed"
    assert "REVIEWER is not started: guard.strict is set, and hook lets through what is forbidden" in row["message"]
    assert "teamops doctor --role REVIEWER" in row["do"]
    assert team.pids() == {}
    alerts = [one for one in team.status()["alerts"] if one["code"] == "boundary-broken"]
    assert len(alerts) == 1
    settings.unlink()
    assert team.up(0)["result"] == "started"
    assert [one for one in team.status()["alerts"] if one["code"] == "boundary-broken"] == []


def test_strict_leaves_running_what_it_would_not_start_again(team: Tried) -> None:
    assert team.up(0)["result"] == "started"
    first = team.pids()
    turn_hooks_off()
    team.configure("\n[guard]\nstrict = true\n")
    done = subprocess.run(team.words("restart", "REVIEWER", "--yes"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "guard.strict is set" in done.stdout + done.stderr
    assert team.pids() == first


def test_strict_starts_no_agent_that_nothing_can_hold(team: Tried) -> None:
    team.toml = team.toml.replace('/claude"', '/claude"\nclient = "command"') + '\n[sandbox]\nmode = "off"\n'
    team.configure()
    assert team.up(0)["result"] == "started"
    subprocess.run(team.words("down", "--yes"), capture_output=True, check=True)
    team.configure("\n[guard]\nstrict = true\n")
    row = team.up(1)
    assert "nothing can hold its boundary here: kernel: sandbox.mode is off; hook: " in row["message"]
    assert team.pids() == {}
