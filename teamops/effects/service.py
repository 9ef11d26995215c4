"""``teamops watch`` as a unit of the person's own systemd: its text, its place, and what systemctl says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from teamops.model.errors import TeamopsError, UsageError
from teamops.model.text import clean_line

MARK = "# Made by `teamops service install`; `teamops service uninstall` removes it."
WATCHDOG_S = 60
"""A supervisor that told of no round for so long is started again."""
KEPT = (
    "PATH",
    "LANG",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "TMUX_TMPDIR",
)
"""What the agents and their logs are found by: the service sees them as the shell does that installs it."""
_SYSTEMCTL_S = 30.0
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One project's unit."""

    name: str
    path: Path
    text: str

    @property
    def installed(self) -> str | None:
        """The text that stands there now; ``None`` = there is none. Raises ``TeamopsError``."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise TeamopsError(f"{self.path} can't be read: {error}", "look at it: is it teamops'?") from error


def unit_of(root: Path, project: str, folder: Path, state: Path | None, env: Mapping[str, str]) -> Unit:
    """Return the unit that supervises the project in ``root``.

    ``folder``: the project's in the state directory, which names it; ``state``: the state directory where it is not the
    usual one. Raises ``UsageError`` for a path that no unit can hold.
    """
    name = f"teamops-{_NOT_IN_A_NAME.sub('-', folder.name)}.service"
    command = [sys.executable, "-P", "-m", "teamops", "watch", "-C", str(root)]
    if state is not None:
        command += ["--state-dir", str(state.absolute())]
    base = env.get("XDG_CONFIG_HOME") or str(Path(env.get("HOME") or "~").expanduser() / ".config")
    text = unit_text(project, command, {name: env[name] for name in KEPT if env.get(name)})
    return Unit(name=name, path=Path(base) / "systemd" / "user" / name, text=text)


def unit_text(project: str, command: Sequence[str], env: Mapping[str, str]) -> str:
    """Return the unit's text."""
    words = [quoted(command[0]), *(quoted(word, variables=True) for word in command[1:])]
    kept = {**env, "PATH": _path(env.get("PATH", ""))}
    return "\n".join(
        [
            MARK,
            "[Unit]",
            f"Description=teamops watches {_plain(project)}",
            "# However often it fails: who watches must come back.",
            "StartLimitIntervalSec=0",
            "",
            "[Service]",
            "# It says itself when it is ready, and each second that its loop goes round.",
            "Type=notify",
            "NotifyAccess=main",
            f"WatchdogSec={WATCHDOG_S}",
            f"ExecStart={' '.join(words)}",
            *(f"Environment={quoted(f'{name}={value}')}" for name, value in sorted(kept.items()) if value),
            "Restart=on-failure",
            "RestartSec=5",
            "TimeoutStartSec=120",
            "# The agents' tmux server may have been started by it, and must live on.",
            "KillMode=process",
            "OOMPolicy=continue",
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        ]
    )


def quoted(word: str, *, variables: bool = False) -> str:
    """Return a word as systemd.syntax(7) quotes it. ``variables``: where ``$`` would name one, as in a command's words.

    Raises ``UsageError`` for what a unit can't hold.
    """
    if not word.isprintable():  # half characters, too: what is no UTF-8
        raise UsageError(
            f"{clean_line(word)!r} holds characters that no unit can", "move the project to another folder"
        )
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{word.replace("$", "$$") if variables else word}"'


def _plain(text: str) -> str:
    return clean_line(text, 60).replace("%", "%%").rstrip("\\")


def _path(path: str) -> str:
    """Return the folders of a PATH that mean the same from everywhere, each once."""
    folders = dict.fromkeys(folder for folder in path.split(os.pathsep) if folder.startswith("/"))
    return os.pathsep.join(folder for folder in folders if folder.isprintable())


def must_be_systemd() -> None:
    """Raise ``UsageError`` where there is no systemd to be asked."""
    if sys.platform == "darwin":
        raise UsageError(
            "service writes units of systemd, and this is macOS",
            "let launchd keep it alive: a LaunchAgent with KeepAlive that runs: teamops watch -C FOLDER",
        )
    if shutil.which("systemctl") is None:
        raise UsageError("there is no systemd here (no systemctl)", "let what you have run: teamops watch -C FOLDER")


def systemctl(*words: str) -> tuple[int, str]:
    """Ask the person's systemd; return its exit code, and what it said on one line."""
    try:
        done = subprocess.run(
            ["systemctl", "--user", "--no-pager", *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SYSTEMCTL_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, clean_line(str(error))
    return done.returncode, done.stdout if done.returncode == 0 else clean_line(done.stderr or done.stdout)


def write(unit: Unit) -> None:
    """Write the unit, whole or not at all. Raises ``TeamopsError``, also where a file of that name is not teamops'."""
    must_be_ours(unit)
    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        fd, name = tempfile.mkstemp(prefix=".teamops-", dir=unit.path.parent)
        try:
            with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
                file.write(unit.text)
            Path(name).chmod(0o644)
            Path(name).replace(unit.path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise TeamopsError(f"{unit.path}: {error.strerror or error}", "mend the folder's rights") from error


def must_be_ours(unit: Unit) -> None:
    """Raise ``TeamopsError`` where a file of the unit's name was made by somebody else."""
    there = unit.installed
    if there is not None and not there.startswith(MARK):
        raise TeamopsError(f"{unit.path} was not made by teamops", "move it aside, and try again")


def remove(unit: Unit) -> None:
    """Remove the unit. Raises ``TeamopsError``."""
    must_be_ours(unit)
    try:
        unit.path.unlink(missing_ok=True)
    except OSError as error:
        raise TeamopsError(f"{unit.path}: {error.strerror}", "mend the folder's rights") from error


def properties(unit: Unit) -> dict[str, str]:
    """Return what systemd knows of the unit; empty where it can't be asked."""
    names = "LoadState,UnitFileState,ActiveState,SubState,StatusText,MainPID,NRestarts,Result"
    code, said = systemctl("show", unit.name, f"--property={names}")
    if code:
        return {}
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def lingers(env: Mapping[str, str]) -> bool:
    """Return whether the person's services run without a login."""
    user = env.get("USER") or env.get("LOGNAME") or ""
    return bool(user) and Path("/var/lib/systemd/linger", user.replace("/", "")).exists()
