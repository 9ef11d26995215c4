"""Where each client keeps what it works with, and what in there says how it behaves.

Listed is what is held, not what may be written: a client that is updated and can't write a new file of its state would
break in the midst of work, and a new place of its settings is found by the next trial. The lists were read from the
clients themselves and tried with them: Claude Code 2.1.330, Codex 0.169, Gemini CLI 0.61, opencode 1.18.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from teamops.domain.client_files import OPENCODE_IGNORES
from teamops.effects.client_version import claude_version
from teamops.usage.locate import homes
from teamops.usage.locate_codex import home as codex_home
from teamops.usage.locate_gemini import home as gemini_home

NOT_WRITABLE = 0o444
"""Of a file that its client counts as none: where it is empty, and nobody may write it."""
MAX_SETTINGS, MAX_WRITTEN = 1 << 20, 16 << 20
_JSON = "{}\n"
_SPEAKS = frozenset(
    {".md", ".sh", ".bash", ".zsh", ".fish", ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".toml"}
)
"""Endings of files that are run, or read as instructions."""


@dataclass(frozen=True, slots=True)
class _Held:
    """The names in a client's folder that its agents may not change."""

    folders: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Name → what it begins with where it is missing: the client was seen to start and work with it."""
    private: tuple[str, ...] = ()
    """Folders of scripts that the client makes anew each time: each agent has its own, which is gone at its end."""
    tools: tuple[str, ...] = ()
    """Folders of programs that the client fetches: held where there are any, else private."""
    unmade: tuple[str, ...] = ()
    """Files that are held where they are there, and not made: their being there alone may count."""


_CLAUDE = _Held(
    folders=(
        "agents", "chrome", "commands", "cowork_plugins", "dev-mods", "hooks", "local", "mcp-skill-archives",
        "output-styles", "plugins", "routines", "rules", "seed-admin", "skills", "themes", "workflows",
    ),
    files={
        "settings.json": _JSON, "settings.local.json": _JSON, "CLAUDE.md": "", "AGENTS.md": "",
        "loop.md": "",
        "keybindings.json": '{"bindings": []}\n', "daemon.json": _JSON, "launch.json": _JSON,
        "scheduled_tasks.json": '{"tasks": []}\n', "remote-settings.json": _JSON,
    },
    private=("shell-snapshots", "session-env", "daemon", "jobs"),
    unmade=(".config.json",),
)  # fmt: skip
_CODEX = _Held(
    folders=("agents", "automations", "hooks", "packages", "plugins", "prompts", "rules", "skills", "themes"),
    files={"config.toml": "", "hooks.json": _JSON, "AGENTS.md": "", "AGENTS.override.md": "", ".env": ""},
    private=("shell_snapshots", "tmp"),
)
_GEMINI_ENV = "# Empty, so that no agent can make it. What stands here counts, and ~/.env doesn't.\n"
_GEMINI = _Held(
    folders=("acknowledgments", "agents", "commands", "extensions", "hooks", "policies", "skills"),
    files={
        "settings.json": _JSON, "trustedFolders.json": _JSON, "trusted_hooks.json": _JSON, "keybindings.json": "[]\n",
        "GEMINI.md": "", ".env": _GEMINI_ENV,
    },
    tools=("tmp/bin", "bin"),
)  # fmt: skip
_OPENCODE_CACHE = _Held(tools=("bin", "packages", "node_modules"))
_UNWRITTEN = frozenset({".config.json"})
"""Claude Code takes this file in the place of its own if it holds anything, or could; older ones take any."""
PASSES_OVER = (2, 1, 330)
"""Since this version it was seen to pass over one that is empty and that nobody may write."""


_OPENCODE_HOLE = (
    "sessions, snapshots and auth.json are opencode's to write; its other sessions read them, and an entry of "
    "auth.json can name an address that settings come from"
)


@dataclass(frozen=True, slots=True)
class ClientPlaces:
    """One client's places, for one agent; whether they are there is not said."""

    homes: tuple[Path, ...] = ()
    """Its folders, which it writes."""
    writable: tuple[Path, ...] = ()
    """What it writes beside them, where it is there."""
    copied: tuple[Path, ...] = ()
    """A file that it writes, and that also says how it behaves: each agent gets a copy."""
    folders: tuple[Path, ...] = ()
    """Held."""
    files: Mapping[Path, str] = field(default_factory=dict)
    """Held, and what they begin with."""
    unmade: tuple[Path, ...] = ()
    """Held where they are there; not made."""
    odd: tuple[Path, ...] = ()
    """Those of them that hardly any person has: one that is there may be an agent's."""
    early: tuple[Path, ...] = ()
    """Those that are as teamops makes them, for a newer version of the client than this one is, or is known to be."""
    private: tuple[Path, ...] = ()
    tools: tuple[Path, ...] = ()
    outside: Mapping[Path, str] = field(default_factory=dict)
    """Files that have to be there, because it insists, where it can't write."""
    holes: tuple[str, ...] = ()


def places_of(client: str, env: Mapping[str, str], program: str = "") -> ClientPlaces:
    """Return where a client that runs with ``env`` keeps its files; nothing for one that is not known.

    ``program``: what starts it. What its version, or a file of the person's, would take amiss is not made.
    """
    if client == "claude" and (named := homes(env)):
        told = _claude(env, named)
        made = tuple(path for path in told.odd if _is_passed_over(path))
        told = replace(told, odd=tuple(path for path in told.odd if path not in made))
        if (claude_version(program, env) or ()) < PASSES_OVER:
            return replace(told, early=made)
        return replace(told, files={**told.files, **dict.fromkeys(told.unmade, "")}, unmade=())
    if client == "codex" and (codex := codex_home(env)) is not None:
        return _all(_CODEX, (codex,))
    if client == "gemini" and (gemini := gemini_home(env)) is not None:
        return _gemini(gemini)
    if client == "opencode" and env.get("HOME"):
        return _opencode(env)
    return ClientPlaces()


def _claude(env: Mapping[str, str], named: tuple[Path, ...]) -> ClientPlaces:
    known = tuple(folder for folder in named if folder.is_dir()) or (named[-1],)
    chosen, home = bool(env.get("CLAUDE_CONFIG_DIR")), Path(env.get("HOME") or "/nonexistent")
    more = (".cache/claude-cli-nodejs", ".cache/claude", ".local/state/claude")
    own = tuple(folder / ".claude.json" for folder in known) if chosen else (home / ".claude.json",)
    told = _all(_CLAUDE, known)
    again = tuple(f"{path}: once its client outside has saved it anew, its agents can write it" for path in own)
    return replace(
        told,
        writable=tuple(home / name for name in more),
        copied=own,
        odd=told.unmade,
        holes=(*told.holes, *(again if chosen else ())),  # the folder around it is writable there
    )


def _gemini(home: Path) -> ClientPlaces:
    """Return Gemini CLI's places: an ``.env`` of a person's own beside its folder counts as long as none is in it."""
    told, own = _all(_GEMINI, (home,)), home / ".env"
    if not os.path.lexists(home.parent / ".env"):
        return told
    return replace(told, files={path: text for path, text in told.files.items() if path != own}, unmade=(own,))


def _opencode(env: Mapping[str, str]) -> ClientPlaces:
    def base(name: str, usual: str) -> Path:
        return Path(env.get(f"XDG_{name}_HOME") or Path(env["HOME"]) / usual) / "opencode"

    data, state = base("DATA", ".local/share"), base("STATE", ".local/state")
    cache, config = base("CACHE", ".cache"), base("CONFIG", ".config")
    return ClientPlaces(
        homes=(data, state, cache),
        tools=_all(_OPENCODE_CACHE, (cache,)).tools,
        outside={config / ".gitignore": OPENCODE_IGNORES},
        holes=(f"{data}: {_OPENCODE_HOLE}",),
    )


def _all(held: _Held, known: tuple[Path, ...]) -> ClientPlaces:
    return ClientPlaces(
        homes=known,
        folders=tuple(home / name for home in known for name in held.folders),
        files={home / name: text for home in known for name, text in held.files.items()},
        unmade=tuple(home / name for home in known for name in held.unmade),
        private=tuple(home / name for home in known for name in held.private),
        tools=tuple(home / name for home in known for name in held.tools),
        holes=tuple(
            f"{home}: sessions, history, memory and sign-in are its client's to write; its other sessions read them"
            for home in known
        ),
    )


def is_unwritten(path: Path) -> bool:
    """Return whether a file that is made there has to be one that nobody may write, for its client to pass it over."""
    return path.name in _UNWRITTEN


def _is_passed_over(path: Path) -> bool:
    """Return whether a file is as it is made here: empty, and nobody may write it."""
    try:
        told = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(told.st_mode) and not told.st_size and not told.st_mode & 0o222


def own_scripts(home: Path, places: ClientPlaces) -> Iterator[Path]:
    """Return what stands in one of a client's folders and is run or read as instructions, by kind or by its settings.

    Its settings and its MCP servers may name what stands in the folder.
    """
    try:
        inside = sorted(home.iterdir())
    except OSError:
        return
    told = "\n".join((*map(_text, places.files), *map(_servers, places.copied)))
    base = re.escape(home.name)
    named = set(re.findall(rf"(?:^|[/\"'\s=]){base}/+([A-Za-z0-9._-]+)", told, re.MULTILINE))
    named |= set(re.findall(r"(?:CLAUDE_CONFIG_DIR|CODEX_HOME)\}?\"?/+([A-Za-z0-9._-]+)", told))
    for path in inside:
        try:
            mode = path.lstat().st_mode
        except OSError:
            continue
        runs = stat.S_ISREG(mode) and bool(mode & 0o111)
        if path.name in named - _STATE or runs or (path.suffix.lower() in _SPEAKS and not stat.S_ISDIR(mode)):
            yield path


_STATE = frozenset(
    {
        "backups", "cache", "debug", "file-history", "history.jsonl", "log", "logs", "memories", "paste-cache", "plans",
        "projects", "sessions", "state", "statsig", "tasks", "teams", "telemetry", "tmp", "todos", "uploads",
    }
)  # fmt: skip
"""Settings may name what the client itself has to write."""


def _servers(path: Path) -> str:
    """Return how MCP servers are started, as a file says that its client writes itself."""
    try:
        told = json.loads(_text(path, MAX_WRITTEN))
        projects = [project for project in told.get("projects", {}).values() if isinstance(project, dict)]
        return json.dumps([one.get("mcpServers") for one in (told, *projects)])
    except (ValueError, AttributeError, RecursionError):
        return ""


def _text(path: Path, most: int = MAX_SETTINGS) -> str:
    try:
        with path.open("rb") as file:
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


def make_places(places: ClientPlaces) -> None:
    """Make what of a client has to be there: it can't be let in or held otherwise. Raises ``OSError``.

    What is there stays, whatever it is; so does a link that leads nowhere.
    """
    for path in (*places.homes, *places.folders, *places.private, *places.tools):
        _make(path)
    for path, text in (*places.files.items(), *places.outside.items(), *((path, _JSON) for path in places.copied)):
        if os.path.lexists(path):
            continue
        _make(path.parent)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # a client may keep a key there
        except FileExistsError:
            continue  # another agent's start was first
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            if is_unwritten(path):
                os.fchmod(file.fileno(), NOT_WRITABLE)


def _make(path: Path) -> None:
    if not os.path.lexists(path) or path.is_dir():
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
