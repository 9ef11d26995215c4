"""A team of simulated agents in a tmux server and a folder of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import teamops
from teamops.demo import reaper
from teamops.demo.folder import SOCKET, clear, make, parent_folder, sweep
from teamops.model.errors import TeamopsError
from teamops.model.role import AGENT_ROLES, Role
from teamops.tmux.lifecycle import create
from teamops.tmux.socket import Socket, tmux_program

PROJECT = "demo"
_HEADING = re.compile(r"^(### \[[A-Z]+\] )(\d{4}-\d\d-\d\d \d\d:\d\d)$", re.MULTILINE)
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TERMINFO", "PYTHONDONTWRITEBYTECODE")
"""What an agent needs of the person's environment; the rest, keys above all, is none of its business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTeam:
    """Where a running demo is."""

    folder: Path
    root: Path
    """The project."""
    state_dir: Path
    """For the supervisor's ledger and lease."""
    claude_dir: Path
    """What ``CLAUDE_CONFIG_DIR`` has to name for whoever reads the agents' transcripts."""
    socket: Path
    """The tmux server's."""


@contextmanager
def start_team(*, pace: float = 1.0, seed: int = 0) -> Iterator[DemoTeam]:
    """Start a team; end it and all that it left when the block is left.

    Where this process is killed instead, a small process that waits for just that clears away, and at the latest the
    next demo does. ``pace`` multiplies how quickly the agents act. Raises ``TeamopsError`` where tmux is missing or the
    folder can't be made.
    """
    tmux_program()  # names the line that installs a missing one, before anything is made
    parent = parent_folder()
    sweep(parent)
    try:
        folder, lock = make(parent)
    except OSError as error:
        raise TeamopsError(
            f"can't make a folder in {parent}: {error.strerror}", "free disk space, or set TMPDIR"
        ) from error
    team = DemoTeam(
        folder=folder,
        root=folder / PROJECT,
        state_dir=folder / "state",
        claude_dir=folder / "claude",
        socket=folder / SOCKET,
    )
    with ExitStack() as ends:
        # Read from below: clear away, give the lock back, see the process that waited for the lock end.
        watcher = reaper.start(folder, _environment(team))
        ends.callback(watcher.wait, timeout=10)
        ends.callback(os.close, lock)
        ends.callback(clear, folder)
        _settle(team, pace=pace, seed=seed)
        _launch(team, pace=pace, seed=seed)
        yield team


def _settle(team: DemoTeam, *, pace: float, seed: int) -> None:
    """Make the project."""
    for folder in (team.root, team.state_dir, team.claude_dir, team.folder / "home"):
        folder.mkdir(mode=0o700)
    (team.root / ".teamops").mkdir()
    (team.root / "current.md").write_text(_as_of_today(_sample().read_text(encoding="utf-8")), encoding="utf-8")
    (team.root / "teamops.toml").write_text(_configuration(team, pace=pace, seed=seed), encoding="utf-8")


def _sample() -> Path:
    """Return the shipped sample: inside an installed package, beside it in a checkout."""
    package = Path(teamops.__file__).parent
    inside = package / "sample_current.md"
    return inside if inside.is_file() else package.parent / "sample_current.md"


def _as_of_today(text: str, now: datetime | None = None) -> str:
    """Move the sample's headings so that its last block was written two minutes ago."""
    written = [datetime.fromisoformat(match[2]) for match in _HEADING.finditer(text)]  # naive by the protocol
    if not written:
        return text
    shift = (now or datetime.now()) - timedelta(minutes=2) - max(written)  # noqa: DTZ005 - see above

    def moved(match: re.Match[str]) -> str:
        return f"{match[1]}{datetime.fromisoformat(match[2]) + shift:%Y-%m-%d %H:%M}"

    return _HEADING.sub(moved, text)


def _configuration(team: DemoTeam, *, pace: float, seed: int) -> str:
    lines = [
        f"project = {json.dumps(PROJECT)}",
        "",
        "[tmux]",
        f"socket_path = {json.dumps(str(team.socket))}",
        "",
        "[sandbox]",  # nobody to be kept from anything, and its logs lie beside the project
        'mode = "off"',
        "",
        "[spike]",  # a faster team uses more a minute, honestly
        f"floor = {_by_pace(5_000, pace)}",
        f"ceiling = {_by_pace(20_000, pace)}",
    ]
    env = ", ".join(f"{name} = {json.dumps(value)}" for name, value in _environment(team).items())
    for role in AGENT_ROLES:
        lines += [
            "",
            f"[roles.{role}]",
            'client = "sdk"',
            f"session = {json.dumps(_session(role))}",
            f"command = {json.dumps(_command(team, role, pace=pace, seed=seed))}",
            f"env = {{ {env} }}",
        ]
    return "\n".join(lines) + "\n"


def _by_pace(tokens: int, pace: float) -> int:
    return min(10**9, int(tokens * max(1.0, pace)))


def _session(role: Role) -> str:
    return f"{PROJECT}-{role.lower()}"


def _command(team: DemoTeam, role: Role, *, pace: float, seed: int) -> list[str]:
    agent = [
        sys.executable,
        "-P",
        "-m",
        "teamops.demo.agent",
        "--role",
        role,
        "--handoff",
        str(team.root / "current.md"),
    ]
    return [*agent, "--pace", str(pace), "--seed", str(seed), "--folder", str(team.folder)]


def _environment(team: DemoTeam) -> Mapping[str, str]:
    """Return the agents' environment: their own home, and nothing of the person's that they don't need."""
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env |= {"HOME": str(team.folder / "home"), "CLAUDE_CONFIG_DIR": str(team.claude_dir), "SHELL": "/bin/sh"}
    package = Path(teamops.__file__).parent.parent
    if str(package) not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        env["PYTHONPATH"] = str(package)
    return env


def _launch(team: DemoTeam, *, pace: float, seed: int) -> None:
    """Start the server, without the person's tmux.conf and environment, and a session for each role."""
    env = _environment(team)
    _tmux(team, "-f", "/dev/null", "start-server", ";", "set-option", "-s", "exit-empty", "off")
    socket = Socket(path=str(team.socket))
    for role in AGENT_ROLES:
        own = {**env, "TEAMOPS_ROLE": role, "TEAMOPS_PROJECT": str(team.root)}
        create(socket, _session(role), _command(team, role, pace=pace, seed=seed), team.root, own)
    _tmux(team, "set-option", "-s", "exit-empty", "on")


def _tmux(team: DemoTeam, *words: str) -> None:
    env = {**_environment(team), "TERM": os.environ.get("TERM", "xterm-256color")}
    done = subprocess.run(
        [tmux_program(), "-S", str(team.socket), *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if done.returncode:
        raise TeamopsError(f"the demo's tmux server does not start: {done.stderr.strip()}", "try: tmux -V")
