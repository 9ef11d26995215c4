"""Which version of a client is installed, by what lies beside its program: no client is run for that."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

_CLAUDE = re.compile(r"@anthropic-ai/claude-code(?:-[a-z0-9-]+)?")
_NATIVE = re.compile(r"claude/versions/(\d+\.\d+\.\d+)(?:/|$)")
_UP = 4
"""A program lies so deep in its package at most."""


def claude_version(program: str, env: Mapping[str, str]) -> tuple[int, ...] | None:
    """Return the version of the Claude Code that ``program`` starts; ``None`` = can't be known.

    It is installed as a package of Node, or as a file of that name in ``claude/versions/``.
    """
    found = shutil.which(program, path=env.get("PATH")) if program else None
    if found is None:
        return None
    real = Path(os.path.realpath(found))
    if native := _NATIVE.search(str(real)):
        return _number(native[1])
    for folder in real.parents[:_UP]:
        try:
            told = json.loads((folder / "package.json").read_bytes()[: 1 << 16])
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(told, dict) and _CLAUDE.fullmatch(str(told.get("name"))):
            return _number(str(told.get("version")))
    return None


def _number(text: str) -> tuple[int, ...] | None:
    plain = re.match(r"\d{1,6}(?:\.\d{1,6}){1,3}", text)
    return tuple(map(int, plain[0].split("."))) if plain else None
