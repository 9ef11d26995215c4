"""The calls with which a client's hooks are tried: the very line that a launch gives them, each client's own words."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from teamops.config.settings import RoleSettings
from teamops.effects.launch_gemini import DEFAULTS
from teamops.effects.launch_opencode import CONFIG, ENTRY, GATE, PLUGIN
from teamops.effects.recipe import Recipe
from teamops.guard import hook

_WRITES = {"claude": "Write", "codex": "apply_patch", "gemini": "write_file", "opencode": "write"}
_READS = {"claude": "Read", "codex": "Bash", "gemini": "read_file", "opencode": "read"}
_PATHS = {"claude": "file_path", "codex": "", "gemini": "file_path", "opencode": "filePath"}


@dataclass(frozen=True, slots=True)
class Line:
    """What a client runs before a tool call."""

    words: tuple[str, ...]
    """Empty: it is given none."""
    event: str = ""
    seal: str = ""
    """What an answer that lets through begins with, where the client itself looks at it."""
    why: str = ""
    """Why it is given none, or what is wrong with how it is given."""
    do: str = ""
    wrong: bool = False
    """It is given, and the client would not run it."""
    files: tuple[str, ...] = ()
    """What the client has to be able to read for it."""
    env: Mapping[str, str] = field(default_factory=dict)
    """What it is run with besides."""


def line_of(role: RoleSettings, recipe: Recipe) -> Line:
    """Return what the client of a recipe runs before a tool call."""
    if not recipe.argv or role.client not in _WRITES:
        return Line((), why=f"what it runs has no hooks ({role.client if recipe.argv else 'no command'})")
    note = next((note for note in recipe.notes if "no hooks" in note or "is not" in note), "")
    try:
        found = _FINDERS[role.client](recipe)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return Line(
            (), why=f"what the launch gives it can't be read ({type(error).__name__}: {error})", do=_ANEW, wrong=True
        )
    if found is None:
        return Line((), why=note or "the launch gives it no hooks")
    return found


_ANEW = "install teamops anew"


def _claude(recipe: Recipe) -> Line | None:
    path = _after(recipe.argv, "--settings")
    text = next((text for own, text in recipe.files.items() if str(own) == path), None)
    if text is None:
        return None
    told = json.loads(text)
    one = told["hooks"]["PreToolUse"][0]
    why = ""
    if told.get("disableAllHooks") is not False:
        why = "its settings don't say disableAllHooks: false, so others' can turn its hooks off"
    elif one["matcher"] != "*":
        why = f"its hook is asked for {one['matcher']} alone"
    return _shell(one["hooks"][0]["command"], "PreToolUse", (path,), why)


def _codex(recipe: Recipe) -> Line | None:
    given = [word for word in recipe.argv if word.startswith("hooks.PreToolUse=")]
    if not given:
        return None
    one = tomllib.loads(given[0])["hooks"]["PreToolUse"][0]
    trusted = "--dangerously-bypass-hook-trust" in recipe.argv
    why = "" if trusted else "its hook is not trusted, so codex skips it without a word"
    return _shell(one["hooks"][0]["command"], "PreToolUse", (), why)


def _gemini(recipe: Recipe) -> Line | None:
    path = recipe.env.get(DEFAULTS, "")
    text = next((text for own, text in recipe.files.items() if str(own) == path), None)
    if text is None:
        return None
    told = json.loads(text)
    if "hooks" not in told:
        own = "your own settings give it hooks: they would be recorded, so they are not tried"
        return Line((), why=own, do="try it: ask it for a write that is forbidden")
    return _shell(told["hooks"]["BeforeTool"][0]["hooks"][0]["command"], "BeforeTool", (path,), "")


def _opencode(recipe: Recipe) -> Line | None:
    if GATE not in recipe.env:
        return None
    event = "tool.execute.before"
    config = json.loads(recipe.env[CONFIG])
    why = "" if PLUGIN.as_uri() in config["plugin"] else "its configuration doesn't name the plugin"
    if not PLUGIN.is_file():
        why = f"its plugin {PLUGIN} is not there"
    words = (*json.loads(recipe.env[ENTRY]), event, recipe.env[GATE], "opencode", hook.SEALED)
    return Line(words, event, hook.SEAL, why, _ANEW if why else "", wrong=bool(why), files=(str(PLUGIN),))


_PLUGIN = (
    f'const goesOn = (why) => {{ process.stderr.write(why); process.stdout.write("{hook.SEAL}"); process.exit(0) }};'
    "let text = ''; for await (const part of process.stdin) text += part; const told = JSON.parse(text); let before;"
    "try { const hooks = await (await import(process.argv.at(-1))).Teamops({directory: told.cwd});"
    '  before = hooks["tool.execute.before"]; if (!before) throw new Error("it has no tool.execute.before") }'
    ' catch (error) { goesOn(`the plugin does not load: ${String(error.message).split("\\n")[0]}`) };'
    'try { await before({tool: told.tool_name, sessionID: ""}, {args: told.tool_input}) }'
    " catch (error) { process.stderr.write(String(error.message)); process.exit(2) };"
    'goesOn("")'
)
"""Has the plugin asked about one call, as the client does; which goes on without a plugin that it can't load."""


def by_plugin(line: Line, recipe: Recipe, runtime: str) -> Line:
    """Return the same asked through opencode's plugin, as its own runtime loads it."""
    env = {"BUN_BE_BUN": "1", ENTRY: recipe.env[ENTRY], GATE: recipe.env[GATE]}
    return replace(line, words=(runtime, "-e", _PLUGIN, "--", PLUGIN.as_uri()), env=env)


_FINDERS = {"claude": _claude, "codex": _codex, "gemini": _gemini, "opencode": _opencode}


def _shell(command: str, event: str, files: tuple[str, ...], why: str) -> Line:
    return Line(("/bin/sh", "-c", command), event, "", why, _ANEW if why else "", wrong=bool(why), files=files)


def _after(words: Sequence[str], option: str) -> str:
    for one, following in pairwise(words):
        if one == option:
            return following
    return ""


def write_call(client: str, event: str, cwd: Path, path: str) -> tuple[str, str]:
    """Return a call that would write ``path``, in a person's words and as the client tells it."""
    tool = _WRITES[client]
    given: dict[str, object] = {_PATHS[client]: path, "content": "teamops doctor\n"}
    if client == "codex":
        given = {"command": f"*** Begin Patch\n*** Add File: {path}\n+teamops doctor\n*** End Patch"}
    return f"{tool} {path}", _told(client, event, cwd, tool, given)


def read_call(client: str, event: str, cwd: Path, path: str) -> tuple[str, str]:
    """Return a call that changes nothing, likewise."""
    tool = _READS[client]
    given = {"command": "ls"} if client == "codex" else {_PATHS[client]: path}
    return f"{tool} {next(iter(given.values()))}", _told(client, event, cwd, tool, given)


def _told(client: str, event: str, cwd: Path, tool: str, given: Mapping[str, object]) -> str:
    told: dict[str, object] = {
        "session_id": "00000000-0000-4000-8000-000000000000",
        "transcript_path": "",
        "cwd": str(cwd),
        "hook_event_name": event,
        "tool_name": tool,
        "tool_input": given,
    }
    if client in {"claude", "codex"}:
        told |= {"permission_mode": "default", "tool_use_id": "teamops-doctor"}
    return json.dumps(told)
