"""What is known of a client beside its hook: which version it is, and what in its settings turns hooks off.

Source: Claude Code 2.1.330 (its own words for managed settings and switches), Codex 0.171, Gemini CLI 0.61, opencode
1.18, by trial. Nothing is changed, and a client that is asked for its version sees no home and, where bwrap is there,
no network.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from teamops.config.settings import CLIENTS, RoleSettings
from teamops.domain.canary import Client, version_in
from teamops.effects.confine import Means
from teamops.effects.program import Ended, run_program
from teamops.effects.recipe import given
from teamops.usage.locate import homes
from teamops.usage.locate_gemini import home as gemini_home

VERSION_S = 20.0
"""So long a client may take to say its version: gemini takes two seconds where nothing else runs."""
Versions = dict[str, tuple[str, str]]
"""By program: the version it says, and why it says none."""
MAX_SETTINGS = 1 << 20
_MANAGED = {
    "claude": Path("/Library/Application Support/ClaudeCode" if sys.platform == "darwin" else "/etc/claude-code"),
    "codex": Path("/etc/codex"),
    "gemini": Path("/Library/Application Support/GeminiCli" if sys.platform == "darwin" else "/etc/gemini-cli"),
}
"""Where an administrator's settings are, which outrank those of a launch."""
_OWN_WORD = "teamops-runs-here"
Settings = Mapping[str, object]


def known_of(role: RoleSettings, means: Means, versions: Versions | None = None) -> Client:
    """Return what is known of the client of a role. Blocks. ``versions``: what was asked already, by the program."""
    name = role.client
    if name not in CLIENTS[:4] or not role.command:
        return Client(name)
    client = switches_of(role)
    program = program_of(role)
    if not program:
        return replace(client, trouble=f"there is no program {role.command[0]}: install it, or mend its name")
    asked = {} if versions is None else versions
    if program not in asked:
        asked[program] = version_of(program, means, role.env)
    version, trouble = asked[program]
    runtime = program if name == "opencode" and runs_plugins(program, means) else ""
    return replace(client, version=version, trouble=trouble, runtime=runtime)


def program_of(role: RoleSettings) -> str:
    """Return the program that a role's command starts; empty = there is none."""
    env = {**os.environ, **role.env}
    word = role.command[0]
    return shutil.which(str(role.cwd / word) if "/" in word else word, path=env.get("PATH")) or ""


def version_of(program: str, means: Means, env: Mapping[str, str]) -> tuple[str, str]:
    """Return the version that a program says, and why it says none. Blocks, for VERSION_S at most."""
    ended = _asked([program, "--version"], means, env)
    version = version_in("\n".join(ended.tail))
    if version:
        return version, ""
    return "", f"{program} --version says none" + (f" ({ended.why})" if ended.why else "")


def runs_plugins(program: str, means: Means) -> bool:
    """Return whether the client's program can run a script as it runs its plugins: one that was made with Bun can."""
    try:
        with Path(program).open("rb") as file:
            if file.read(2) == b"#!":
                return False  # a shell's or node's script that starts it
    except OSError:
        return False
    words = [program, "-e", f'console.log("{_OWN_WORD}")']
    return _OWN_WORD in _asked(words, means, {"BUN_BE_BUN": "1"}).tail


def _asked(words: Sequence[str], means: Means, env: Mapping[str, str]) -> Ended:
    with tempfile.TemporaryDirectory(prefix="teamops-doctor-") as home:
        whole = list(words)
        if means.bwrap:
            around = [means.bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--bind", home, home]
            whole = [*around, "--unshare-net", "--die-with-parent", "--", *words]
        own = {"HOME": home, "TERM": "dumb", "DISABLE_AUTOUPDATER": "1", "NO_UPDATE_NOTIFIER": "1"}
        kept = {key: value for key, value in {**os.environ, **env}.items() if key in {"PATH", "LANG", "BUN_BE_BUN"}}
        return run_program(whole, Path(home), {**kept, **own}, VERSION_S)


def switches_of(role: RoleSettings) -> Client:
    """Return what turns a client's hooks off: its own command, its settings, or an administrator's."""
    words, env = role.command[1:], {**os.environ, **role.env}
    client = Client(role.client)
    own = _by_command(role.client, words, env)
    if own:
        return replace(client, off=f"its own command turns hooks off ({own})", do="take that out", chosen=True)
    for path, told in _settings_of(role, env):
        why = _by_settings(role.client, told)
        if why:
            return replace(client, off=f"{path} says {why}", do=f"take that out of {path}")
    return client


def _by_command(client: str, words: Sequence[str], env: Mapping[str, str]) -> str:
    if client == "claude":
        said = next((word for word in words if word in {"--safe-mode", "--bare"}), "")
        switch = next((key for key in ("CLAUDE_CODE_SAFE_MODE", "CLAUDE_CODE_SIMPLE") if _is_on(env.get(key))), "")
        return said or switch
    if client == "opencode":
        return "--pure" if "--pure" in words else "OPENCODE_PURE" if _is_on(env.get("OPENCODE_PURE")) else ""
    if client == "codex":
        return next((word for word in words if word.replace(" ", "") == "features.hooks=false"), "") or (
            "--disable hooks" if _disables(words) else ""
        )
    return ""


def _disables(words: Sequence[str]) -> bool:
    joined = " ".join(words)
    return given(words, ("--disable",)) and ("--disable hooks" in joined or "--disable=hooks" in joined)


def _is_on(value: str | None) -> bool:
    return (value or "").strip().lower() in {"1", "true", "yes", "on"}


def _settings_of(role: RoleSettings, env: Mapping[str, str]) -> Iterator[tuple[Path, Settings]]:
    """Return the settings that outrank those of a launch."""
    managed = _MANAGED.get(role.client)
    paths: list[Path] = []
    if role.client == "claude" and managed is not None:
        paths = [managed / "managed-settings.json"]
        paths += sorted((managed / "managed-settings.d").glob("*.json")) if managed.is_dir() else []
        paths += [home / "remote-settings.json" for home in homes(env)]
    elif role.client == "codex" and managed is not None:
        paths = [managed / "requirements.toml", managed / "managed_config.toml"]
    elif role.client == "gemini" and managed is not None:
        home = gemini_home(env)
        own = [home / "settings.json"] if home is not None else []
        paths = [managed / "settings.json", role.cwd / ".gemini" / "settings.json", *own]
        if env.get("GEMINI_CLI_SYSTEM_SETTINGS_PATH"):
            paths[0] = Path(env["GEMINI_CLI_SYSTEM_SETTINGS_PATH"])
    for path in paths:
        told = _read(path)
        if told is not None:
            yield path, told


def _read(path: Path) -> Settings | None:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SETTINGS)
        if path.suffix == ".toml":
            import tomllib

            return tomllib.loads(raw.decode("utf-8", "replace"))
        told = json.loads(raw)
    except (OSError, ValueError, RecursionError):
        return None  # the client can't read it either, and says so itself
    return told if isinstance(told, dict) else None


def _by_settings(client: str, told: Settings) -> str:
    """Return the words in settings that turn the hooks of a launch off; empty = there are none."""
    if client == "claude":
        return next((f"{key}: true" for key in ("disableAllHooks", "allowManagedHooksOnly") if told.get(key)), "")
    if client == "codex":
        if told.get("allow_managed_hooks_only") is True:
            return "allow_managed_hooks_only = true"
        return "features.hooks = false" if _table(told, "features").get("hooks") is False else ""
    hooks = _table(told, "hooksConfig")
    if hooks.get("enabled") is False:
        return "hooksConfig.enabled: false"
    disabled = hooks.get("disabled")
    if isinstance(disabled, list) and "teamops-BeforeTool" in disabled:
        return "hooksConfig.disabled: teamops-BeforeTool"
    return ""


def _table(told: Settings, name: str) -> Settings:
    value = told.get(name)
    return value if isinstance(value, dict) else {}
