"""A project with its agents in a private tmux server, in a folder that goes away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TEAM = ("DIRECTOR", "DEVELOPER", "CODER", "REVIEWER", "OPTIMIZER", "PARTNER")
TEAMOPS = (sys.executable, "-m", "teamops")
_IDLE = "exec sleep 86400"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is."""

    folder: Path
    env: dict[str, str] = field(repr=False)

    @property
    def root(self) -> Path:
        """The project."""
        return self.folder / "project"

    @property
    def handoff(self) -> Path:
        """The handoff file."""
        return self.root / "current.md"

    def tmux(self, *words: str) -> str:
        """Run a tmux command on the private server."""
        done = subprocess.run(
            ["tmux", "-S", str(self.folder / "s"), "-f", "/dev/null", *words],
            env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        return done.stdout

    def pids(self) -> dict[str, int]:
        """Return each session's process."""
        rows = (
            line.split() for line in self.tmux("list-panes", "-a", "-F", "#{session_name} #{pane_pid}").splitlines()
        )
        return {name: int(pid) for name, pid in rows}


@contextmanager
def team(
    roles: Sequence[str] = TEAM, handoff: bytes | None = None, client: str = "command", command: str = _IDLE
) -> Iterator[Stage]:
    """Start idle agents; ``handoff`` is the file's content, else one block that gives DEVELOPER the light."""
    folder = Path(tempfile.mkdtemp(prefix="tb-", dir="/tmp"))  # short: it holds a socket
    gone = (
        "TMUX", "TMUX_PANE", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "CLAUDE_CONFIG_DIR", "CODEX_HOME",
        "PYTHONDONTWRITEBYTECODE",  # with it every start would compile what an installation has compiled
    )  # fmt: skip
    env = {name: value for name, value in os.environ.items() if name not in gone}
    env |= {
        "HOME": str(folder / "home"), "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "home"),
        "XDG_DATA_HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home"),
        "XDG_RUNTIME_DIR": str(folder / "home"), "TEAMOPS_STATE_DIR": str(folder / "state"),
        "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "SHELL": "/bin/sh",
    }  # fmt: skip
    stage = Stage(folder, env)
    try:
        for name in ("home", "state", "project"):
            (folder / name).mkdir(mode=0o700)
        stage.handoff.write_bytes(block("DEVELOPER", "first-task").encode() if handoff is None else handoff)
        (stage.root / "teamops.toml").write_text(_configuration(stage, roles, client), encoding="utf-8")
        for role in roles:
            stage.tmux("new-session", "-d", "-x", "100", "-y", "30", "-s", f"bench-{role.lower()}", command)
            if role == roles[0]:
                stage.tmux("set-option", "-g", "remain-on-exit", "on")
        stage.tmux("set-option", "-g", "remain-on-exit", "on")
        yield stage
    finally:
        if (folder / "s").exists():
            subprocess.run(["tmux", "-S", str(folder / "s"), "kill-server"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(stage: Stage, roles: Sequence[str], client: str) -> str:
    # What is measured is the screen: what a poke costs is tmux's and the client's.
    lines = ['project = "bench"', "[poke]", "auto = false"]
    lines += ["[tmux]", f"socket_path = {json.dumps(str(stage.folder / 's'))}"]
    for role in roles:
        lines += [f"[roles.{role}]", f"client = {json.dumps(client)}"]
        lines += [f"command = {json.dumps(_IDLE.removeprefix('exec '))}"]
    return "\n".join(lines) + "\n"


def block(
    turn: str, task: str, body: str = "Did the work.", minute: int = 0, *, tier: int = 2, status: str = "done"
) -> str:
    """Return a block of the protocol."""
    return (
        f"### [DIRECTOR] 2026-03-{1 + minute // 1440 % 28:02d} {minute // 60 % 24:02d}:{minute % 60:02d}\n\n"
        f"**Status**: {status}\n**Turn**: {turn}\n**Tier**: {tier}\n**Task**: {task}\n\n"
        f"#### What I Did\n{body}\n\n#### For {turn.capitalize()}\nGo on.\n\n"
    )


def long_handoff(size: int) -> bytes:
    """Return at least ``size`` bytes of blocks that keep the rules, all but the last task closed."""
    body = "\n".join(
        f"- point {number}: `src/module_{number}.py` reads its input once and says why" for number in range(30)
    )
    blocks: list[str] = []
    length = 0
    while length < size:
        number = len(blocks)
        turn, status = ("NONE", "withdrawn") if number % 2 else ("DIRECTOR", "in progress")
        blocks.append(block(turn, f"task-{number // 2}", body, number, tier=1, status=status))
        length += len(blocks[-1])
    blocks.append(block("DEVELOPER", "last-task", body, len(blocks)))
    return "".join(blocks).encode()
