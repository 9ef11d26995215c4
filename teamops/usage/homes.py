"""Where each client keeps its files, as its environment says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def claude_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where a client that runs with ``env`` may keep its files."""
    named = tuple(Path(part.strip()) for part in env.get("CLAUDE_CONFIG_DIR", "").split(",") if part.strip())
    if named:
        return named
    home = env.get("HOME")
    if not home:
        return ()
    config = Path(env.get("XDG_CONFIG_HOME") or Path(home) / ".config")
    return (config / "claude", Path(home) / ".claude")


def _home(env: Mapping[str, str]) -> Path | None:
    return Path(env["HOME"]) if env.get("HOME") else None


def _named(env: Mapping[str, str], variable: str) -> tuple[Path, ...]:
    """Return the folders that a variable lists, with commas between them."""
    return tuple(Path(part.strip()) for part in env.get(variable, "").split(",") if part.strip())


def _data(env: Mapping[str, str], folder: str) -> tuple[Path, ...]:
    """Return a client's folder below the user's data directory."""
    home = _home(env)
    data = Path(env["XDG_DATA_HOME"]) if env.get("XDG_DATA_HOME") else home and home / ".local" / "share"
    return (data / folder,) if data else ()


def codex_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of ``sessions`` and ``archived_sessions``."""
    home = _home(env)
    return _named(env, "CODEX_HOME") or ((home / ".codex",) if home else ())


def gemini_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of ``tmp/<project>/chats``."""
    home = Path(env["GEMINI_CLI_HOME"]) if env.get("GEMINI_CLI_HOME") else _home(env)
    return (home / ".gemini",) if home else ()


def opencode_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of the databases and of ``storage``, and a database that was named by itself."""
    homes = _named(env, "OPENCODE_DATA_DIR") or _data(env, "opencode")
    database = env.get("OPENCODE_DB", "")
    # A name without a folder lies in the client's own.
    return (*homes, Path(database)) if Path(database).is_absolute() else homes


def amp_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of ``threads``."""
    return _named(env, "AMP_DATA_DIR") or _data(env, "amp")


def pi_homes(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of all sessions."""
    named = _named(env, "PI_AGENT_DIR") or _named(env, "PI_CODING_AGENT_SESSION_DIR")
    home = _home(env)
    agent = env.get("PI_CODING_AGENT_DIR") or (home and home / ".pi" / "agent")
    return tuple(_tilde(path, home) for path in named or ((Path(agent) / "sessions",) if agent else ()))


def _tilde(path: Path, home: Path | None) -> Path:
    return home.joinpath(*path.parts[1:]) if home and path.parts[:1] == ("~",) else path
