"""Tells Codex and Gemini CLI that an agent's folder is trusted, for that agent alone.

They ask a person once for each folder, and keep the answer in settings that no agent can write: the question would come
again at each start. Who starts a team in a project has answered it. What a person has said of the folder, yes or no,
stays; theirs is never written. Source: Codex 0.171 and Gemini CLI 0.61, by trial.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from teamops.effects.recipe import Wanted
from teamops.usage.locate_codex import home as codex_home
from teamops.usage.locate_gemini import home as gemini_home

TRUSTED_FOLDERS = "GEMINI_CLI_TRUSTED_FOLDERS_PATH"
MAX_RULES = 1 << 20


def folders_of(wanted: Wanted) -> tuple[str, ...]:
    """Return the folders that the person named: the project's, and the agent's own where it has one."""
    named = (wanted.env["TEAMOPS_PROJECT"], str(wanted.role.cwd))
    return tuple(dict.fromkeys(os.path.realpath(path) for path in named))


def codex_trust(wanted: Wanted) -> tuple[str, ...]:
    """Return the words that say so to Codex; none where all is said."""
    if any("projects" in word for word in wanted.words):
        return ()
    own = codex_home(wanted.around)
    told: object = {}
    try:
        if own is not None:
            told = tomllib.loads((own / "config.toml").read_text("utf-8")).get("projects")
    except (OSError, ValueError):
        told = {}  # codex itself says what is wrong with it
    known = told if isinstance(told, dict) else {}
    new = [path for path in folders_of(wanted) if path not in known]
    table = ",".join(f"{json.dumps(path, ensure_ascii=False)}={{trust_level='trusted'}}" for path in new)
    return ("-c", f"projects={{{table}}}") if new else ()


def gemini_trust(wanted: Wanted, path: Path, more: str) -> tuple[dict[str, str], dict[Path, str], str]:
    """Return what says so to Gemini CLI: its environment, and a file at ``path`` with the person's rules and these.

    ``more``: a folder of teamops' own that it reads; empty = none. Last, in words, why it can't be said; empty = it is.
    """
    own = gemini_home(wanted.around)
    named = wanted.around.get(TRUSTED_FOLDERS)
    file = Path(named) if named else own / "trustedFolders.json" if own is not None else None
    rules: object = {}
    try:
        if file is not None:
            with file.open("rb") as opened:
                rules = json.loads(opened.read(MAX_RULES) or b"{}")
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RecursionError):
        rules = None
    if not isinstance(rules, dict):
        return {}, {}, f"{file} can't be read: trust this folder first: run gemini once in it"
    new = {folder: "TRUST_FOLDER" for folder in folders_of(wanted) if not _is_decided(rules, folder)}
    if more:
        new[os.path.realpath(more)] = "TRUST_FOLDER"
    if not new:
        return {}, {}, ""
    return {TRUSTED_FOLDERS: str(path)}, {path: json.dumps({**rules, **new}, indent=1) + "\n"}, ""


def _is_decided(rules: Mapping[str, object], folder: str) -> bool:
    """Return whether the person's rules say anything of a folder, by its own name or one above."""
    for rule, level in rules.items():
        place = os.path.realpath(os.path.dirname(rule) if level == "TRUST_PARENT" else rule)  # noqa: PTH120 - a text
        if folder == place or folder.startswith(place.rstrip("/") + "/"):
            return True
    return False
