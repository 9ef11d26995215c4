"""How opencode is started.

Its profile is one of its instructions, its events come from a plugin, both through the configuration that it takes from
its environment: lists in it are joined with those of the person's own files. Source: opencode 1.18, by trial.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from teamops.config.boundary import policy_of
from teamops.domain.boundary_rules import PROTECTED
from teamops.effects.recipe import Recipe, Wanted, entry_words, given
from teamops.guard import hook
from teamops.model.boundary import Held
from teamops.usage.locate_opencode import database, has_session

CONFIG = "OPENCODE_CONFIG_CONTENT"
ENTRY = "TEAMOPS_HOOK_ENTRY"
GATE = "TEAMOPS_HOOK_GATE"
"""Where its hold would stand. The client reads it once, when it begins; what its tools run can't change it."""
PLUGIN = Path(hook.__file__).with_name("opencode_plugin.js")
_SESSION = ("--session", "-s", "--continue", "-c", "--fork")
_ID = re.compile(r"ses_[0-9A-Za-z]+")


def opencode(wanted: Wanted) -> Recipe:
    """Return how the agent is started."""
    words, notes = wanted.words, []
    added: list[str] = []
    if given(words, _SESSION) or _is_command(wanted):
        notes.append("its session is chosen by its own command")
    elif wanted.known and _ID.fullmatch(wanted.known) and _is_there(wanted):
        added += ["--session", wanted.known]
    env, files, hooked = dict(wanted.env), {}, False
    config = _own_config(wanted)
    if config is None:
        notes.append(
            f"no profile and no events of its own, and no hooks that hold its role: its own {CONFIG} can't be read"
        )
    else:
        if wanted.profile:
            path = wanted.folder / "agents" / f"{wanted.role.role}.md"
            files[path] = wanted.profile
            config["instructions"] = [*_list(config.get("instructions")), str(path)]
        denied = _permissions(wanted)
        if denied and "permission" not in config:
            config["permission"] = {"edit": denied}
        config["plugin"] = [*_list(config.get("plugin")), PLUGIN.as_uri()]
        env[CONFIG] = json.dumps(config)
        env[ENTRY] = json.dumps(entry_words())
        env[GATE] = wanted.gate
        hooked = "--pure" not in words
        if not hooked:
            notes.append("no events of its own, and no hooks that hold its role: its own command turns plugins off")
    return Recipe(
        argv=(wanted.role.command[0], *words, *added),
        env=env,
        client_session=wanted.known if added else "",
        resumed=bool(added),
        files=files,
        holds=wanted.folder,
        notes=tuple(notes),
        held=Held(hooked=hooked),
    )


def _permissions(wanted: Wanted) -> dict[str, str]:
    """Return what its edit tools may change, in its own words: what holds where a plugin doesn't load.

    Coarser than the plugin's judgement, and never a new refusal: globs that its words can't say are left out, and a
    role with exceptions by tier is only held off what no role changes. Among its rules the last one that fits decides.
    """
    policy = policy_of(wanted.role)
    if policy is None:
        return {}
    root = str(wanted.role.cwd)
    said: dict[str, str] = {}
    if not policy.tiers:
        plain = [_own_globs(glob, root) for glob in policy.write_allow]
        if "*" not in policy.write_allow and all(plain):
            said = {"*": "deny", **{own: "allow" for globs in plain for own in globs}}
        said |= {own: "deny" for glob in policy.write_deny for own in _own_globs(glob, root)}
    return said | {own: "deny" for glob in PROTECTED for own in _own_globs(glob, root)}


def _own_globs(glob: str, root: str) -> tuple[str, ...]:
    """Return a glob in the client's words, where ``*`` is any text, folders too; empty = it can't be said.

    It asks with the path from the work tree of git; without one, with that from the root of the file system.
    """
    if any(sign in glob for sign in "?[!\\"):
        return ()
    bare = glob.removeprefix("/")
    if glob.startswith("/"):
        own = f"{bare}*" if bare.endswith("/") else bare
        return own, f"{root.lstrip('/')}/{own}"
    return (bare,) if bare.startswith("*") and "/" not in bare else ()


def _is_command(wanted: Wanted) -> bool:
    """Return whether the person's first word is one of opencode's commands, and not a folder."""
    first = next(iter(wanted.words), "-")
    return not first.startswith("-") and not (wanted.role.cwd / first).is_dir()


def _is_there(wanted: Wanted) -> bool:
    path = database(wanted.around)
    return path is not None and has_session(path, wanted.known)


def _own_config(wanted: Wanted) -> dict[str, object] | None:
    """Return what the person gives it that way; ``None`` = it can't be read, so nothing may be added."""
    text = wanted.around.get(CONFIG, "")
    if not text.strip():
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
