"""The hook as the four clients run it: their own input, our very line; and a hook that is broken blocks."""

from __future__ import annotations

import json
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from teamops.config.boundary import compiled_in
from teamops.config.load import load
from teamops.effects.policies import light_now, write_policies
from teamops.effects.recipe import entry
from teamops.guard import holds, policy
from teamops.model.role import role_of

SAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parent / "samples" / "before_tool.jsonl").read_text("utf-8").splitlines()
]
BLOCK = """### [DIRECTOR] 2026-03-28 14:30

**Status**: in progress
**Turn**: {}
**Tier**: 2
**Task**: t

#### For Coder
Build `src/a.py`.
"""
READS = {"Read", "read"}


class Team:
    """A project whose state folder holds what its hooks ask."""

    def __init__(self, project: Path, state: Path) -> None:
        self.project, self.state = project, state
        write_policies(load(project), state)
        holds.prepare(str(state))

    def turn(self, role: str, *, kept: bool = True) -> None:
        """Give the light to ``role``; ``kept``: the supervisor has seen it."""
        settings = load(self.project)
        settings.handoff.write_text(BLOCK.format(role), encoding="utf-8")
        if kept:
            (self.state / "light.json").write_text(light_now(settings.handoff, ()), encoding="utf-8")

    def line(self, role: str, event: str, client: str) -> str:
        return entry(event, holds.path_of(str(self.state), role), client)

    def ask(self, role: str, client: str, told: object, line: str = "") -> subprocess.CompletedProcess[str]:
        event = str(told["hook_event_name"]) if isinstance(told, dict) else "PreToolUse"
        text = told if isinstance(told, str) else json.dumps(told).replace("/home/ann/projects/p1", str(self.project))
        env = {"TEAMOPS_ROLE": role, "TEAMOPS_PROJECT": str(self.project), "PATH": os.environ["PATH"]}
        words = ["sh", "-c", line or self.line(role, event, client)]
        return subprocess.run(
            words, input=text, env=env, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )

    def rows(self, role: str) -> list[dict[str, Any]]:
        path = self.project / ".teamops" / "spool" / role / "hooks.jsonl"
        return [json.loads(row) for row in path.read_text("utf-8").splitlines()]


@pytest.fixture
def team(project: Path, tmp_path: Path) -> Team:
    return Team(project, tmp_path / "state")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample['client']}-{sample['told']['tool_name']}")
def test_each_client_s_call_is_judged_told_and_recorded(team: Team, sample: dict[str, Any]) -> None:
    client, told = sample["client"], sample["told"]
    reads = told["tool_name"] in READS
    team.turn("REVIEWER")
    done = team.ask("REVIEWER", client, told)
    assert done.returncode == (0 if reads else 2), done.stderr
    if not reads:
        assert "it is not among what REVIEWER may change (rule write.allow)" in done.stderr
        assert "report it in your block (teamops append); DEVELOPER or CODER" in done.stderr
    (row,) = team.rows("REVIEWER")
    assert row["verdict"] == ("allow" if reads else "deny")
    assert row["hook"] == (told["hook_event_name"] if reads else "Denied")
    assert (row["rule"], row["about"]) == (("reading", told["tool_name"]) if reads else ("write.allow", row["about"]))
    assert reads or row["about"] in {"src/a.py", "src/b.py"}
    team.turn("DEVELOPER")
    done = team.ask("DEVELOPER", client, told)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert team.rows("DEVELOPER")[0]["verdict"] == "allow"
    assert team.ask("REVIEWER", client, told).returncode == (0 if reads else 2)
    assert reads == ("rule light" not in team.ask("REVIEWER", client, told).stderr)


def edit(path: str) -> dict[str, Any]:
    given = {"file_path": path, "old_string": "one", "new_string": "two"}
    return {"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": given, "cwd": "/home/ann/projects/p1"}


def test_the_light_is_read_anew_where_nobody_has_kept_it(team: Team) -> None:
    team.turn("DEVELOPER")
    team.turn("CODER", kept=False)  # what is kept is of another file
    assert team.ask("DEVELOPER", "claude", edit("src/a.py")).returncode == 2
    assert team.ask("CODER", "claude", edit("src/a.py")).returncode == 0
    (team.state / "light.json").write_text("garbage")
    assert team.ask("CODER", "claude", edit("src/a.py")).returncode == 0
    (team.project / "teamops.toml").write_text("broken = [")
    done = team.ask("CODER", "claude", edit("src/a.py"))
    assert done.returncode == 2
    assert "whose turn it is can't be said" in done.stderr


@pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
def test_a_file_that_no_block_names_is_told_of_and_let_through(team: Team, client: str) -> None:
    team.turn("CODER")
    assert team.ask("CODER", client, edit("src/a.py")).stdout == ""
    done = team.ask("CODER", client, edit("src/b.py"))
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert "no block of the task names it" in said["systemMessage"]
    assert ("hookSpecificOutput" in said) == (client == "claude")
    assert [row["verdict"] for row in team.rows("CODER")] == ["allow", "warn"]


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        ("no policy", "can't be opened"),
        ("cut", "can't be read"),
        ("other version", "none that this teamops knows"),
        ("a part is missing", "check failed (KeyError"),
        ("link", "can't be opened"),
        ("folder", "can't be"),
        ("no project", "can't be looked at"),
    ],
)
def test_whatever_is_wrong_with_the_policy_nothing_is_let_through(team: Team, break_it: str, says: str) -> None:
    team.turn("DEVELOPER")
    path = Path(policy.path_of(str(team.state), "DEVELOPER"))
    text = path.read_text("utf-8")
    told = json.loads(text)
    path.unlink()
    if break_it == "cut":
        path.write_text(text[:-9])
    elif break_it == "other version":
        path.write_text(json.dumps({**told, "v": 2}))
    elif break_it == "a part is missing":
        del told["deny"]
        path.write_text(json.dumps(told))
    elif break_it == "link":
        (team.state / "other").write_text(text)
        path.symlink_to(team.state / "other")
    elif break_it == "folder":
        path.mkdir()
    elif break_it == "no project":
        path.write_text(json.dumps({**told, "roots": ["/nowhere"]}))
    done = team.ask("DEVELOPER", "claude", edit("src/a.py"))
    assert done.returncode == 2
    assert says in done.stderr
    assert "tell the person who runs teamops" in done.stderr


@pytest.mark.parametrize("told", ["", "{", "[]", '{"tool_name": 7}', "\x00", '{"tool_name":"Edit"}', "[" * 9000])
def test_a_call_that_can_t_be_read_is_not_let_through(team: Team, told: str) -> None:
    team.turn("DEVELOPER")
    done = team.ask("DEVELOPER", "claude", told)
    assert done.returncode == 2
    assert done.stderr.startswith("teamops: ")


MUTANTS = {
    "crashes": "raise RuntimeError('x')",
    "ends with 1": "import os; os._exit(1)",
    "is killed": "import os; os.kill(os.getpid(), 9)",
    "says nothing": "import os; os._exit(0)",
    "prints garbage": 'print(\'{"permissionDecision": "allow"\'); import os; os._exit(0)',
    "allows in the client's words": 'print(\'{"decision":"approve"}\'); import os; os._exit(0)',
    "is no Python": "def (",
    "lacks its door": "x = 1",
    "hangs": "import time\nwhile True: time.sleep(1)",
    "runs in circles": "while True: pass",
}


SLOW = {"hangs", "runs in circles"}
BROKEN = [
    (mutant, client) for mutant in MUTANTS for client in ("claude", "codex", "gemini")[: 1 if mutant in SLOW else 3]
]


@pytest.mark.parametrize(("mutant", "client"), BROKEN)
def test_a_hook_that_is_broken_blocks(team: Team, tmp_path: Path, mutant: str, client: str) -> None:
    package = tmp_path / "broken" / "teamops" / "guard"
    package.mkdir(parents=True)
    (package / "hook.py").write_text(MUTANTS[mutant])
    root = str(Path(policy.__file__).parents[2])
    line = team.line("DEVELOPER", "PreToolUse", client).replace(
        f" {root} PreToolUse", f" {tmp_path / 'broken'} PreToolUse"
    )
    assert str(tmp_path / "broken") in line
    team.turn("DEVELOPER")
    begun = time.monotonic()
    done = team.ask("DEVELOPER", client, edit("src/a.py"), line)
    assert done.returncode == 2
    assert "its hook failed" in done.stderr
    assert done.stdout == ""
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("gone", ["python", "package"])
def test_a_hook_that_is_missing_blocks(team: Team, gone: str) -> None:
    team.turn("DEVELOPER")
    line = team.line("DEVELOPER", "PreToolUse", "claude")
    assert team.ask("DEVELOPER", "claude", edit("src/a.py"), line).returncode == 0
    what = sys.executable if gone == "python" else str(Path(policy.__file__).parents[2])
    broken = line.replace(f" {what} ", " /nowhere/at/all ")
    assert broken != line
    assert team.ask("DEVELOPER", "claude", edit("src/a.py"), broken).returncode == 2


def test_judging_costs_less_than_30_ms_over_a_bare_interpreter(team: Team) -> None:
    """By CPU time, each beside its own yardstick, as the machine may be busy; `make bench` looks at the clock."""
    team.turn("DEVELOPER")

    def cpu(line: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert team.ask("DEVELOPER", "claude", edit("src/a.py"), line).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    judging, bare = (
        team.line("DEVELOPER", "PreToolUse", "claude"),
        shlex.join([sys.executable, "-I", "-S", "-c", "pass"]),
    )
    pairs = [(cpu(judging), cpu(bare)) for _ in range(10)]
    ours, theirs = (min(costs) for costs in zip(*pairs, strict=True))
    assert ours - theirs < 0.030, f"{(ours - theirs) * 1000:.1f} ms"


def test_a_role_without_a_profile_has_no_boundary(team: Team) -> None:
    settings = load(team.project)
    own = settings.role(role_of("CODER"))
    assert own is not None
    told = compiled_in(settings, own, team.state)
    assert "unruled" not in told
    Path(policy.path_of(str(team.state), "CODER")).write_text(json.dumps({"v": 1, "role": "CODER", "unruled": True}))
    assert team.ask("CODER", "claude", edit("/etc/passwd")).returncode == 0
