"""What a hook costs that judges a tool call, over a bare interpreter; and a start's trial of its boundary."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.figures import Figure
from teamops.config.load import load
from teamops.effects.canary import tried
from teamops.effects.confine import confined
from teamops.effects.launch import recipe
from teamops.effects.policies import light_now, write_policies
from teamops.effects.recipe import entry
from teamops.guard import holds
from teamops.model.check import Check

RUNS = 25
ROLES = ("DIRECTOR", "DEVELOPER", "CODER", "REVIEWER", "OPTIMIZER", "PARTNER")
BLOCK = "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: in progress\n**Turn**: DEVELOPER\n**Tier**: 2\n**Task**: t\n"
CALLS = {
    "an edit": ("DEVELOPER", "Edit", {"file_path": "src/a.py", "old_string": "a", "new_string": "b"}),
    "a refused edit": ("REVIEWER", "Edit", {"file_path": "src/a.py", "old_string": "a", "new_string": "b"}),
    "a shell line": ("DEVELOPER", "Bash", {"command": "cd src && git diff --stat | head -5; cat a.py > ../b.txt"}),
    "a line that moves files": (
        "DEVELOPER",
        "Bash",
        {"command": "timeout 5 find src -name '*.pyc' -exec rm {} + && mv -v src/a.py src/b.py && git rm -q src/*.txt"},
    ),
    "reading": ("REVIEWER", "Read", {"file_path": "src/a.py"}),
}


def judging() -> Iterable[Figure]:
    """A hook that judges a call, beside a bare interpreter: each time the least of many, as the machine is shared."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "p").resolve()
        state = Path(folder, "state").resolve()
        (root / "src").mkdir(parents=True)
        (root / "src" / "a.py").write_text("a\n")
        (root / "current.md").write_text(BLOCK)
        (root / "teamops.toml").write_text("".join(f"[roles.{role}]\n" for role in ROLES))
        settings = load(root)
        write_policies(settings, state)
        holds.prepare(str(state))
        (state / "light.json").write_text(light_now(settings.handoff, ()))
        bare = _least([sys.executable, "-I", "-S", "-c", "pass"], "", {})
        for what, (role, tool, given) in CALLS.items():
            line = entry("PreToolUse", holds.path_of(str(state), role), "claude")
            told = {"hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": given, "cwd": str(root)}
            env = {"TEAMOPS_ROLE": role, "TEAMOPS_PROJECT": str(root), "PATH": "/usr/bin:/bin"}
            took = _least(["/bin/sh", "-c", line], json.dumps(told), env)
            yield Figure(
                what=f"a hook judges {what}",
                measured=(took - bare) * 1000,
                promise=30,
                unit="ms",
                note=f"over a bare interpreter, {bare * 1000:.1f} ms; with its shells; least of {RUNS}",
            )


def trying() -> Iterable[Figure]:
    """What a start takes longer because it tries its boundary: kernel and hook, the least of some."""
    with tempfile.TemporaryDirectory() as folder:
        root, state = Path(folder, "p").resolve(), Path(folder, "state").resolve() / "p-1"
        root.mkdir()
        (root / "current.md").write_text(BLOCK)
        commands = {"claude": "claude", "codex": "codex", "opencode": "opencode", "a program of one's own": "sleep 9"}
        (root / "teamops.toml").write_text(
            "".join(
                f'[roles.{role}]\ncommand = "{line}"\n' for role, line in zip(ROLES, commands.values(), strict=False)
            )
        )
        settings = load(root)
        write_policies(settings, state)
        holds.prepare(str(state))
        for role, what in zip(settings.roles, commands, strict=True):
            done = confined(settings, role, state, recipe(role, root, state), prepare=False)
            done.recipe.write()
            took: list[float] = []
            checks: tuple[Check, ...] = ()
            for _ in range(RUNS):
                begun = time.perf_counter()
                checks = tried(settings, role, state, done)
                took.append(time.perf_counter() - begun)
            words = ", ".join(f"{check.layer} {check.word}" for check in checks)
            yield Figure(
                what=f"a start tries the boundary of {what}",
                measured=min(took) * 1000,
                promise=150,
                unit="ms",
                note=f"{words}; least of {RUNS}, median {sorted(took)[RUNS // 2] * 1000:.0f} ms",
            )


def _least(words: list[str], told: str, env: dict[str, str]) -> float:
    took = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        subprocess.run(words, input=told, text=True, env=env, capture_output=True, check=False)
        took.append(time.perf_counter() - begun)
    return min(took)
