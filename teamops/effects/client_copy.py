"""An agent's own copy of a file that its client writes, and that also says how each session of it behaves.

In ``~/.claude.json`` stand counters and answers to dialogs beside MCP servers and what each project may do. An agent
writes into its copy, and into nobody else's. Each start copies the person's file anew; of the agent's own last copy
only such answers are kept as would else be asked again each time, and a sign-in by which its client got a key where
the person has none: of no weight outside of its boundary.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 64 << 20
_ANSWERED = ("hasCompletedOnboarding", "bypassPermissionsModeAccepted")
_PROJECT_ANSWERED = ("hasTrustDialogAccepted", "hasCompletedProjectOnboarding")
_KEYS, _MAX_KEYS = "customApiKeyResponses", 20
_OWN_KEY, _ACCOUNT = "primaryApiKey", "oauthAccount"
"""What a sign-in leaves there: a key of its own, and whose it is."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What an agent's copy begins with."""

    text: str
    was: str
    """A trace of the key that the person had last, without the key itself, to be given at the next start; or empty."""
    trouble: str = ""
    """Why nothing of the person's file is in it; empty = it is."""


def copy_of(path: Path, last: Path, places: Iterable[str], was: str = "") -> Copied:
    """Return what the agent's copy of ``path`` begins with.

    ``last``: its copy before; ``was``: what was said of the person's key then; ``places``: under which names its client
    keeps the answers about where it works. A file that can't be read is none: the client then begins as on its first
    day, inside its boundary.
    """
    text, trouble = _read(path)
    known, before = _object(text), _object(_read(last)[0])
    if known is None:
        return Copied(text or "{}\n", was, trouble)
    trace = _trace(known.get(_OWN_KEY)) or was
    if before is None:
        return Copied(text, trace)
    changed: dict[str, object] = {
        name: True for name in _ANSWERED if before.get(name) is True and known.get(name) is not True
    }
    changed |= _approved(known, before)
    key = before.get(_OWN_KEY)
    if isinstance(key, str) and _OWN_KEY not in known and _ACCOUNT not in known and _trace(key) != was:
        changed |= {name: before[name] for name in (_OWN_KEY, _ACCOUNT) if name in before}
    projects = _within(known, "projects")
    for place in dict.fromkeys(places):
        told, said = _within(projects, place), _within(_within(before, "projects"), place)
        own = {name: True for name in _PROJECT_ANSWERED if said.get(name) is True and told.get(name) is not True}
        if own:
            projects = {**projects, place: {**told, **own}}
            changed["projects"] = projects
    # A key that the person has taken away stays away, however often the agent is started.
    return Copied(json.dumps({**known, **changed}, indent=2) + "\n" if changed else text, trace)


def _trace(key: object) -> str:
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest() if isinstance(key, str) else ""


def _read(path: Path) -> tuple[str, str]:
    """Return what stands there, or nothing and why."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        return ("", f"has more than {MAX_BYTES >> 20} MB") if len(raw) > MAX_BYTES else (raw.decode("utf-8"), "")
    except OSError as error:
        return "", f"can't be read ({error.strerror})"
    except ValueError:
        return "", "is no text"


def _object(text: str) -> dict[str, object] | None:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _within(told: dict[str, object], name: str) -> dict[str, object]:
    inner = told.get(name)
    return inner if isinstance(inner, dict) else {}


def _approved(known: dict[str, object], before: dict[str, object]) -> dict[str, object]:
    """Return the keys that may be used with those that the agent's client was told of, but for what the person says."""
    said = _within(known, _KEYS)
    if _KEYS in known and not said:
        return {}
    told = {*_texts(said, "approved"), *_texts(said, "rejected")}
    more = [key for key in _texts(_within(before, _KEYS), "approved")[:_MAX_KEYS] if key not in told]
    rejected = said.get("rejected", [])
    return {_KEYS: {**said, "approved": [*_texts(said, "approved"), *more], "rejected": rejected}} if more else {}


def _texts(told: dict[str, object], name: str) -> list[str]:
    found = told.get(name)
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []
